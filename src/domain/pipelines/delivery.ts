/** How often an endpoint is tried before the dispatch is dead. */
export const DISPATCH_ATTEMPTS_MAX = 8;

const BACKOFF_SECONDS_FIRST = 30;
const BACKOFF_SECONDS_MAX = 60 * 60;

/** What an endpoint made of a message. */
export type EndpointAnswer =
  | { outcome: "accepted" }
  | { outcome: "retryable"; error: string; retryAfterSeconds: number | null }
  | { outcome: "refused"; error: string; reason: string };

/** What becomes of a dispatch after an attempt. */
export type DispatchAttemptEnd =
  | { state: "delivered" }
  /** It stays on its way, and is tried again. */
  | { state: "sent"; error: string; delaySeconds: number }
  | { state: "dead"; error: string; reason: string };

/** Judges an attempt: the last of so many is one that nothing follows. */
export function endOfAttempt(answer: EndpointAnswer, attempt: number): DispatchAttemptEnd {
  switch (answer.outcome) {
    case "accepted":
      return { state: "delivered" };
    case "refused":
      return { state: "dead", error: answer.error, reason: answer.reason };
    case "retryable": {
      const { error, retryAfterSeconds } = answer;
      if (attempt >= DISPATCH_ATTEMPTS_MAX) {
        return { state: "dead", error, reason: "attempts_exhausted" };
      }
      // Never sooner than it was asked for, and never sooner than patience has it.
      const delaySeconds = Math.max(backoffSeconds(attempt), retryAfterSeconds ?? 0);
      return { state: "sent", error, delaySeconds };
    }
  }
}

/** 30 seconds, 1, 2, 4 minutes and so on: about an hour for all attempts. */
function backoffSeconds(attempt: number): number {
  return Math.min(BACKOFF_SECONDS_FIRST * 2 ** (attempt - 1), BACKOFF_SECONDS_MAX);
}
