import type { ReviewOutcome, StepStatus } from "./statuses.ts";

/** The statuses to which a review can move its step, by outcome. A review can also carry no move. */
export const REVIEW_MOVES: Record<ReviewOutcome, readonly StepStatus[]> = {
  passed: ["approved"],
  failed: ["changes_requested", "rejected", "duplicate"],
};
