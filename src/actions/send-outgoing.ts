import type { Database, TenantDatabase } from "../db/client.ts";
import type { MessageQueue } from "../queues/message-queue.ts";
import type { BulkMessage, DispatchMessage, WebhookMessage } from "../queues/messages.ts";
import { relayDispatches } from "./relay-dispatches.ts";

/** The queues that work leaves by. */
export interface Queues {
  dispatch: MessageQueue<DispatchMessage>;
  bulk: MessageQueue<BulkMessage>;
  webhook: MessageQueue<WebhookMessage>;
}

/**
 * Sends on what the writes of one piece of work left to be told outside the database. It is committed already: what
 * fails here is found by the sweep.
 */
export async function sendOutgoing(
  { database, queues }: { database: Database; queues: Queues },
  { tenantId, outgoing }: TenantDatabase,
): Promise<void> {
  const sent = await Promise.allSettled([
    queues.bulk.send(
      outgoing.operations.map((operationId) => ({ version: 1, tenantId, operationId })),
    ),
    outgoing.dispatches ? relayDispatches({ database, queue: queues.dispatch }) : null,
    outgoing.events ? queues.webhook.send([{ version: 1, tenantId }]) : null,
  ]);
  const failed = sent.find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
}
