import { sql } from "drizzle-orm";
import type { ReviewKind, ReviewOutcome } from "../../domain/lifecycle/statuses.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import { credentialsOf } from "../administration/actors.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { type Chunk, readChunkById } from "../sql/chunks.ts";
import { type FilterOf, matches } from "../sql/conditions.ts";
import { isOfTask, isTask } from "../tasks/task-match.ts";
import { REVIEW_JSON, type ReviewRecord } from "./review-json.ts";

/** Returns every review of a task, by sequence; null if there is no such task. */
export async function listTaskReviews(
  database: TenantDatabase,
  task: TaskRef,
): Promise<ReviewRecord[] | null> {
  const [row] = await database.read<{ reviews: ReviewRecord[] }>(sql`
    select coalesce((
      select json_agg(${REVIEW_JSON} order by r.sequence) from reviews r
      where r.tenant_id = t.tenant_id and r.task_id = t.id), '[]') as reviews
    from tasks t where ${isTask(task)}`);
  return row?.reviews ?? null;
}

const REVIEW_FILTERS = {
  task: (task: TaskRef) => isOfTask(sql`r.task_id`, task),
  stepId: (id: string) => sql`r.step_id = ${id}`,
  kind: (kind: ReviewKind) => sql`r.kind = ${kind}`,
  outcome: (outcome: ReviewOutcome) => sql`r.outcome = ${outcome}`,
  withdrawn: (isWithdrawn: boolean) =>
    isWithdrawn ? sql`r.withdrawn_seq is not null` : sql`r.withdrawn_seq is null`,
  /** The credential: the id of an API key, or the subject of a token. */
  reviewerId: (id: string) => sql`r.reviewer_id = ${id}`,
  /** The person, with all their credentials. */
  personId: (id: string) => sql`r.reviewer_id in (${credentialsOf(id)})`,
  createdAfter: (time: string) => sql`r.created_at > ${time}::timestamptz`,
  createdBefore: (time: string) => sql`r.created_at < ${time}::timestamptz`,
};
export type ReviewFilter = FilterOf<typeof REVIEW_FILTERS>;

/** Returns a page of the matching reviews, newest first. It can be shorter than `limit` if notes are long. */
export function listReviews(
  database: TenantDatabase,
  filter: ReviewFilter,
  { limit, after }: { limit: number; after: string | null },
): Promise<Chunk<ReviewRecord, string>> {
  return readChunkById(database, reviewsOf(filter), after, { limit, newestFirst: true });
}

/** Returns a chunk of all matching reviews, oldest first. */
export function readReviewChunk(
  database: TenantDatabase,
  filter: ReviewFilter,
  afterId: string | null,
): Promise<Chunk<ReviewRecord, string>> {
  return readChunkById(database, reviewsOf(filter), afterId);
}

const reviewsOf = (filter: ReviewFilter) => ({
  table: sql`reviews`,
  alias: sql`r`,
  bytes: sql`octet_length(r.notes)`,
  condition: matches(REVIEW_FILTERS, filter),
  row: REVIEW_JSON,
});
