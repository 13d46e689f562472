import {
  type Outbound,
  type Posted,
  postSigned,
  type SignedMessage,
} from "../../outbound/post-signed.ts";

/** A message to a webhook. */
export interface WebhookPost {
  id: string;
  type: string;
  /** When it happened. */
  timestamp: string;
  /** JSON text. */
  data: string;
}

const TIMEOUT_MS = 10_000;

/** Posts a message in the format of Standard Webhooks, with the same body and id on every attempt. */
export function postToWebhook(
  { url, secrets }: Pick<SignedMessage, "url" | "secrets">,
  { id, type, timestamp, data }: WebhookPost,
  outbound: Outbound,
): Promise<Posted> {
  const head = JSON.stringify({ type, timestamp }).slice(0, -1);
  const body = `${head},"data":${data}}`;
  return postSigned(
    { url, id, timestamp: new Date(), body, secrets, timeoutMs: TIMEOUT_MS },
    outbound,
  );
}
