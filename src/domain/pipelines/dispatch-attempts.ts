/** The number of delivery attempts before a dispatch is dead. */
export const DISPATCH_ATTEMPTS_MAX = 8;

const BACKOFF_SECONDS_FIRST = 30;
const BACKOFF_SECONDS_MAX = 60 * 60;

/** The answer of an endpoint to a message. */
export type EndpointAnswer =
  | { outcome: "accepted" }
  | { outcome: "retryable"; error: string; retryAfterSeconds: number | null }
  | { outcome: "refused"; error: string; reason: string };

/** The state of a dispatch after an attempt. */
export type DispatchAttemptEnd =
  | { state: "delivered" }
  /** Another attempt follows. `isCounted` is false if nothing was sent. */
  | { state: "sent"; error: string; delaySeconds: number; isCounted: boolean }
  | { state: "dead"; error: string; reason: string };

/** Returns the state of a dispatch after an attempt, counted from 1. The last attempt that fails makes it dead. */
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
      // The endpoint can ask for more time than the backoff, but not for less.
      const delaySeconds = Math.max(backoffSeconds(attempt), retryAfterSeconds ?? 0);
      return { state: "sent", error, delaySeconds, isCounted: true };
    }
  }
}

/** Returns 30 seconds, 1 minute, 2 minutes, and so on: about an hour in total. */
function backoffSeconds(attempt: number): number {
  return Math.min(BACKOFF_SECONDS_FIRST * 2 ** (attempt - 1), BACKOFF_SECONDS_MAX);
}
