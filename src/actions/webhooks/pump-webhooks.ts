import type { TenantDatabase } from "../../db/connection/client.ts";
import {
  readPendingEvents,
  recordDeliveries,
  type TaskMessage,
  type PendingEvents,
} from "../../db/webhooks/webhook-pump.ts";
import { changesOf } from "../../domain/webhooks/changes.ts";

/** Whether all events are read, later ones are not settled yet, or more pages are left. */
export type PumpProgress = "caught_up" | "unsettled" | "unfinished";

/** Pages of one call. A bulk operation of thousands of tasks takes several calls. */
const PAGES_MAX = 20;

/**
 * Reads the feed from the positions of a tenant's webhooks, and writes a delivery for each message that they should
 * receive. The deliveries are sent later, by deliver-webhook.ts. Concurrent and interrupted runs are safe.
 */
export async function pumpWebhooks(database: TenantDatabase): Promise<PumpProgress> {
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const pending = await readPendingEvents(database);
    const last = pending.events.at(-1);
    if (last === undefined) return pending.caughtUp ? "caught_up" : "unsettled";
    const { listeners } = pending;
    const isFirst = await recordDeliveries(database, {
      listeners,
      upTo: last,
      messages: messagesOf(pending),
    });
    // If another call recorded this page first, it also reads on to the end of the feed.
    if (!isFirst || pending.caughtUp) return "caught_up";
  }
  return "unfinished";
}

function messagesOf({ events, histories }: PendingEvents): TaskMessage[] {
  const places = new Map(events.map((event) => [`${event.taskId}/${event.seq}`, event]));
  return histories.flatMap((history) =>
    changesOf(history.events, history.fromSeq).map(({ event, seq, data }) => {
      const source = `${data.taskId}/${seq}`;
      const place = places.get(source);
      if (place === undefined) throw new Error("A history holds an event that is not on its page");
      const { txid, feedId } = place;
      return { txid, feedId, event, source, data: JSON.stringify(data), occurredAt: data.at };
    }),
  );
}
