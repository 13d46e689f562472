import {
  type EndpointAnswer,
  errorOf,
  EXHAUSTED,
  lawFor,
  NOT_ALLOWED,
} from "../delivery/endpoint-law.ts";
import { retryDelaySeconds } from "./delivery-backoff.ts";

/** The state of a delivery after an attempt. */
export type DeliveryAttemptEnd =
  | { state: "delivered"; responseStatus: number }
  | {
      state: "pending";
      responseStatus: number | null;
      lastError: string;
      delaySeconds: number;
      /** False if nothing was sent, so that the attempt does not bring the delivery closer to its end. */
      isCounted: boolean;
      /** Whether the endpoint is gone, so that its webhook is switched off and the delivery waits. */
      isGone: boolean;
    }
  | { state: "dead"; responseStatus: number | null; lastError: string; reason: DeadReason };

/** Why a delivery is dead. */
export const DEAD_REASONS = [EXHAUSTED, NOT_ALLOWED, "webhook_deleted"] as const;
export type DeadReason = (typeof DEAD_REASONS)[number];

/** Returns the state of a delivery after an attempt, counted from 1. The last attempt that fails makes it dead. */
export function endOfDelivery(answer: EndpointAnswer, attempt: number): DeliveryAttemptEnd {
  switch (answer.outcome) {
    case "not_allowed": {
      const { error: lastError } = answer;
      return { state: "dead", responseStatus: null, lastError, reason: NOT_ALLOWED };
    }
    case "unanswered":
      return retried({ responseStatus: null, lastError: answer.error }, attempt, null);
    case "answered": {
      const { status: responseStatus, retryAfterSeconds } = answer;
      const { webhook } = lawFor(responseStatus);
      if (webhook === "delivered") return { state: "delivered", responseStatus };
      const failed = { responseStatus, lastError: errorOf(responseStatus) };
      return webhook === "switch_off"
        ? { ...failed, state: "pending", delaySeconds: SOON, isCounted: true, isGone: true }
        : retried(failed, attempt, retryAfterSeconds);
    }
  }
}

/** If a webhook was changed while its old endpoint said that it is gone, it stays on, and the new one is tried soon. */
const SOON = 10;

function retried(
  failed: { responseStatus: number | null; lastError: string },
  attempt: number,
  requestedSeconds: number | null,
): DeliveryAttemptEnd {
  const delaySeconds = retryDelaySeconds(attempt, requestedSeconds);
  return delaySeconds === null
    ? { ...failed, state: "dead", reason: EXHAUSTED }
    : { ...failed, state: "pending", delaySeconds, isCounted: true, isGone: false };
}
