import { type SQL, sql } from "drizzle-orm";
import type { TaskRef } from "../../domain/task-ref.ts";
import { type Chunk, CHUNK_ROWS_MAX, chunkFrom, chunkOf } from "../sql/chunks.ts";
import { allOf, type FilterOf, matches } from "../sql/conditions.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { EVENT_AT_PLACE, type EventRecord } from "./events.ts";
import { isOfTask } from "../tasks/task-match.ts";

/*
 * Events are read in the order of (txid, feed_id): the transaction that wrote them, then their place in it. Ids of
 * transactions are handed out in order but commit in any, so a reader who took whatever is visible would go past one
 * that commits late. Therefore the feed ends before the oldest transaction still under way, pg_snapshot_xmin: all
 * below it have ended, and whoever begins to write from now on gets a higher one. What is read once can have nothing
 * new before it, and a late committer holds the reader back instead of being skipped.
 *
 * A task's events come by seq: an event is decided on a state that was read after the event before had been
 * committed, hence in a transaction with a higher id. Of an eval, to which many machines report at once, events of
 * transactions that overlapped may come in another order than that of their seq.
 */

/** The place in the feed after which a reader goes on. A transaction's id is wider than a number. */
export interface FeedPlace {
  txid: string;
  feedId: number;
}

/** Before the first event. */
export const FEED_BEGINNING: FeedPlace = { txid: "0", feedId: 0 };

export interface FeedRecord {
  place: FeedPlace;
  event: EventRecord;
}

export interface FeedPage {
  /** Which database it was read from: a place in one means nothing in another. */
  generation: string;
  rows: FeedRecord[];
  /** Whether no event that is committed lies beyond the rows. */
  caughtUp: boolean;
}

/** A page of the tenant's feed. It may be shorter than `limit` where events are long, and `caughtUp` is false. */
export async function readFeed(
  database: TenantDatabase,
  { after, limit }: { after: FeedPlace | null; limit: number },
): Promise<FeedPage> {
  const [page] = await database.read<FeedPage>(sql`
with found as materialized (${eventPlaces({ after, condition: sql`true`, limit })}),
page as materialized (
  -- In order, those that are settled come before those that are not.
  select * from (${chunkOf(sql`found`, { order: FEED_ORDER, limit })}) placed
  where txid < pg_snapshot_xmin(pg_current_snapshot())
)
select feed_generation() as generation,
  (select count(*) from found) = (select count(*) from page) as "caughtUp",
  coalesce((
    select json_agg(${FEED_ROW_JSON} order by placed.txid, placed.feed_id)
    from page placed cross join lateral (${EVENT_AT_PLACE}) shown), '[]') as rows`);
  if (page === undefined) throw new Error("A query without FROM has one row");
  return page;
}

/** The place before all that is not settled yet: who reads on from it sees whatever is written from now on. */
export async function readFeedEnd(
  database: TenantDatabase,
): Promise<{ generation: string; place: FeedPlace }> {
  const [end] = await database.read<{ generation: string; txid: string }>(sql`
    select feed_generation() as generation, pg_snapshot_xmin(pg_current_snapshot())::text as txid`);
  if (end === undefined) throw new Error("A query without FROM has one row");
  return { generation: end.generation, place: { txid: end.txid, feedId: 0 } };
}

/** The filters of the event export, over both streams. */
const EVENT_FILTERS = {
  task: (task: TaskRef) => isOfTask(sql`e.task_id`, task),
  createdAfter: (time: string) => sql`e.at > ${time}::timestamptz`,
  createdBefore: (time: string) => sql`e.at < ${time}::timestamptz`,
};

export type EventFilter = FilterOf<typeof EVENT_FILTERS>;

/** How far an export of events has come, and the transaction before which it ends. */
export interface EventExportPlace extends FeedPlace {
  end: string;
}

/**
 * A chunk of all events that were committed when the first chunk was read, in the feed's order. Each of them is
 * there; one that was still being written may be, where its transaction had begun.
 */
export async function readEventChunk(
  database: TenantDatabase,
  filter: EventFilter,
  after: EventExportPlace | null,
): Promise<Chunk<EventRecord, EventExportPlace>> {
  // Fixed by the first chunk, so that the export of a busy tenant comes to an end.
  const end =
    after === null ? sql`pg_snapshot_xmax(pg_current_snapshot())` : sql`${after.end}::xid8`;
  const condition = allOf(sql`e.txid < ${end}`, matches(EVENT_FILTERS, filter));
  const limit = CHUNK_ROWS_MAX;
  return chunkFrom(
    await database.read<{ row: EventRecord; place: EventExportPlace; isLast: boolean }>(sql`
with found as materialized (${eventPlaces({ after, condition, limit })}),
page as materialized (${chunkOf(sql`found`, { order: FEED_ORDER, limit })})
select shown.event as row, (select count(*) from found) = (select count(*) from page) as "isLast",
  json_build_object('txid', placed.txid::text, 'feedId', placed.feed_id, 'end', ${end}::text) as place
from page placed cross join lateral (${EVENT_AT_PLACE}) shown
order by placed.txid, placed.feed_id`),
  );
}

const FEED_ORDER = sql`txid, feed_id`;

const FEED_ROW_JSON = sql`json_build_object(
  'place', json_build_object('txid', placed.txid::text, 'feedId', placed.feed_id), 'event', shown.event)`;

/** The places of both streams after one, in order, and one more than `limit`: it tells whether there is more. */
function eventPlaces(page: { after: FeedPlace | null; condition: SQL; limit: number }): SQL {
  const { txid, feedId } = page.after ?? FEED_BEGINNING;
  const isBeyond = sql`(e.txid, e.feed_id) > (${txid}::xid8, ${feedId}::bigint)`;
  const places = (stream: SQL, evalId: SQL) => sql`(
    select e.tenant_id, e.txid, e.feed_id, e.task_id, e.seq, ${evalId} as eval_id, octet_length(e.payload) as bytes
    from ${stream} e where ${isBeyond} and ${page.condition}
    order by e.txid, e.feed_id limit ${page.limit + 1})`;
  return sql`select * from (
    ${places(sql`step_events`, sql`null::uuid`)} union all ${places(sql`eval_step_events`, sql`e.eval_id`)}
  ) streams order by ${FEED_ORDER} limit ${page.limit + 1}`;
}
