import type { Outcome } from "../../refusals.ts";
import { succeed, refuse, type Refusal, validationFailed } from "../../refusals.ts";
import type { DecisionContext, TransitionCommand } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { namedByDuplicates, type Original, originalEnded, originalFault } from "../duplicates.ts";
import { missingReason, needsReason } from "../reasons.ts";
import type { StepSnapshot, TaskSnapshot } from "../snapshot.ts";
import { isAgainstFailure } from "../standing.ts";
import type { StepStatus } from "../statuses.ts";
import { ENDING_STATUSES } from "../transitions.ts";
import { cancelOpenRuns, dispatchesOnEntry, NO_CHANGES, withoutOpenRuns } from "./changes.ts";
import { eventBetween } from "./events.ts";
import { pathTo } from "./move-step.ts";
import { recallOnMove } from "./recall.ts";
import { refusalOfTarget } from "./target.ts";
import { afterReview, newReview } from "./verdict.ts";

/**
 * Changes the status of the current step. Ending the task requires a reason. So does approving a step whose failed
 * review still stands, which also records a passed review.
 */
export function decideTransition(
  snapshot: TaskSnapshot,
  command: TransitionCommand,
  context: DecisionContext,
): Outcome<Decision> {
  const { status, reason, duplicateOf } = command;
  const targetRefusal = refusalOfTarget(snapshot, command.target);
  if (targetRefusal) return refuse(targetRefusal);
  const path = pathTo(snapshot.step, status);
  if (!path.ok) return path;
  const misuse =
    duplicateOf === undefined ? null : duplicateOfMisuse(snapshot, status, duplicateOf);
  if (misuse) return refuse(validationFailed(misuse));
  if (needsReason(status, snapshot)) {
    const missing = missingReason(reason, reasonRequired(status));
    if (missing) return refuse(validationFailed(missing));
  }
  const conflict = status === "duplicate" ? duplicateConflict(snapshot, duplicateOf) : null;
  if (conflict) return refuse(conflict);
  const decision = transitionAlong(path.value, snapshot, command, context);
  return succeed(overruling(decision, snapshot, { status, reason }, context));
}

function reasonRequired(status: StepStatus): string {
  return status === "approved"
    ? "Approving a step whose review failed requires a reason."
    : `The status ${status} requires a reason.`;
}

/** Returns the decision with a passed review before it, if it approves a step whose failed review still stands. */
export function overruling(
  decision: Decision,
  snapshot: TaskSnapshot,
  { status, reason }: Pick<TransitionCommand, "status" | "reason">,
  context: Pick<DecisionContext, "newId">,
): Decision {
  if (!isAgainstFailure(status, snapshot)) return decision;
  const review = newReview(snapshot, { kind: "expert", outcome: "passed", notes: reason }, context);
  return afterReview(review, snapshot, decision);
}

/** Returns everything that follows from a lawful change of status, through the steps of `path`. */
function transitionAlong(
  path: readonly StepSnapshot[],
  snapshot: TaskSnapshot,
  command: TransitionCommand,
  context: Pick<DecisionContext, "newId">,
): Decision {
  const [first = snapshot.step, last = first] = path;
  const dispatches = withoutOpenRuns(
    dispatchesOnEntry(last, command.runAttachedWorkflows, context.newId),
    snapshot.step,
    snapshot.openRuns,
  );
  if (first === last) return { ...transitionTo(last, snapshot, command), dispatches };
  const { reason, runAttachedWorkflows } = command;
  const circumstances = { reason, runAttachedWorkflows };
  const passed = eventBetween("step_transitioned", snapshot.step, first, {}, circumstances);
  const moved = transitionTo(last, { ...snapshot, step: first }, command);
  return { ...moved, events: [passed, ...moved.events], dispatches };
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
    events: [
      eventBetween(type, step, moved, payload, {
        ...command,
        duplicateOf: command.duplicateOf?.id,
      }),
    ],
    runs,
    recall: recallOnMove(step, moved.status),
  };
}

function duplicateOfMisuse(
  snapshot: TaskSnapshot,
  status: TransitionCommand["status"],
  duplicateOf: Original,
) {
  const path = ["duplicateOf"];
  if (status !== "duplicate") {
    const message = "duplicateOf requires the status duplicate.";
    return { path, code: "not_applicable", message };
  }
  return duplicateOf.id === snapshot.id
    ? { path, code: "self_duplicate", message: "A task cannot be a duplicate of itself." }
    : null;
}

/**
 * Returns why a task cannot become a duplicate of this original, or of none; null if it can. A duplicate names a task
 * that is worked on, and no duplicate names a duplicate, so chains and rings cannot exist. The writer asks the same
 * under the locks of both tasks: `mayBecomeDuplicate` in db/tasks/duplicates.ts.
 */
export function duplicateConflict(
  { namedBy }: Pick<TaskSnapshot, "namedBy">,
  original: Original | null | undefined,
): Refusal | null {
  const fault = original ? originalFault(original) : null;
  if (original && fault !== null) return originalEnded(original.id, fault);
  return namedBy.length > 0 ? namedByDuplicates(namedBy) : null;
}
