import { type SQL, sql } from "drizzle-orm";
import type { Creation } from "../../domain/lifecycle/decide/create.ts";
import type { TenantDatabase, Written } from "../connection/client.ts";
import type { Bound, PreparedWrite } from "../connection/prepared.ts";
import { logDispatches } from "../dispatches/dispatch-log.ts";
import { dispatchRows, eventRows, stepRows, versionRows } from "./decision-rows.ts";
import { type ExistingTask, existingTasks } from "./existing-tasks.ts";
import {
  chainedStepEvents,
  insertedStepEvents,
  NO_HEAD,
  stepEventInput,
} from "../history/event-ctes.ts";
import { CALL_INPUTS, callInputs, callOfInputs } from "./call-inputs.ts";
import type { MoveCall } from "./move-input.ts";
import {
  hasListeners,
  keepOrDropByOutcome,
  type MoveStatementInputs,
  openedSteps,
  openedVersions,
} from "./move-statement.ts";
import { type HasListeners, type RecordedMoves, enqueueSideEffects } from "./record-moves.ts";
import { plannedClock } from "../sql/writer-clock.ts";

/** A decided creation; its planned time and its seed run, if its tenant has a simulated clock. */
export type PlannedCreation = Creation & {
  at?: string | undefined;
  seedRunId?: string | undefined;
};

/** The written events and dispatches, and the tasks that already had one of the external ids. */
export interface RecordedCreations extends RecordedMoves {
  existing: ExistingTask[];
}

/** What the ledger stores for a creation. Its answer is rendered from this. */
export interface StoredCreations<Answer> extends RecordedCreations {
  answer: Answer;
}

/**
 * Creates any number of tasks in one round trip. A task whose external id is taken is not created; `existing` has the
 * task with that external id, and how the new one differs from it. Only here is the task's row inserted before its events: `on conflict do nothing` shows
 * which tasks are new, and only those get events. The foreign keys between them are deferred.
 */
export async function recordCreations(
  database: TenantDatabase,
  creations: readonly PlannedCreation[],
  call: MoveCall,
): Promise<Written<RecordedCreations>> {
  type Row = RecordedCreations & HasListeners;
  const input = creationInput(creations, database.plannedAt);
  const answer = JSON.stringify(call.answer) ?? "null";
  const written =
    creations.length === 1
      ? await database.writePrepared<Row, keyof typeof CREATION_INPUTS>(
          call.operation,
          RECORD_CREATION,
          { ...input, ...callInputs(call), answer },
        )
      : await database.write<Row>(call.operation, [
          creationStatement({ ...call, tenantId: database.tenantId, answer }, input),
        ]);
  return enqueueSideEffects(database, written);
}

const CREATION_INPUTS = {
  ...CALL_INPUTS,
  tasks: "json",
  events: "json",
  versions: "json",
  steps: "json",
  dispatches: "json",
} as const;

/** Creates one task. An import is sent as text: among hundreds of tasks, the planning time is negligible. */
export const RECORD_CREATION: PreparedWrite<keyof typeof CREATION_INPUTS> = {
  name: "record_creation",
  writes: true,
  inputs: CREATION_INPUTS,
  columns: `events json, dispatched json, existing json, "hasListeners" boolean`,
  body: (input) => [creationStatement(callOfInputs(input), input)],
};

type CreationInput = Readonly<Record<keyof ReturnType<typeof creationInput>, Bound<string>>>;

function creationStatement(
  call: Omit<MoveStatementInputs, "input" | "bulk">,
  input: CreationInput,
): SQL {
  const { tenantId, actor, operation, answer, isKeptIfEmpty } = call;
  const source = { ...call, bulk: null };
  return sql`
with
draft as materialized (
  select * from json_to_recordset(${input.tasks}) as a(id uuid, external_id text, title text, taxonomy_code text,
    priority smallint, assignee text, step_id uuid, version_id uuid, planned_at timestamptz, seed_run_id uuid)
),
event as materialized (
  select e.*, e.ordinal as seq, ${NO_HEAD} as event_head, ${plannedClock(sql`a.planned_at`)} as at
  from ${stepEventInput(input.events)} join draft a on a.id = e.task_id
),
${chainedStepEvents(tenantId, source)},
created as (
  insert into tasks (tenant_id, id, external_id, title, taxonomy_code, priority, assignee,
    current_step_id, active_version_id, event_seq, event_head, status_since, created_by, created_at, updated_at,
    seed_run_id)
  select ${tenantId}::uuid, a.id, a.external_id, a.title, a.taxonomy_code, a.priority, a.assignee,
    a.step_id, a.version_id, c.seq, c.hash, c.at, ${actor.id}::text, c.at, c.at, a.seed_run_id
  from draft a join chained c on c.task_id = a.id
  -- Concurrent calls wait for each other's keys in the same order. Of equal keys, the first row of the call wins.
  order by external_id_key(a.external_id), a.id
  -- On either unique index of external ids.
  on conflict do nothing
  returning id
),
written as (
  ${insertedStepEvents(tenantId, source, sql`chained join created on created.id = task_id`)}
),
${openedVersions({ tenantId, actor }, input.versions, sql`written`)}
${openedSteps(tenantId, input.steps, sql`written`)}
dispatched as (
  insert into pipeline_dispatches (tenant_id, id, pipeline, task_id, version_id, step_id, cause_seq, created_at,
    updated_at)
  select ${tenantId}::uuid, d.id, d.pipeline, d.task_id, d.version_id, d.step_id, w.seq, w.at, w.at
  from json_to_recordset(${input.dispatches}) as d(
      id uuid, pipeline text, task_id uuid, version_id uuid, step_id uuid)
    join written w using (task_id)
  returning id, pipeline, task_id, created_at
),
dispatch_log as (
  ${logDispatches(
    tenantId,
    { actor, operation, reason: null },
    sql`select id, null as from_state, 'pending' as to_state, created_at as since from dispatched`,
  )}
),
outcome as materialized (
  select
    coalesce((select json_agg(json_build_object('taskId', c.task_id, 'seq', c.seq, 'at', iso(c.at),
      'canonical', c.canonical, 'prevHash', encode(c.prev_hash, 'hex'), 'hash', encode(c.hash, 'hex')))
      from written w join chained c using (task_id, seq)), '[]') as events,
    coalesce((select json_agg(json_build_object('id', id, 'pipeline', pipeline, 'taskId', task_id))
      from dispatched), '[]') as dispatched,
    ${existingTasks(
      tenantId,
      sql`(
        select a.external_id, a.title, a.taxonomy_code, v.content
        from draft a join json_to_recordset(${input.versions}) as v(task_id uuid, content jsonb) on v.task_id = a.id
        where a.external_id is not null
      )`,
    )} as existing,
    (select count(*) from written) as tasks
),
${keepOrDropByOutcome(
  { tenantId, operation, isKeptIfEmpty },
  sql`json_build_object('answer', ${answer}::json, 'events', outcome.events,
    'dispatched', outcome.dispatched, 'existing', outcome.existing)`,
)}
select events, dispatched, existing, ${hasListeners(tenantId)} from outcome`;
}

function creationInput(creations: readonly PlannedCreation[], plannedAt: string | null) {
  const json = (rowsOf: (creation: PlannedCreation) => readonly object[]) =>
    JSON.stringify(creations.flatMap(rowsOf));
  return {
    tasks: json(({ task, decision, at = plannedAt, seedRunId }) => {
      const [event] = decision.events;
      return [
        {
          id: task.id,
          external_id: task.externalId,
          title: task.title,
          taxonomy_code: task.taxonomyCode,
          priority: task.priority,
          assignee: task.assignee,
          step_id: event?.stepId,
          version_id: event?.versionId,
          ...(at !== null && { planned_at: at }),
          ...(seedRunId !== undefined && { seed_run_id: seedRunId }),
        },
      ];
    }),
    events: json(({ task, decision }) => eventRows(task.id, decision.events)),
    versions: json(({ task, decision }) => versionRows(task.id, decision)),
    steps: json(({ decision }) => stepRows(decision)),
    dispatches: json(({ task, decision }) => dispatchRows(task.id, decision)),
  };
}
