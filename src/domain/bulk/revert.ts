import { NO_CHANGES } from "../lifecycle/decide/changes.ts";
import type { Outcome } from "../refusals.ts";
import { decideArchive, decideRestore } from "../lifecycle/decide/archive.ts";
import { decideEdit } from "../lifecycle/decide/edit.ts";
import { duplicateConflict } from "../lifecycle/decide/transition.ts";
import { eventBetween } from "../lifecycle/decide/events.ts";
import type { Decision } from "../lifecycle/decision.ts";
import type { Original } from "../lifecycle/duplicates.ts";
import { EVENT_PAYLOADS, type PayloadOf } from "../lifecycle/events.ts";
import { heldBefore } from "../lifecycle/held-before.ts";
import type { TaskFields, TaskSnapshot } from "../lifecycle/snapshot.ts";
import type { GateState, StepEventType, StepStatus } from "../lifecycle/statuses.ts";
import { factsOf, resolve } from "../status/resolve.ts";
import type { UnifiedStatus } from "../status/unified.ts";
import type { BulkOperationAction } from "./actions.ts";
import { dryRun } from "./dry-run.ts";

/** The recorded event by which an operation changed a task. */
export interface UndoneEvent {
  seq: number;
  type: StepEventType;
  fromStatus: StepStatus;
  fromGate: GateState;
  /** Null unless the event edited the task, or changed a hold or deferred reports. */
  payload: unknown;
  /** The task that this one named as its original before the event. */
  namedBefore: Original | null;
  /** The review that the operation recorded right before the event, to overrule a failed one. */
  review: PayloadOf<"review_recorded">["review"] | null;
}

/** The change of one task to revert. */
export interface RevertRequest {
  /** The operation that changed the task. */
  operation: { id: string; action: BulkOperationAction | null };
  /** Null if the operation wrote none: `run_pipelines` only creates dispatches. */
  event: UndoneEvent | null;
  reason: string;
}

export interface RevertDecision {
  from: UnifiedStatus;
  to: UnifiedStatus;
  change: Decision;
}

/**
 * Returns a decision that restores the state of a task before an operation, or null if the task has changed since. A
 * revert does not follow the tables of transitions: it is lawful if the operation's event is the task's last one. Only
 * the rule of duplicates holds for it as well, because it is about two tasks, and the other one may have changed.
 */
export function decideRevert(
  snapshot: TaskSnapshot,
  request: RevertRequest,
): RevertDecision | null {
  const change = changeBack(snapshot, request);
  if (change === null) return null;
  const after = dryRun(snapshot, change);
  return { from: resolve(factsOf(snapshot)), to: resolve(factsOf(after)), change };
}

function changeBack(
  snapshot: TaskSnapshot,
  { operation, event, reason }: RevertRequest,
): Decision | null {
  if (operation.action === "run_pipelines") {
    // The state of the task does not matter. The writer recalls the dispatch if it was not delivered.
    return { ...NO_CHANGES, undoes: { operationId: operation.id, seq: null } };
  }
  if (event === null || event.seq !== snapshot.eventSeq) return null;
  if (event.type === "task_updated") {
    return accepted(decideEdit(snapshot, { type: "edit", changes: oldValues(event), reason }));
  }
  if (event.type === "task_archived")
    return accepted(decideRestore(snapshot, { type: "restore", reason }));
  if (event.type === "task_restored")
    return accepted(decideArchive(snapshot, { type: "archive", reason }));
  const { step } = snapshot;
  const { namedBefore, review } = event;
  const isDuplicateAgain = event.fromStatus === "duplicate" && step.status !== "duplicate";
  if (isDuplicateAgain && duplicateConflict(snapshot, namedBefore) !== null) return null;
  const { hold, deferredAgain } = heldBefore(event.payload, step);
  const back = { ...step, status: event.fromStatus, gate: event.fromGate, hold };
  return {
    ...NO_CHANGES,
    events: [
      eventBetween(
        "bulk_reverted",
        step,
        back,
        {
          undoes: event.seq,
          ...(deferredAgain && { deferredAgain }),
          ...(review && { withdrawn: review }),
        },
        { reason, duplicateOf: isDuplicateAgain ? namedBefore?.id : null },
      ),
    ],
    withdrawals: review ? [{ reviewId: review.id, sequence: review.sequence }] : [],
    undoes: { operationId: operation.id, seq: event.seq },
  };
}

function accepted(outcome: Outcome<Decision>): Decision | null {
  return outcome.ok ? outcome.value : null;
}

/** Returns the previous values of the edited fields. */
function oldValues({ payload }: UndoneEvent): Partial<TaskFields> {
  const { changes } = EVENT_PAYLOADS.task_updated.parse(payload);
  const { assignee, priority } = changes;
  return {
    ...(assignee && { assignee: assignee.from }),
    ...(priority && { priority: priority.from }),
  };
}
