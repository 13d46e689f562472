import { uuidv7 } from "uuidv7";
import type { TenantDatabase } from "../../db/connection/client.ts";
import {
  beginDelivery,
  type WebhookAttempt,
  type WebhookAttemptEnd,
  endDelivery,
} from "../../db/webhooks/webhook-deliveries.ts";
import { retryDelaySeconds } from "../../domain/webhooks/delivery-backoff.ts";
import type { Outbound, Posted } from "../../outbound/post-signed.ts";
import { openSecrets, UNOPENED, UNOPENED_DELAY_SECONDS } from "../secrets/open-secrets.ts";
import { deliver, type Delivery } from "../outgoing/deliver.ts";
import { postToWebhook } from "./post-to-webhook.ts";

/** Makes one attempt at delivering a message to its webhook, if it is due and no other worker holds its lease. */
export function deliverWebhook(
  { database, outbound }: { database: TenantDatabase; outbound: Outbound },
  deliveryId: string,
): Promise<Delivery> {
  const lease = { deliveryId, owner: uuidv7() };
  return deliver({
    claim: () => beginDelivery(database, lease),
    post: async (attempt) => {
      const { event: type, occurredAt: timestamp, data, target } = attempt;
      const secrets = await openSecrets(
        { database, outbound },
        { kind: "webhook", name: target.name },
        target.secrets,
      );
      if (secrets === null) return UNSIGNED;
      const message = { id: deliveryId, type, timestamp, data };
      return endOf(await postToWebhook({ url: target.url, secrets }, message, outbound), attempt);
    },
    record: (end) => endDelivery(database, lease, end),
  });
}

/** Without its secret, the message waits. That is no failure of its endpoint, so it never makes the delivery dead. */
const UNSIGNED: WebhookAttemptEnd = {
  state: "pending",
  responseStatus: null,
  lastError: UNOPENED,
  delaySeconds: UNOPENED_DELAY_SECONDS,
  isCounted: false,
};

function endOf(posted: Posted, { attempt }: WebhookAttempt): WebhookAttemptEnd {
  const { outcome, status: responseStatus } = posted;
  if (outcome === "accepted") return { state: "delivered", responseStatus: posted.status };
  const { error: lastError } = posted;
  if (outcome === "refused") return { state: "dead", responseStatus, lastError };
  const delaySeconds = retryDelaySeconds(attempt, posted.retryAfterSeconds);
  return delaySeconds === null
    ? { state: "dead", responseStatus, lastError }
    : { state: "pending", responseStatus, lastError, delaySeconds, isCounted: true };
}
