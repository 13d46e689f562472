import { Webhook } from "standardwebhooks";
import { isAddress, isLoopback, isPublicAddress } from "./address-ranges.ts";
import { type EndpointRules, judgeEndpoint } from "./endpoint-rules.ts";
import type { ResolveHost } from "./resolve-host.ts";
import { retryAfterSeconds } from "./retry-after.ts";

/** What leaves the service: the way out, and where it may lead. */
export interface Outbound extends EndpointRules {
  fetch: typeof fetch;
  resolveHost: ResolveHost;
}

/** One message to a tenant's own system, as Standard Webhooks has it. */
export interface SignedMessage {
  url: string;
  /** The same at every try, so that its receiver can tell one that came before. */
  id: string;
  /** The time of this try. */
  timestamp: Date;
  body: string;
  /** Each signs: the one of now, and the one before it while it is kept. */
  secrets: readonly Uint8Array[];
  timeoutMs: number;
}

/** What became of it. No text here holds anything that the other side sent. */
export type Posted =
  | { outcome: "accepted"; status: number }
  | {
      outcome: "retryable";
      status: number | null;
      error: string;
      /** What the other side asked for. */
      retryAfterSeconds: number | null;
    }
  | { outcome: "refused"; status: number | null; reason: string; error: string };

/**
 * Posts a message and tells what became of it, whatever the other side does. It goes to public addresses alone, which
 * is asked of the name anew each time; follows no redirect; and goes by the status of the answer alone.
 */
export async function postSigned(message: SignedMessage, outbound: Outbound): Promise<Posted> {
  const judged = judgeEndpoint(message.url, outbound);
  if (!judged.ok) return urlNotAllowed(judged.detail);
  // The name, the answer and its body: all within one time.
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), message.timeoutMs);
  try {
    return await postTo(judged.url, message, outbound, abort.signal);
  } finally {
    clearTimeout(timer);
  }
}

async function postTo(
  url: URL,
  message: SignedMessage,
  outbound: Outbound,
  signal: AbortSignal,
): Promise<Posted> {
  const hidden = await hiddenBehind(url, outbound, signal);
  if (hidden !== null) return hidden;
  const response = await send(url, message, outbound, signal);
  if (response === null) {
    return signal.aborted ? tooLate(message) : retryable("The connection failed.");
  }
  await drain(response, signal);
  return judgeAnswer(response, message);
}

function judgeAnswer({ status, headers }: Response, { timestamp }: SignedMessage): Posted {
  if (status >= 200 && status < 300) return { outcome: "accepted", status };
  if (status >= 300 && status < 400) return urlNotAllowed("It answered with a redirect.", status);
  if (status === 429 || status >= 500) {
    return {
      outcome: "retryable",
      status,
      error: `It answered ${status}.`,
      retryAfterSeconds: retryAfterSeconds(headers.get("retry-after"), timestamp),
    };
  }
  const reason = `endpoint_answered_${status}`;
  return { outcome: "refused", status, reason, error: `It answered ${status}.` };
}

function urlNotAllowed(error: string, status: number | null = null): Posted {
  return { outcome: "refused", status, reason: "url_not_allowed", error };
}

function retryable(error: string): Posted {
  return { outcome: "retryable", status: null, error, retryAfterSeconds: null };
}

function tooLate({ timeoutMs }: SignedMessage): Posted {
  return retryable(`It did not answer within ${timeoutMs / 1000} s.`);
}

/** A public name may lead to an address that is not: every one behind it must be public. */
async function hiddenBehind(
  { hostname }: URL,
  { resolveHost }: Outbound,
  signal: AbortSignal,
): Promise<Posted | null> {
  if (isAddress(hostname) || isLoopback(hostname)) return null;
  const addresses = await unlessAborted(resolveHost(hostname, signal), signal);
  if (addresses === null) return retryable("Its name could not be looked up.");
  if (addresses.length === 0) return retryable("Its name leads to no address.");
  return addresses.every(isPublicAddress)
    ? null
    : urlNotAllowed("Its name leads to an address that is not public.");
}

/** Null where no answer came: refused, broken off, or too late. */
function send(
  url: URL,
  { id, timestamp, body, secrets }: SignedMessage,
  outbound: Outbound,
  signal: AbortSignal,
): Promise<Response | null> {
  const signatures = secrets.map((secret) =>
    new Webhook(secret, { format: "raw" }).sign(id, timestamp, body),
  );
  const request = outbound.fetch(url.href, {
    method: "POST",
    redirect: "manual",
    headers: {
      "content-type": "application/json",
      "user-agent": "stepledger",
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(timestamp.getTime() / 1000)),
      "webhook-signature": signatures.join(" "),
    },
    body,
    signal,
  });
  return unlessAborted(request, signal);
}

const REPLY_BYTES_MAX = 64 * 1024;

/**
 * Reads the answer's body and throws it away, so that the other side does not see its answer broken off; one that is
 * too long, too slow or broken changes nothing about what was answered.
 */
async function drain(
  { body }: { body: ReadableStream<Uint8Array> | null },
  signal: AbortSignal,
): Promise<void> {
  if (body === null) return;
  const reader = body.getReader();
  let bytes = 0;
  while (bytes < REPLY_BYTES_MAX) {
    const chunk = await unlessAborted(reader.read(), signal);
    if (chunk === null || chunk.done) break;
    bytes += chunk.value.length;
  }
  await reader.cancel().catch(() => {});
}

/** What is waited for; null where it fails or its time is over, whether or not it minds the signal itself. */
async function unlessAborted<Value>(
  waiting: Promise<Value>,
  signal: AbortSignal,
): Promise<Value | null> {
  const { promise: aborted, resolve } = Promise.withResolvers<null>();
  const onAbort = () => resolve(null);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort);
  try {
    return await Promise.race([waiting.catch(() => null), aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
