import { type SQL, sql } from "drizzle-orm";
import type { TaskSnapshot } from "../../domain/lifecycle/snapshot.ts";
import { DUPLICATE_OF } from "./duplicates.ts";

/** A task as reads return it: its fields and the facts of its label, without the facts that only decisions need. */
export type TaskRecord = Omit<
  TaskSnapshot,
  "steps" | "reviewSequence" | "alreadyDispatched" | "namedBy"
>;

/** Joins the active version (v) and the current step (s) to the task (t): the aliases that TASK_FIELDS reads. */
export const TASK_JOINS: SQL = sql`join task_versions v on v.tenant_id = t.tenant_id and v.id = t.active_version_id
  join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id`;

/** The members of a task for json_build_object, from the aliases t (task), v (active version) and s (current step). */
export const TASK_FIELDS: SQL = sql`'id', t.id, 'externalId', t.external_id, 'title', t.title,
    'taxonomyCode', t.taxonomy_code, 'priority', t.priority, 'assignee', t.assignee,
    'archivedAt', iso(t.archived_at), 'duplicateOf', ${DUPLICATE_OF}, 'eventSeq', t.event_seq, 'statusSince', iso(t.status_since),
    'createdAt', iso(t.created_at), 'updatedAt', iso(t.updated_at),
    'version', json_build_object('id', v.id, 'number', v.number),
    'step', ${stepJson(sql`s`)}`;

/** The members of a TaskRecord for json_build_object, from the same aliases. */
export const TASK_MEMBERS: SQL = sql`${TASK_FIELDS},
    'reviews', coalesce((select json_agg(json_build_object('sequence', r.sequence, 'outcome', r.outcome)
      order by r.sequence) from reviews r where r.tenant_id = t.tenant_id and r.step_id = t.current_step_id
        and r.withdrawn_seq is null), '[]'),
    'openRuns', coalesce((select json_agg(json_build_object('id', w.id, 'type', w.type, 'state', w.state)
      order by w.id) from worker_runs w where w.tenant_id = t.tenant_id and w.step_id = t.current_step_id
        and w.state in ('QUEUED', 'RUNNING')), '[]')`;

/** The hold of a step as JSON, from any alias of `steps`; null if it has none. */
export function holdJson(step: SQL): SQL {
  return sql`case when ${step}.held_seq is not null
    then json_build_object('seq', ${step}.held_seq, 'gate', ${step}.held_gate) end`;
}

/** A StepSnapshot as JSON, from any alias of `steps`. */
export function stepJson(step: SQL): SQL {
  return sql`json_build_object('id', ${step}.id, 'versionId', ${step}.version_id, 'kind', ${step}.kind,
    'attempt', ${step}.attempt, 'status', ${step}.status, 'gate', ${step}.gate,
    'hold', ${holdJson(step)}, 'deferred', coalesce(${step}.deferred, '[]'), 'idledSeq', ${step}.idled_seq)`;
}
