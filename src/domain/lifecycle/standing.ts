import type { ReviewFact, TaskSnapshot } from "./snapshot.ts";
import type { StepStatus } from "./statuses.ts";

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

/** Returns true if this status would approve a quality check whose failure still stands. */
export function isAgainstFailure(status: StepStatus, snapshot: TaskSnapshot): boolean {
  return (
    snapshot.step.kind === "pre_qa" && status === "approved" && isFailureStanding(snapshot.reviews)
  );
}
