/** What happens to a message to a webhook after its endpoint's answer. */
export type WebhookVerdict = "delivered" | "retry" | "switch_off";

/** What happens to a dispatch after its endpoint's answer. `end` makes it dead at once. */
export type DispatchVerdict = "delivered" | "retry" | "end";

type StatusClass = "1xx" | "2xx" | "3xx" | "4xx" | "5xx";

interface Law {
  /** Status codes, and classes of all others that no row lists by themselves. */
  statuses: readonly [number | StatusClass, ...(number | StatusClass)[]];
  webhook: WebhookVerdict;
  dispatch: DispatchVerdict;
  /** For the documentation. */
  why: string;
}

/**
 * What each status code of an endpoint leads to. A webhook receives news, and its receiver may come back at any time,
 * so Standard Webhooks retries whatever is not 2xx. A dispatch is a request that someone waits for: an answer that no
 * retry will change ends it at once, so that they hear of it.
 */
export const ENDPOINT_LAW: readonly Law[] = [
  {
    statuses: ["2xx"],
    webhook: "delivered",
    dispatch: "delivered",
    why: "The endpoint took it.",
  },
  {
    statuses: ["1xx", "5xx"],
    webhook: "retry",
    dispatch: "retry",
    why: "There was no final answer, or the endpoint failed.",
  },
  {
    statuses: [401, 403, 404, 408, 409, 421, 423, 425, 429],
    webhook: "retry",
    dispatch: "retry",
    why: "It often passes: during a deploy, while a secret is exchanged, under load.",
  },
  {
    statuses: [410],
    webhook: "switch_off",
    dispatch: "end",
    why: "The endpoint says that it is gone for good.",
  },
  {
    statuses: ["3xx"],
    webhook: "retry",
    dispatch: "end",
    why: "Redirects are not followed: they could lead to an address that no one allowed.",
  },
  {
    statuses: [400, 405, 413, 415, 422, "4xx"],
    webhook: "retry",
    dispatch: "end",
    why: "The endpoint rejects what it was sent, and a retry sends the same.",
  },
];

/** Returns the law for a status code. One outside 100 to 599 is no valid answer and counts as 5xx (RFC 9110, section 15). */
export function lawFor(status: number): Law {
  const isValid = Number.isInteger(status) && status >= 100 && status <= 599;
  const named = isValid ? LAWS.get(status) : undefined;
  const law = named ?? LAWS.get(isValid ? `${Math.floor(status / 100)}xx` : "5xx");
  if (law === undefined) throw new Error("Every class of status codes has a row");
  return law;
}

const LAWS = new Map<number | string, Law>(
  ENDPOINT_LAW.flatMap((law) => law.statuses.map((status) => [status, law] as const)),
);

/** What came back from an endpoint. `error` never quotes what the endpoint sent. */
export type EndpointAnswer =
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

/** Why a dispatch or a delivery to a webhook is dead, if its address may not be called. */
export const NOT_ALLOWED = "url_not_allowed";

/** Why a dispatch or a delivery to a webhook is dead, if every attempt failed. */
export const EXHAUSTED = "attempts_exhausted";

export const isRedirect = (status: number): boolean => status >= 300 && status < 400;

/** Returns a sentence about an answer that did not take the message. */
export function errorOf(status: number): string {
  return isRedirect(status)
    ? "The endpoint returned a redirect."
    : `The endpoint returned ${status}.`;
}
