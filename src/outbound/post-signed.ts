import { isAddress, isLoopback, isPublicAddress } from "./address-ranges.ts";
import { type EndpointRules, judgeEndpoint } from "./endpoint-rules.ts";
import type { Sealer, UnopenedSecret } from "./sealer.ts";
import type { ResolveHost } from "./resolve-host.ts";
import { retryAfterSeconds } from "./retry-after.ts";
import { type Signed, signedHeaders } from "./signed-headers.ts";

/** How the service calls tenants' endpoints, and which it may call. */
export interface Outbound extends EndpointRules {
  fetch: typeof fetch;
  resolveHost: ResolveHost;
  sealer: Sealer;
  /** Logs a secret that did not open. */
  reportUnopened: (secret: UnopenedSecret) => void;
}

/** A message to a tenant's endpoint, in the format of Standard Webhooks. Every attempt has the same id, by which the receiver detects duplicates. */
export interface SignedMessage extends Signed {
  url: string;
  timeoutMs: number;
}

/** The result of an attempt. `error` never quotes what the endpoint sent. */
export type Posted =
  | {
      outcome: "answered";
      status: number;
      /** From the `Retry-After` header. */
      retryAfterSeconds: number | null;
    }
  /** The connection failed or took too long. */
  | { outcome: "unanswered"; error: string }
  /** The address may not be called, so nothing was sent. */
  | { outcome: "not_allowed"; error: string };

/**
 * Posts a message and returns the result, whatever the endpoint does. It resolves the host name on every call and only
 * posts to public addresses. It follows no redirects, and only the status of the response counts.
 */
export async function postSigned(message: SignedMessage, outbound: Outbound): Promise<Posted> {
  if (message.secrets.length === 0) throw new Error("A message without a secret is never sent");
  const judged = judgeEndpoint(message.url, outbound);
  if (!judged.ok) return notAllowed(judged.detail);
  // One timeout covers the name lookup, the response and its body.
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
  const fault = await addressFault(url, outbound, signal);
  if (fault !== null) return fault;
  const response = await send(url, message, outbound, signal);
  if (response === null) {
    return signal.aborted ? timedOut(message) : unanswered("The connection failed.");
  }
  await drain(response, signal);
  return {
    outcome: "answered",
    status: response.status,
    retryAfterSeconds: retryAfterSeconds(response.headers.get("retry-after"), message.timestamp),
  };
}

const notAllowed = (error: string): Posted => ({ outcome: "not_allowed", error });

const unanswered = (error: string): Posted => ({ outcome: "unanswered", error });

function timedOut({ timeoutMs }: SignedMessage): Posted {
  return unanswered(`The endpoint did not respond within ${timeoutMs / 1000} s.`);
}

/** Refuses a host name unless all of its addresses are public, because a public name may resolve to a private one. */
async function addressFault(
  { hostname }: URL,
  { resolveHost }: Outbound,
  signal: AbortSignal,
): Promise<Posted | null> {
  if (isAddress(hostname) || isLoopback(hostname)) return null;
  const addresses = await unlessAborted(resolveHost(hostname, signal), signal);
  if (addresses === null) return unanswered("The host name could not be resolved.");
  if (addresses.length === 0) return unanswered("The host name resolves to no address.");
  return addresses.every(isPublicAddress)
    ? null
    : notAllowed("The host name resolves to an address that is not public.");
}

/** Returns null if the connection failed or timed out. */
function send(
  url: URL,
  message: SignedMessage,
  outbound: Outbound,
  signal: AbortSignal,
): Promise<Response | null> {
  const request = outbound.fetch(url.href, {
    method: "POST",
    redirect: "manual",
    headers: signedHeaders(message),
    body: message.body,
    signal,
  });
  return unlessAborted(request, signal);
}

const REPLY_BYTES_MAX = 64 * 1024;

/**
 * Reads and discards the response body, so that the endpoint does not see its response aborted. A body that is too long,
 * too slow or broken does not change the result.
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

/** Resolves to null if the promise rejects or the signal aborts, even if the promise ignores the signal. */
async function unlessAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal,
): Promise<Value | null> {
  const { promise: aborted, resolve } = Promise.withResolvers<null>();
  const onAbort = () => resolve(null);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort);
  try {
    return await Promise.race([promise.catch(() => null), aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
