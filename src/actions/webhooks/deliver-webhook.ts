import { uuidv7 } from "uuidv7";
import type { TenantDatabase } from "../../db/connection/client.ts";
import {
  beginDelivery,
  type WebhookAttempt,
  type WebhookAttemptEnd,
  endDelivery,
} from "../../db/webhooks/webhook-deliveries.ts";
import { retryDelaySeconds } from "../../domain/webhooks/retries.ts";
import type { Outbound, Posted } from "../../outbound/post-signed.ts";
import type { Delivery } from "../dispatches/deliver-dispatch.ts";
import { postToWebhook } from "./post-to-webhook.ts";

/**
 * Sends one message to its webhook, where its time has come and nobody else does: a lease before, the outcome after.
 * A caller that breaks off between the two leaves a message that is sent again, under the same id.
 */
export async function deliverWebhook(
  { database, outbound }: { database: TenantDatabase; outbound: Outbound },
  deliveryId: string,
): Promise<Delivery> {
  const lease = { deliveryId, owner: uuidv7() };
  const found = await beginDelivery(database, lease);
  if (found.outcome === "settled") return "done";
  if (found.outcome === "later") return { retryAfterSeconds: found.seconds };
  const { delivery } = found;
  const { event: type, occurredAt: timestamp, data, target } = delivery;
  const message = { id: deliveryId, type, timestamp, data };
  const posted = await postToWebhook(target, message, outbound);
  const end = endOf(posted, delivery);
  await endDelivery(database, lease, end);
  return end.state === "pending" ? { retryAfterSeconds: end.delaySeconds } : "done";
}

function endOf(posted: Posted, { attempt }: WebhookAttempt): WebhookAttemptEnd {
  const { outcome, status: responseStatus } = posted;
  if (outcome === "accepted") return { state: "delivered", responseStatus: posted.status };
  const { error: lastError } = posted;
  if (outcome === "refused") return { state: "dead", responseStatus, lastError };
  const delaySeconds = retryDelaySeconds(attempt, posted.retryAfterSeconds);
  return delaySeconds === null
    ? { state: "dead", responseStatus, lastError }
    : { state: "pending", responseStatus, lastError, delaySeconds };
}
