import { isGateOpen } from "./gates.ts";
import type { ReviewFact, TaskSnapshot } from "./snapshot.ts";
import type { GateState, StepStatus } from "./statuses.ts";

/** Returns true if a review failed and no later one passed. Order is by sequence, not by position in the list. */
export function isFailureStanding(reviews: readonly ReviewFact[]): boolean {
  let lastFailed = 0;
  let lastPassed = 0;
  for (const { outcome, sequence } of reviews) {
    if (outcome === "failed") lastFailed = Math.max(lastFailed, sequence);
    else lastPassed = Math.max(lastPassed, sequence);
  }
  return lastFailed > lastPassed;
}

/** Returns true if this status would approve a step whose failed review still stands. */
export function isAgainstFailure(
  status: StepStatus,
  { reviews }: Pick<TaskSnapshot, "reviews">,
): boolean {
  return status === "approved" && isFailureStanding(reviews);
}

/** Returns true if a failed review keeps a task on its step. A waived gate needs no verdict, so nothing counts against it. */
export function isFailureInTheWay(gate: GateState, reviews: readonly ReviewFact[]): boolean {
  return gate !== "waived" && isFailureStanding(reviews);
}

/** Returns true if the task may leave its step for the next stage: the gate is open, and no failed review is in the way. */
export function canLeave({ step, reviews }: Pick<TaskSnapshot, "step" | "reviews">): boolean {
  return isGateOpen(step.gate) && !isFailureInTheWay(step.gate, reviews);
}
