import { sql } from "drizzle-orm";
import type { ReviewKind, ReviewOutcome } from "../../domain/lifecycle/statuses.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { isTask } from "./task-match.ts";

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
  createdAt: string;
}

/** Returns every review of a task, by sequence; null if there is no such task. */
export async function listReviews(
  database: TenantDatabase,
  task: TaskRef,
): Promise<ReviewRecord[] | null> {
  const [row] = await database.read<{ reviews: ReviewRecord[] }>(sql`
    select coalesce((
      select json_agg(json_build_object('id', r.id, 'versionId', r.version_id, 'stepId', r.step_id,
        'kind', r.kind, 'outcome', r.outcome, 'sequence', r.sequence, 'notes', r.notes,
        'reviewer', json_strip_nulls(json_build_object('id', r.reviewer_id, 'name', r.reviewer_name,
          'personId', person_of(r.tenant_id, e.actor_kind, r.reviewer_id))),
        'createdAt', iso(r.created_at)) order by r.sequence)
      from reviews r
        -- The kind of the reviewer's credential is on the event that recorded the review.
        left join step_events e on e.tenant_id = r.tenant_id and e.task_id = r.task_id and e.type = 'review_recorded'
          and e.payload::json #>> '{review,id}' = r.id::text
      where r.tenant_id = t.tenant_id and r.task_id = t.id), '[]') as reviews
    from tasks t where ${isTask(task)}`);
  return row?.reviews ?? null;
}
