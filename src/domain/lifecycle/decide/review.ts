import type { Outcome } from "../../refusals.ts";
import { inWords, succeed, refuse, validationFailed } from "../../refusals.ts";
import type { DecisionContext, ReviewCommand } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { REVIEW_MOVES } from "../review-moves.ts";
import type { TaskSnapshot } from "../snapshot.ts";
import { NO_CHANGES } from "./changes.ts";
import { decideTransition } from "./transition.ts";
import { afterReview, newReview } from "./verdict.ts";

/** Records a verdict on the current step. A transition in the same command is recorded with it, or neither is. */
export function decideReview(
  snapshot: TaskSnapshot,
  command: ReviewCommand,
  context: DecisionContext,
): Outcome<Decision> {
  const { move, outcome } = command;
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
  return moved.ok ? succeed(afterReview(review, snapshot, moved.value)) : moved;
}
