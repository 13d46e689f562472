import type { PING_EVENT, WebhookEvent } from "../../domain/webhooks/events.ts";
import {
  type Outbound,
  type Posted,
  postSigned,
  type SignedMessage,
} from "../../outbound/post-signed.ts";

/** A message to a webhook. */
export interface WebhookPost {
  id: string;
  type: WebhookEvent | typeof PING_EVENT;
  /** When it happened. */
  timestamp: string;
  /** JSON text. */
  data: string;
}

const TIMEOUT_MS = 10_000;

/** Posts a message in the format of Standard Webhooks, with the same body and id on every attempt. */
export function postToWebhook(
  { url, secrets }: Pick<SignedMessage, "url" | "secrets">,
  message: WebhookPost,
  outbound: Outbound,
): Promise<Posted> {
  const { id } = message;
  const body = webhookBody(message);
  return postSigned(
    { url, id, timestamp: new Date(), body, secrets, timeoutMs: TIMEOUT_MS },
    outbound,
  );
}

/** Returns the body of a message. */
function webhookBody({ type, timestamp, data }: Omit<WebhookPost, "id">): string {
  const head = JSON.stringify({ type, timestamp }).slice(0, -1);
  return `${head},"data":${data}}`;
}
