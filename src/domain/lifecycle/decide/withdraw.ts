import type { Outcome, Refusal } from "../../refusals.ts";
import { alreadyInStatus, notRevertible, refuse, succeed } from "../../refusals.ts";
import type { EventOfReview, RecordedReview, WithdrawCommand } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { heldBefore } from "../held-before.ts";
import type { TaskSnapshot } from "../snapshot.ts";
import type { StepEventType } from "../statuses.ts";
import { NO_CHANGES } from "./changes.ts";
import { eventBetween } from "./events.ts";
import { duplicateConflict } from "./transition.ts";

/**
 * Withdraws a review and undoes the move that came with it. Like a revert, this follows no table of transitions: it is
 * lawful if nothing has happened since. Runs that the move cancelled stay cancelled.
 */
export function decideWithdraw(
  snapshot: TaskSnapshot,
  { review, reason }: WithdrawCommand,
): Outcome<Decision> {
  const [recorded] = review.events;
  const last = review.events.at(-1);
  const refusal = refusalOf(snapshot, review);
  if (refusal) return refuse(refusal);
  if (recorded === undefined || last === undefined) throw new Error("A review has an event");

  const { step } = snapshot;
  const { id, outcome, kind, sequence, stepId, namedBefore } = review;
  const { hold, deferredAgain } = heldBefore(last.payload, step);
  const before = { ...stepBefore(recorded, snapshot), hold };
  const isDuplicateAgain = before.status === "duplicate" && step.status !== "duplicate";
  if (isDuplicateAgain && duplicateConflict(snapshot, namedBefore) !== null) {
    return refuse(
      notRevertible("The task was a duplicate before the review, and cannot be that one again."),
    );
  }
  const duplicateOf = isDuplicateAgain ? namedBefore?.id : null;
  const payload = {
    undoes: recorded.seq,
    review: { id, outcome, kind, sequence, stepId },
    ...(deferredAgain && { deferredAgain }),
  };
  return succeed({
    ...NO_CHANGES,
    events: [eventBetween("review_withdrawn", step, before, payload, { reason, duplicateOf })],
    withdrawals: [{ reviewId: id, sequence }],
    undoes: last === recorded ? null : { operationId: recorded.operationId, seq: last.seq },
  });
}

/** What a call can have recorded along with a review: the move that follows from the verdict. */
const UNDONE_TYPES: readonly StepEventType[] = [
  "review_recorded",
  "step_transitioned",
  "bulk_transitioned",
];

function refusalOf(snapshot: TaskSnapshot, review: RecordedReview): Refusal | null {
  const { events, stepId } = review;
  if (review.isWithdrawn) return alreadyInStatus("The review is already withdrawn.");
  if (!review.isOwn) {
    return notRevertible("Only the person who recorded a review can withdraw it.");
  }
  if (review.isReported) {
    return notRevertible("The review belongs to a worker's report, which cannot be taken back.");
  }
  const isLast =
    events.at(-1)?.seq === snapshot.eventSeq &&
    events.every(({ operationId }) => operationId === events[0]?.operationId);
  if (!isLast) return notRevertible("The task has changed since the review was recorded.");
  const isUndoable = events.every(
    (event) => event.stepId === stepId && UNDONE_TYPES.includes(event.type),
  );
  return isUndoable ? null : notRevertible("The call did more than to review and move the step.");
}

function stepBefore({ fromStatus, fromGate }: EventOfReview, { step }: TaskSnapshot) {
  return { ...step, status: fromStatus ?? step.status, gate: fromGate ?? step.gate };
}
