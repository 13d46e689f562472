import { type SQL, sql } from "drizzle-orm";
import type { ReviewKind, ReviewOutcome } from "../../domain/lifecycle/statuses.ts";

/** A review as answers show it. */
export interface ReviewRecord {
  id: string;
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

/** Joins, as e, the event that recorded the review of an alias. It has the kind of the reviewer's credential. */
export const recordedBy = (
  review: SQL,
): SQL => sql`join step_events e on e.tenant_id = ${review}.tenant_id
  and e.task_id = ${review}.task_id and e.type = 'review_recorded' and e.payload::json #>> '{review,id}' = ${review}.id::text`;

/** The members of a ReviewRecord for json_build_object, from the aliases r (review) and e (its event). */
export const REVIEW_MEMBERS: SQL = sql`'id', r.id, 'versionId', r.version_id, 'stepId', r.step_id, 'kind', r.kind,
  'outcome', r.outcome, 'sequence', r.sequence, 'notes', r.notes,
  'reviewer', json_strip_nulls(json_build_object('id', r.reviewer_id, 'name', r.reviewer_name,
    'personId', person_of(r.tenant_id, e.actor_kind, e.actor_id))),
  'withdrawn', (select json_build_object('at', iso(w.at), 'reason', w.reason) from step_events w
    where w.tenant_id = r.tenant_id and w.task_id = r.task_id and w.seq = r.withdrawn_seq),
  'createdAt', iso(r.created_at)`;
