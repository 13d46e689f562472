import { type SQL, sql } from "drizzle-orm";
import type { ReviewKind, ReviewOutcome } from "../../domain/lifecycle/statuses.ts";

/** A review as answers show it. */
export interface ReviewRecord {
  id: string;
  taskId: string;
  versionId: string;
  stepId: string;
  kind: ReviewKind;
  outcome: ReviewOutcome;
  sequence: number;
  notes: string | null;
  /** Whose review it is. Without `personId`, a machine's, or one of before people. */
  reviewer: { id: string; name: string; personId?: string };
  /** Null for a review that counts. */
  withdrawn: { at: string; reason: string } | null;
  createdAt: string;
}

/** The condition that e is the event that recorded the review r. It has the kind of the reviewer's credential. */
export const IS_RECORDED_BY: SQL = sql`e.tenant_id = r.tenant_id and e.task_id = r.task_id
    and e.type = 'review_recorded' and e.payload::json #>> '{review,id}' = r.id::text`;

/** A ReviewRecord as JSON, from the alias r. */
export const REVIEW_JSON: SQL = sql`json_build_object('id', r.id, 'taskId', r.task_id, 'versionId', r.version_id,
  'stepId', r.step_id, 'kind', r.kind, 'outcome', r.outcome, 'sequence', r.sequence, 'notes', r.notes,
  'reviewer', json_strip_nulls(json_build_object('id', r.reviewer_id, 'name', r.reviewer_name,
    'personId', (select person_of(e.tenant_id, e.actor_kind, e.actor_id) from step_events e where ${IS_RECORDED_BY}))),
  'withdrawn', (select json_build_object('at', iso(w.at), 'reason', w.reason) from step_events w
    where w.tenant_id = r.tenant_id and w.task_id = r.task_id and w.seq = r.withdrawn_seq),
  'createdAt', iso(r.created_at))`;
