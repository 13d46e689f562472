import type { Outcome } from "../../refusals.ts";
import { succeed, refuse, validationFailed } from "../../refusals.ts";
import type { DecisionContext, TransitionCommand } from "../commands.ts";
import type { Decision } from "../decision.ts";
import type { StepSnapshot, TaskSnapshot } from "../snapshot.ts";
import { isAgainstFailure } from "../standing.ts";
import { ENDING_STATUSES } from "../transitions.ts";
import { cancelOpenRuns, dispatchesOnEntry, NO_CHANGES } from "./changes.ts";
import { eventBetween } from "./events.ts";
import { moveStep } from "./move-step.ts";
import { recallOnMove } from "./recall.ts";
import { refusalOfTarget } from "./target.ts";
import { afterReview, newReview } from "./verdict.ts";

/**
 * Changes the status of the current step. Approving a quality check whose failure still stands requires a reason, and
 * also records a passed review.
 */
export function decideTransition(
  snapshot: TaskSnapshot,
  command: TransitionCommand,
  context: DecisionContext,
): Outcome<Decision> {
  const { status, reason, duplicateOf } = command;
  const targetRefusal = refusalOfTarget(snapshot, command.target);
  if (targetRefusal) return refuse(targetRefusal);
  const moved = moveStep(snapshot.step, status);
  if (!moved.ok) return moved;
  const misuse =
    duplicateOf === undefined ? null : duplicateOfMisuse(snapshot, status, duplicateOf);
  if (misuse) return refuse(validationFailed(misuse));
  const decision: Decision = {
    ...transitionTo(moved.value, snapshot, command),
    dispatches: dispatchesOnEntry(moved.value, command.runAttachedWorkflows, context.newId),
  };
  if (!isAgainstFailure(status, snapshot)) return succeed(decision);

  if (reason === undefined) {
    const message = "Approving a step whose review failed requires a reason.";
    return refuse(validationFailed({ path: ["reason"], code: "required", message }));
  }
  const review = newReview(snapshot, { kind: "expert", outcome: "passed", notes: reason }, context);
  return succeed(afterReview(review, snapshot, decision));
}

/** Returns everything that follows from a lawful change of status, except dispatches. */
export function transitionTo(
  moved: StepSnapshot,
  snapshot: TaskSnapshot,
  command: Omit<TransitionCommand, "type" | "target" | "status">,
  type: "step_transitioned" | "bulk_transitioned" = "step_transitioned",
): Decision {
  const { step, openRuns } = snapshot;
  const isEnding = ENDING_STATUSES.some((ending) => ending === moved.status);
  const runs = isEnding ? cancelOpenRuns(openRuns) : [];
  const payload = {
    ...(isEnding && { cancelledRuns: runs.map(({ id }) => id) }),
    ...(command.payload !== undefined && { data: command.payload }),
  };
  return {
    ...NO_CHANGES,
    events: [eventBetween(type, step, moved, payload, command)],
    runs,
    recall: recallOnMove(step, moved.status),
  };
}

function duplicateOfMisuse(
  snapshot: TaskSnapshot,
  status: TransitionCommand["status"],
  duplicateOf: string,
) {
  const path = ["duplicateOf"];
  if (status !== "duplicate") {
    const message = "duplicateOf requires the status duplicate.";
    return { path, code: "not_applicable", message };
  }
  return duplicateOf === snapshot.id
    ? { path, code: "self_duplicate", message: "A task cannot be a duplicate of itself." }
    : null;
}
