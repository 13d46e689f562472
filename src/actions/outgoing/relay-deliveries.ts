import type { TenantDatabase } from "../../db/connection/client.ts";
import { claimDeliveries } from "../../db/webhooks/webhook-deliveries.ts";
import type { MessageQueue } from "../../queues/message-queue.ts";
import type { WebhookMessage } from "../../queues/messages.ts";
import { inBatches } from "../call/in-batches.ts";

/** A claim of 1,000 rows goes to the queue in ten batches. */
const LIMITS = { rows: 1000, batches: 20 };

/**
 * Puts a tenant's due webhook messages on the queue, and returns whether more may be due. A message that is queued
 * twice is posted once, and one that gets lost on the way is claimed again.
 */
export async function relayDeliveries(
  database: TenantDatabase,
  queue: MessageQueue<WebhookMessage>,
): Promise<boolean> {
  const { tenantId } = database;
  const { isMore } = await inBatches(LIMITS, async () => {
    const claimed = await claimDeliveries(database, LIMITS.rows);
    await queue.send(claimed.map((deliveryId) => ({ version: 1, tenantId, deliveryId })));
    return claimed.length;
  });
  return isMore;
}
