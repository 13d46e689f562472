import { type SQL, sql } from "drizzle-orm";
import type { HistoryEvent } from "../../domain/webhooks/changes.ts";
import type { TaskEvent } from "../../domain/webhooks/events.ts";
import { chunkOf } from "../sql/chunks.ts";
import type { Database, TenantDatabase } from "../connection/client.ts";
import { historyTo } from "../history/events.ts";
import type { FeedPlace } from "../history/feed.ts";
import { LISTENS_TO_TASKS } from "./webhook-outbox.ts";

/** Returns tenants with webhooks that have pending work: unread events, or deliveries that are not on the queue. */
export async function tenantsWithPendingWebhooks(
  database: Database,
  rowsMax: number,
): Promise<string[]> {
  const rows = await database.acrossTenants<{ tenantId: string }>(sql`
    select tenant_id as "tenantId" from tenants_with_untold_webhooks(${rowsMax}::integer)`);
  return rows.map(({ tenantId }) => tenantId);
}

/** A webhook, and the position in the feed up to which its deliveries are written. */
interface Listener extends FeedPlace {
  id: string;
}

/** An event that is after the position of some webhook. */
interface PendingEvent extends FeedPlace {
  taskId: string;
  seq: number;
}

/** The next pending events, and the histories of their tasks. */
export interface PendingEvents {
  listeners: Listener[];
  /** Settled events, in the order of the feed. */
  events: PendingEvent[];
  /** One for each task of the events: its history up to its last event here, and the seq of its first event here. */
  histories: { fromSeq: number; events: HistoryEvent[] }[];
  /** Whether no committed event is left after these. */
  caughtUp: boolean;
}

const PAGE_EVENTS_MAX = 500;
/** The approximate size of an event. A page includes the histories of its tasks, so long histories shorten the page. */
const EVENT_BYTES = 500;

/** Reads the events after the position of the webhook that is furthest behind. */
export async function readPendingEvents(database: TenantDatabase): Promise<PendingEvents> {
  const order = sql`txid, feed_id`;
  const [pending] = await database.read<PendingEvents>(sql`
with listening as materialized (
  select w.id, w.position_txid as txid, w.position_feed_id as feed_id from webhooks w where ${LISTENS_TO_TASKS}
),
start as materialized (select txid, feed_id from listening order by ${order} limit 1),
found as materialized (
  select e.* from start cross join lateral (
    select e.txid, e.feed_id, e.task_id, e.seq, e.seq * ${EVENT_BYTES}::bigint as bytes
    from step_events e where (e.txid, e.feed_id) > (start.txid, start.feed_id)
    order by e.txid, e.feed_id limit ${PAGE_EVENTS_MAX + 1}
  ) e
),
page as materialized (
  -- Only settled events (db/history/feed.ts).
  select * from (${chunkOf(sql`found`, { order, limit: PAGE_EVENTS_MAX })}) placed
  where txid < pg_snapshot_xmin(pg_current_snapshot())
),
touched as materialized (
  select task_id, min(seq) as from_seq, max(seq) as to_seq from page group by task_id
)
select
  (select count(*) from found) = (select count(*) from page) as "caughtUp",
  coalesce((select json_agg(json_build_object('id', id, 'txid', txid::text, 'feedId', feed_id) order by id)
    from listening), '[]') as listeners,
  coalesce((select json_agg(json_build_object('txid', txid::text, 'feedId', feed_id, 'taskId', task_id, 'seq', seq)
    order by ${order}) from page), '[]') as events,
  coalesce((select json_agg(json_build_object('fromSeq', t.from_seq,
    'events', ${historyTo(sql`t.task_id`, sql`t.to_seq`)})) from touched t), '[]') as histories`);
  if (pending === undefined) throw new Error("A query without FROM has one row");
  return pending;
}

/** A message about a task, with the position of its event. */
export interface TaskMessage extends FeedPlace {
  event: TaskEvent;
  source: string;
  data: string;
  occurredAt: string;
}

/**
 * Writes the deliveries of each listener up to a position and moves the listener there, in one statement. So no message
 * is lost or written twice, even if a pump is interrupted or two run concurrently. A listener whose position has
 * changed since it was read is skipped. Returns whether any listener was moved.
 */
export async function recordDeliveries(
  database: TenantDatabase,
  {
    listeners,
    upTo,
    messages,
  }: { listeners: readonly Listener[]; upTo: FeedPlace; messages: readonly TaskMessage[] },
): Promise<boolean> {
  const { tenantId } = database;
  const [row] = await database.writeIdempotently<{ moved: boolean }>(sql`
with listener as materialized (
  select * from json_to_recordset(${listenerRows(listeners)}) as l(id uuid, txid xid8, feed_id bigint)
),
-- In id order, like every lock of several rows. After a wait, the conditions are checked on the current row.
locked as materialized (
  select w.id, l.txid, l.feed_id
  from listener l join webhooks w on w.id = l.id
  where w.tenant_id = ${tenantId}::uuid and ${LISTENS_TO_TASKS}
    and w.position_txid = l.txid and w.position_feed_id = l.feed_id
    and (l.txid, l.feed_id) < ${place(upTo)}
  order by w.id
  for no key update of w
),
moved as (
  update webhooks w set position_txid = ${upTo.txid}::xid8, position_feed_id = ${upTo.feedId}::bigint
  from locked l where w.tenant_id = ${tenantId}::uuid and w.id = l.id
  returning w.id, w.name, w.events, w.heard_nothing_of, l.txid, l.feed_id
),
written as (
  insert into webhook_deliveries (tenant_id, id, webhook_id, webhook_name, event, source, data, occurred_at)
  select ${tenantId}::uuid, new_id(), moved.id, moved.name, m.event, m.source, m.data, m.occurred_at
  from json_to_recordset(${messageRows(messages)}) as m(
      txid xid8, feed_id bigint, event text, source text, data text, occurred_at timestamptz)
    join moved on moved.events @> array[m.event] and (m.txid, m.feed_id) > (moved.txid, moved.feed_id)
      and not pg_visible_in_snapshot(m.txid, moved.heard_nothing_of)
  order by moved.id, m.txid, m.feed_id
)
select exists (select from moved) as moved`);
  return row?.moved === true;
}

function place({ txid, feedId }: FeedPlace): SQL {
  return sql`(${txid}::xid8, ${feedId}::bigint)`;
}

function listenerRows(listeners: readonly Listener[]): string {
  return JSON.stringify(listeners.map(({ id, txid, feedId }) => ({ id, txid, feed_id: feedId })));
}

function messageRows(messages: readonly TaskMessage[]): string {
  return JSON.stringify(
    messages.map(({ txid, feedId, event, source, data, occurredAt }) => ({
      txid,
      feed_id: feedId,
      event,
      source,
      data,
      occurred_at: occurredAt,
    })),
  );
}
