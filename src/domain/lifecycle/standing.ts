import type { ReviewFact, TaskSnapshot } from "./snapshot.ts";
import type { StepStatus } from "./statuses.ts";

/** Whether some review failed and none with a higher sequence passed, in whatever order they are listed. */
export function isFailureStanding(reviews: readonly ReviewFact[]): boolean {
  let lastFailed = 0;
  let lastPassed = 0;
  for (const { outcome, sequence } of reviews) {
    if (outcome === "failed") lastFailed = Math.max(lastFailed, sequence);
    else lastPassed = Math.max(lastPassed, sequence);
  }
  return lastFailed > lastPassed;
}

/** Whether this status on this pre_qa step goes against a verdict that still stands. */
export function isAgainstFailure(status: StepStatus, snapshot: TaskSnapshot): boolean {
  return (
    snapshot.step.kind === "pre_qa" && status === "approved" && isFailureStanding(snapshot.reviews)
  );
}
