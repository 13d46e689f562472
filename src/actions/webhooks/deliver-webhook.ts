import { uuidv7 } from "uuidv7";
import type { TenantDatabase } from "../../db/connection/client.ts";
import { switchOffWebhook } from "../../db/webhooks/switch-off.ts";
import { beginDelivery, endDelivery } from "../../db/webhooks/webhook-deliveries.ts";
import { type DeliveryAttemptEnd, endOfDelivery } from "../../domain/webhooks/delivery-attempts.ts";
import type { Outbound } from "../../outbound/post-signed.ts";
import { openSecrets, UNOPENED, UNOPENED_DELAY_SECONDS } from "../secrets/open-secrets.ts";
import { deliver, type Delivery } from "../outgoing/deliver.ts";
import { postToWebhook } from "./post-to-webhook.ts";

/**
 * Makes one attempt at delivering a message to its webhook, if it is due and no other worker holds its lease. An endpoint
 * that is gone switches its webhook off.
 */
export function deliverWebhook(
  { database, outbound }: { database: TenantDatabase; outbound: Outbound },
  deliveryId: string,
): Promise<Delivery> {
  const lease = { deliveryId, owner: uuidv7() };
  let calledAt = "";
  return deliver({
    claim: () => beginDelivery(database, lease),
    post: async (attempt) => {
      const { event: type, occurredAt: timestamp, data, target } = attempt;
      calledAt = target.updatedAt;
      const secrets = await openSecrets(
        { database, outbound },
        { kind: "webhook", name: target.name },
        target.secrets,
      );
      if (secrets === null) return UNSIGNED;
      const message = { id: deliveryId, type, timestamp, data };
      const posted = await postToWebhook({ url: target.url, secrets }, message, outbound);
      return endOfDelivery(posted, attempt.attempt);
    },
    record: (end) =>
      end.state === "pending" && end.isGone
        ? switchOffWebhook(database, lease, { ...end, calledAt })
        : endDelivery(database, lease, end),
  });
}

/** Without its secret, the message waits. That is no failure of its endpoint, so it never makes the delivery dead. */
const UNSIGNED: DeliveryAttemptEnd = {
  state: "pending",
  responseStatus: null,
  lastError: UNOPENED,
  delaySeconds: UNOPENED_DELAY_SECONDS,
  isCounted: false,
  isGone: false,
};
