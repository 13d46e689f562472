import { uuidv7 } from "uuidv7";
import type { TenantDatabase } from "../../db/connection/client.ts";
import { findWebhookTarget } from "../../db/webhooks/webhooks.ts";
import { errorOf, lawFor } from "../../domain/delivery/endpoint-law.ts";
import { succeed, notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import { PING_EVENT } from "../../domain/webhooks/events.ts";
import type { Outbound, Posted } from "../../outbound/post-signed.ts";
import { SecretUnavailable } from "../../outbound/sealer.ts";
import { openSecrets, UNOPENED } from "../secrets/open-secrets.ts";
import { postToWebhook } from "./post-to-webhook.ts";

/** How a webhook's endpoint answered a ping. */
export interface Ping {
  delivered: boolean;
  /** Null if no response came. */
  responseStatus: number | null;
  error: string | null;
}

/**
 * Sends a test message once, even if the webhook is disabled. It is not stored and not retried.
 * @throws SecretUnavailable if the message cannot be signed.
 */
export async function pingWebhook(
  { database, outbound, now }: { database: TenantDatabase; outbound: Outbound; now: Date },
  name: string,
): Promise<Outcome<Ping>> {
  const target = await findWebhookTarget(database, name);
  if (target === null) return refuse(notFound());
  const owner = { kind: "webhook", name } as const;
  const secrets = await openSecrets({ database, outbound }, owner, target.secrets);
  if (secrets === null) throw new SecretUnavailable(UNOPENED);
  const data = JSON.stringify({ webhook: name });
  const message = { id: uuidv7(), type: PING_EVENT, timestamp: now.toISOString(), data } as const;
  const posted = await postToWebhook({ url: target.url, secrets }, message, outbound);
  return succeed(resultOf(posted));
}

/** A ping says how the endpoint answers, and changes nothing. */
function resultOf(posted: Posted): Ping {
  if (posted.outcome !== "answered") {
    return { delivered: false, responseStatus: null, error: posted.error };
  }
  const { status: responseStatus } = posted;
  return lawFor(responseStatus).webhook === "delivered"
    ? { delivered: true, responseStatus, error: null }
    : { delivered: false, responseStatus, error: errorOf(responseStatus) };
}
