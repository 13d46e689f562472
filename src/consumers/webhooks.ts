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

/** The consumer of `stepledger-webhooks`: tells a tenant's webhooks, or sends one message to its webhook. */
export function webhookConsumer({
  database,
  queue,
  outbound,
}: Dependencies): Consumer<WebhookMessage> {
  return {
    schema: webhookMessage,
    handle: async ({ tenantId, deliveryId }, about) => {
      const tenant = database.forTenant(tenantId);
      if (deliveryId !== undefined) {
        return deliverWebhook({ database: tenant, outbound }, deliveryId);
      }
      const pumped = await pumpWebhooks(tenant);
      const isMore = await relayDeliveries(tenant, queue);
      if (isMore || pumped === "unfinished") await queue.send([{ version: 1, tenantId }]);
      return pumped === "unsettled" ? untilSettled(about) : "done";
    },
  };
}

const LOOKS_MAX = 8;

/** 2, 4, 8 seconds and so on; who writes for longer than minutes is left to the sweep. */
function untilSettled({ attempts }: QueuedMessage): Handled {
  return attempts < LOOKS_MAX ? { retryAfterSeconds: 2 ** attempts } : "done";
}
