import type { TenantDatabase } from "../../db/connection/client.ts";
import {
  readPendingEvents,
  recordDeliveries,
  type TaskMessage,
  type PendingEvents,
} from "../../db/webhooks/webhook-pump.ts";
import { changesOf } from "../../domain/webhooks/changes.ts";

/** How far the feed was told: to its end, to where it is settled, or as far as one piece of work goes. */
export type Pumped = "told" | "unsettled" | "unfinished";

/** Pages of one piece of work; a bulk operation of thousands of tasks takes several. */
const PAGES_MAX = 20;

/**
 * Tells a tenant's webhooks of the events behind their positions: writes the messages, which are sent after. It may
 * be called at any time, beside itself, and break off anywhere.
 */
export async function pumpWebhooks(database: TenantDatabase): Promise<Pumped> {
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const untold = await readPendingEvents(database);
    const last = untold.events.at(-1);
    if (last === undefined) return untold.caughtUp ? "told" : "unsettled";
    const { listeners } = untold;
    const isFirst = await recordDeliveries(database, {
      listeners,
      upTo: last,
      messages: messagesOf(untold),
    });
    // Somebody else tells of the same, and will read on to the end as it is then.
    if (!isFirst || untold.caughtUp) return "told";
  }
  return "unfinished";
}

function messagesOf({ events, histories }: PendingEvents): TaskMessage[] {
  const places = new Map(events.map((event) => [`${event.taskId}/${event.seq}`, event]));
  return histories.flatMap((history) =>
    changesOf(history.events, history.fromSeq).map(({ event, seq, data }) => {
      const source = `${data.taskId}/${seq}`;
      const place = places.get(source);
      if (place === undefined) throw new Error("A history was read beyond its page");
      const { txid, feedId } = place;
      return { txid, feedId, event, source, data: JSON.stringify(data), occurredAt: data.at };
    }),
  );
}
