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
  reviewer: { id: string; name: string };
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
        'reviewer', json_build_object('id', r.reviewer_id, 'name', r.reviewer_name),
        'createdAt', iso(r.created_at)) order by r.sequence)
      from reviews r where r.tenant_id = t.tenant_id and r.task_id = t.id), '[]') as reviews
    from tasks t where ${isTask(task)}`);
  return row?.reviews ?? null;
}
