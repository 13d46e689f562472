import { sql } from "drizzle-orm";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { isTask } from "../tasks/task-match.ts";
import { recordedBy, REVIEW_MEMBERS, type ReviewRecord } from "./review-json.ts";

/** Returns every review of a task, by sequence; null if there is no such task. */
export async function listTaskReviews(
  database: TenantDatabase,
  task: TaskRef,
): Promise<ReviewRecord[] | null> {
  const [row] = await database.read<{ reviews: ReviewRecord[] }>(sql`
    select coalesce((
      select json_agg(json_build_object(${REVIEW_MEMBERS}) order by r.sequence)
      from reviews r ${recordedBy(sql`r`)}
      where r.tenant_id = t.tenant_id and r.task_id = t.id), '[]') as reviews
    from tasks t where ${isTask(task)}`);
  return row?.reviews ?? null;
}
