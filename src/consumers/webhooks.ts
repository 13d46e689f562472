import { deliverWebhook } from "../actions/webhooks/deliver-webhook.ts";
import { pumpWebhooks } from "../actions/webhooks/pump-webhooks.ts";
import { relayDeliveries } from "../actions/outgoing/relay-deliveries.ts";
import type { Database } from "../db/connection/client.ts";
import type { Outbound } from "../outbound/post-signed.ts";
import type { MessageQueue } from "../queues/message-queue.ts";
import { type WebhookMessage, webhookMessage } from "../queues/messages.ts";
import type { Consumer, Handled, QueuedMessage } from "./consume.ts";

interface Dependencies {
  database: Database;
  queue: MessageQueue<WebhookMessage>;
  outbound: Outbound;
}

/** The consumer of `stepledger-webhooks`: sends one message to its webhook, or writes a tenant's pending messages. */
export function webhookConsumer({
  database,
  queue,
  outbound,
}: Dependencies): Consumer<WebhookMessage> {
  return {
    schema: webhookMessage,
    handle: async ({ tenantId, deliveryId }, message) => {
      const tenant = database.forTenant(tenantId);
      if (deliveryId !== undefined) {
        return deliverWebhook({ database: tenant, outbound }, deliveryId);
      }
      const progress = await pumpWebhooks(tenant);
      const isMore = await relayDeliveries(tenant, queue);
      if (isMore || progress === "unfinished") await queue.send([{ version: 1, tenantId }]);
      return progress === "unsettled" ? retryUntilSettled(message) : "done";
    },
  };
}

const ATTEMPTS_MAX = 8;

/** Retries after 2, 4, 8 seconds and so on. The sweep takes over from transactions that last for minutes. */
function retryUntilSettled({ attempts }: QueuedMessage): Handled {
  return attempts < ATTEMPTS_MAX ? { retryAfterSeconds: 2 ** attempts } : "done";
}
