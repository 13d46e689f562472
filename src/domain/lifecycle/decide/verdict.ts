import type { DecisionContext, ReviewCommand } from "../commands.ts";
import type { Decision, NewEvent, NewReview } from "../decision.ts";
import type { StepSnapshot, TaskSnapshot } from "../snapshot.ts";
import { eventOn } from "./events.ts";

/** Returns the next review of the task, for its current step. */
export function newReview(
  snapshot: TaskSnapshot,
  verdict: Pick<ReviewCommand, "kind" | "outcome" | "notes">,
  context: Pick<DecisionContext, "newId">,
): NewReview {
  return {
    id: context.newId(),
    versionId: snapshot.step.versionId,
    stepId: snapshot.step.id,
    kind: verdict.kind,
    outcome: verdict.outcome,
    sequence: snapshot.reviewSequence + 1,
    notes: verdict.notes ?? null,
  };
}

/** Returns the event that records a review. It does not change the step. */
export function reviewRecorded(review: NewReview, step: StepSnapshot): NewEvent {
  const { id, outcome, kind, sequence, stepId } = review;
  return eventOn("review_recorded", step, { review: { id, outcome, kind, sequence, stepId } });
}

/** Returns the decision with a review recorded before everything else. */
export function afterReview(
  review: NewReview,
  snapshot: TaskSnapshot,
  decision: Decision,
): Decision {
  return {
    ...decision,
    events: [reviewRecorded(review, snapshot.step), ...decision.events],
    reviews: [review, ...decision.reviews],
  };
}
