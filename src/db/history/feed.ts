import { type SQL, sql } from "drizzle-orm";
import type { TaskRef } from "../../domain/task-ref.ts";
import { type Chunk, CHUNK_ROWS_MAX, chunkFrom, chunkOf } from "../sql/chunks.ts";
import { allOf, type FilterOf, matches } from "../sql/conditions.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { EVENT_AT_PLACE, type EventRecord } from "./events.ts";
import { isOfTask } from "../tasks/task-match.ts";

/*
 * The feed is ordered by (txid, feed_id): the transaction that wrote the event, then the event's position within it.
 * Transaction ids are assigned in order, but transactions commit in any order. A reader that took every visible event
 * would skip the events of a transaction that commits late. Therefore the feed ends before the oldest running
 * transaction, pg_snapshot_xmin: all transactions below it have ended, and every later writer gets a higher id. No new
 * event can appear before one that was read. A transaction that commits late delays readers; they do not skip it.
 *
 * The events of a task are in seq order: an event is decided on a state that was read after the previous event was
 * committed, so its transaction has a higher id. Many workers report to one eval concurrently, so the events of
 * overlapping transactions of an eval may not be in seq order.
 */

/** The position in the feed after which a reader continues. A transaction id does not fit into a JavaScript number. */
export interface FeedPlace {
  txid: string;
  feedId: number;
}

/** The position before the first event. */
export const FEED_BEGINNING: FeedPlace = { txid: "0", feedId: 0 };

export interface FeedRecord {
  place: FeedPlace;
  event: EventRecord;
}

export interface FeedPage {
  /** Identifies the database: a position is valid only in the database that it was read from. */
  generation: string;
  rows: FeedRecord[];
  /** Whether no committed event is left after the rows. */
  caughtUp: boolean;
}

/**
 * Returns a page of the tenant's feed. It can be shorter than `limit` if events are large; `caughtUp` is then false.
 */
export async function readFeed(
  database: TenantDatabase,
  { after, limit }: { after: FeedPlace | null; limit: number },
): Promise<FeedPage> {
  const [page] = await database.read<FeedPage>(sql`
with found as materialized (${eventPlaces({ after, condition: sql`true`, limit })}),
page as materialized (
  -- Settled events precede unsettled ones in this order, so this only shortens the chunk.
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

/** Returns the position of the feed's end. A reader that starts there sees every event that is written from now on. */
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

/** The position of an event export, and the transaction before which the export ends. */
export interface EventExportPlace extends FeedPlace {
  end: string;
}

/**
 * Returns a chunk of the matching events after a position, in the order of the feed. The export contains every event
 * that was committed when the first chunk was read. Events of transactions that were running then may be included.
 */
export async function readEventChunk(
  database: TenantDatabase,
  filter: EventFilter,
  after: EventExportPlace | null,
): Promise<Chunk<EventRecord, EventExportPlace>> {
  // Set by the first chunk, so that the export of a busy tenant ends.
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

/**
 * Selects the positions of both streams after one, in order: `limit` of them and one more, which shows if there is
 * more.
 */
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
