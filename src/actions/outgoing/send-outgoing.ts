import type { Database, TenantDatabase } from "../../db/connection/client.ts";
import type { AnalyticsEvent } from "../../domain/analytics.ts";
import type { MessageQueue } from "../../queues/message-queue.ts";
import type { BulkMessage, DispatchMessage, WebhookMessage } from "../../queues/messages.ts";
import { relayDispatches } from "./relay-dispatches.ts";

/** The queues that work leaves by. */
export interface Queues {
  dispatch: MessageQueue<DispatchMessage>;
  bulk: MessageQueue<BulkMessage>;
  webhook: MessageQueue<WebhookMessage>;
}

/** A store of product events, as far as it is used. */
export interface ProductEvents {
  writeDataPoint: (point: { indexes: string[]; blobs: string[]; doubles: number[] }) => void;
}

/** What is needed to tell the world outside the database. */
export interface SendingTools {
  database: Database;
  queues: Queues;
  /** Absent where product events are kept in the database alone. */
  analytics?: ProductEvents | undefined;
}

/**
 * Sends on what the writes of one piece of work left to be told outside the database. It is committed already: what
 * fails here is found by the sweep.
 */
export async function sendOutgoing(
  { database, queues, analytics }: SendingTools,
  { tenantId, outgoing }: TenantDatabase,
): Promise<void> {
  const sent = await Promise.allSettled([
    queues.bulk.send(
      outgoing.operations.map((operationId) => ({ version: 1, tenantId, operationId })),
    ),
    outgoing.dispatches ? relayDispatches({ database, queue: queues.dispatch }) : null,
    outgoing.events ? queues.webhook.send([{ version: 1, tenantId }]) : null,
  ]);
  // At most once, and the table is what counts: nobody looks for a point that was lost on the way.
  for (const event of outgoing.analytics) {
    analytics?.writeDataPoint(dataPoint(tenantId, event));
  }
  const failed = sent.find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
}

/** A product event as the platform's store takes it: texts and numbers by place, in the order of their names. */
function dataPoint(tenantId: string, { name, properties }: AnalyticsEvent) {
  const values = Object.entries(properties)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([, value]) => value);
  return {
    indexes: [tenantId],
    blobs: [name, ...values.filter((value) => typeof value === "string")],
    doubles: values.filter((value) => typeof value !== "string").map(Number),
  };
}
