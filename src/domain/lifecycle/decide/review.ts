import type { Outcome, Refusal } from "../../refusals.ts";
import {
  claimTaken,
  inWords,
  refuse,
  reviewedStepNotCurrent,
  succeed,
  validationFailed,
} from "../../refusals.ts";
import type { DecisionContext, ReviewCommand } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { REVIEWED_KIND } from "../statuses.ts";
import { REVIEW_MOVES } from "../review-moves.ts";
import type { TaskSnapshot } from "../snapshot.ts";
import { NO_CHANGES } from "./changes.ts";
import { decideTransition } from "./transition.ts";
import { afterReview, newReview } from "./verdict.ts";

/**
 * Returns why a review of the step that it names cannot be recorded. It does not matter whether a rework or a new version
 * left the step: what was read is not what is current.
 */
export function refusalOfReviewedStep(
  { step }: TaskSnapshot,
  { stepId, notes }: ReviewCommand,
): Refusal | null {
  const isCurrent = stepId === undefined || stepId === step.id;
  return isCurrent ? null : reviewedStepNotCurrent(step.id, notes ?? null);
}

/** Records a verdict on the current step. A transition in the same command is recorded with it, or neither is. */
export function decideReview(
  snapshot: TaskSnapshot,
  command: ReviewCommand,
  context: DecisionContext,
): Outcome<Decision> {
  const { kind, move, outcome, takenUntil } = command;
  const isOfSlot = kind === "expert" && snapshot.step.kind === REVIEWED_KIND;
  if (isOfSlot && takenUntil !== undefined) return refuse(claimTaken(takenUntil));
  const review = newReview(snapshot, command, context);
  if (move === undefined) return succeed(afterReview(review, snapshot, NO_CHANGES));

  const allowed = REVIEW_MOVES[outcome];
  if (!allowed.includes(move.status)) {
    const message = `A ${outcome} review cannot move its step to ${move.status}, only to ${inWords(allowed)}.`;
    return refuse(
      validationFailed({ path: ["move", "status"], code: "contradicts_outcome", message }),
    );
  }
  const judged: TaskSnapshot = {
    ...snapshot,
    reviewSequence: review.sequence,
    reviews: [...snapshot.reviews, { sequence: review.sequence, outcome }],
  };
  const moved = decideTransition(judged, { type: "transition", ...move }, context);
  if (!moved.ok) return refuse(withinMove(moved.refusal));
  return succeed(afterReview(review, snapshot, moved.value));
}

/** Returns the refusal with the paths of its issues inside the member `move`. */
function withinMove(refusal: Refusal): Refusal {
  if (refusal.code !== "validation_failed") return refusal;
  const issues = refusal.issues.map((issue) => ({ ...issue, path: ["move", ...issue.path] }));
  return { ...refusal, issues };
}
