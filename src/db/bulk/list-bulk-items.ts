import { sql } from "drizzle-orm";
import type { BulkTarget } from "../../domain/bulk/matrix.ts";
import type { BulkOutcome } from "../../domain/bulk/outcomes.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { bytesOf, type Chunk, chunkFrom, chunkOf } from "../sql/chunks.ts";
import { type FilterOf, matches } from "../sql/conditions.ts";
import type { BulkItemRecord } from "./bulk-operations.ts";

/** An item with the target of its operation, and with the present names of its task: null if there is no such task. */
export interface ListedBulkItemRecord extends BulkItemRecord {
  targetStatus: BulkTarget | null;
  title: string | null;
  externalId: string | null;
}

const BULK_ITEM_FILTERS = {
  outcome: (outcome: BulkOutcome) => sql`i.outcome = ${outcome}`,
};

export type BulkItemFilter = FilterOf<typeof BULK_ITEM_FILTERS>;

/** Returns a chunk of a bulk operation's matching items, by position; null if there is no such operation. */
export async function readBulkItemChunk(
  database: TenantDatabase,
  operationId: string,
  filter: BulkItemFilter,
  { after, limit }: { after: number | null; limit: number },
): Promise<Chunk<ListedBulkItemRecord, number> | null> {
  const [[operation], rows] = await database.readAll<
    [
      Pick<ListedBulkItemRecord, "targetStatus">,
      { row: Omit<ListedBulkItemRecord, "targetStatus">; place: number; isLast: boolean },
    ]
  >([
    sql`select target_status as "targetStatus" from bulk_operations where id = ${operationId}`,
    sql`
with found as materialized (
  select i.position as place, i.task_id, i.planned_seq, i.outcome, i.code, i.from_label, i.to_label, i.event_seq,
    i.error, ${bytesOf(sql`i.task_id`, sql`i.error`)} as bytes
  from bulk_operation_items i
  where i.operation_id = ${operationId} and i.position > ${after ?? -1} and ${matches(BULK_ITEM_FILTERS, filter)}
  order by i.position limit ${limit + 1}
),
page as materialized (${chunkOf(sql`found`, { order: sql`place`, limit })})
select json_build_object('position', i.place, 'taskId', i.task_id, 'title', t.title, 'externalId', t.external_id,
    'plannedSeq', i.planned_seq, 'outcome', i.outcome, 'code', i.code, 'fromLabel', i.from_label,
    'toLabel', i.to_label, 'eventSeq', i.event_seq, 'error', i.error) as row,
  i.place, (select count(*) from found) = (select count(*) from page) as "isLast"
from page i
-- One index lookup per row: Postgres would plan a join as a scan of the tenant's whole table.
left join lateral (
  select title, external_id from tasks
  -- The name of an unknown task can be any text.
  where id = case when i.planned_seq is not null then i.task_id::uuid end limit 1) t on true
order by i.place`,
  ]);
  if (operation === undefined) return null;
  const { rows: items, next } = chunkFrom(rows);
  return { rows: items.map((item) => ({ ...item, ...operation })), next };
}
