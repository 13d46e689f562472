import type { TenantDatabase } from "../../db/connection/client.ts";
import { claimDeliveries } from "../../db/webhooks/webhook-deliveries.ts";
import type { MessageQueue } from "../../queues/message-queue.ts";
import type { WebhookMessage } from "../../queues/messages.ts";

/** What one claim takes: it is sent in ten batches. */
const CLAIM_ROWS_MAX = 1000;
const CLAIMS_MAX = 20;

/**
 * Puts a tenant's messages to its webhooks on the queue whose time has come; answers whether there may be more. One
 * that is put there twice is sent once, and one that was lost on the way is claimed again.
 */
export async function relayDeliveries(
  database: TenantDatabase,
  queue: MessageQueue<WebhookMessage>,
): Promise<boolean> {
  const { tenantId } = database;
  for (let claim = 0; claim < CLAIMS_MAX; claim += 1) {
    const claimed = await claimDeliveries(database, CLAIM_ROWS_MAX);
    await queue.send(claimed.map((deliveryId) => ({ version: 1, tenantId, deliveryId })));
    if (claimed.length < CLAIM_ROWS_MAX) return false;
  }
  return true;
}
