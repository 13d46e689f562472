import {
  type EndpointAnswer,
  errorOf,
  EXHAUSTED,
  isRedirect,
  lawFor,
  NOT_ALLOWED,
} from "../delivery/endpoint-law.ts";

/** The number of delivery attempts before a dispatch is dead. */
export const DISPATCH_ATTEMPTS_MAX = 8;

const BACKOFF_SECONDS_FIRST = 30;
const BACKOFF_SECONDS_MAX = 60 * 60;

/** The state of a dispatch after an attempt. */
export type DispatchAttemptEnd =
  | { state: "delivered" }
  /** Another attempt follows. `isCounted` is false if nothing was sent. */
  | { state: "sent"; error: string; delaySeconds: number; isCounted: boolean }
  | { state: "dead"; error: string; reason: string };

/** Returns the state of a dispatch after an attempt, counted from 1. The last attempt that fails makes it dead. */
export function endOfAttempt(answer: EndpointAnswer, attempt: number): DispatchAttemptEnd {
  switch (answer.outcome) {
    case "not_allowed":
      return { state: "dead", error: answer.error, reason: NOT_ALLOWED };
    case "unanswered":
      return retried({ error: answer.error, retryAfterSeconds: null }, attempt);
    case "answered": {
      const { status, retryAfterSeconds } = answer;
      const { dispatch } = lawFor(status);
      if (dispatch === "delivered") return { state: "delivered" };
      const error = errorOf(status);
      return dispatch === "end"
        ? { state: "dead", error, reason: endReason(status) }
        : retried({ error, retryAfterSeconds }, attempt);
    }
  }
}

/** The reason of a dispatch that its endpoint's answer ended. */
export const endReason = (status: number): string =>
  isRedirect(status) ? NOT_ALLOWED : `endpoint_answered_${status}`;

function retried(
  { error, retryAfterSeconds }: { error: string; retryAfterSeconds: number | null },
  attempt: number,
): DispatchAttemptEnd {
  if (attempt >= DISPATCH_ATTEMPTS_MAX) return { state: "dead", error, reason: EXHAUSTED };
  // The endpoint can ask for more time than the backoff, but not for less.
  const delaySeconds = Math.max(backoffSeconds(attempt), retryAfterSeconds ?? 0);
  return { state: "sent", error, delaySeconds, isCounted: true };
}

/** Returns 30 seconds, 1 minute, 2 minutes, and so on: about an hour in total. */
function backoffSeconds(attempt: number): number {
  return Math.min(BACKOFF_SECONDS_FIRST * 2 ** (attempt - 1), BACKOFF_SECONDS_MAX);
}
