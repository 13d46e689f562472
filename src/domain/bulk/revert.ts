import { apply } from "../lifecycle/apply.ts";
import { NO_CHANGES } from "../lifecycle/decide/changes.ts";
import { decideEdit } from "../lifecycle/decide/edit.ts";
import { eventBetween } from "../lifecycle/decide/events.ts";
import type { Decision } from "../lifecycle/decision.ts";
import { EVENT_PAYLOADS } from "../lifecycle/events.ts";
import type { TaskFields, TaskSnapshot } from "../lifecycle/snapshot.ts";
import type { GateState, StepEventType, StepStatus } from "../lifecycle/statuses.ts";
import { factsOf, resolve } from "../status/resolve.ts";
import type { UnifiedStatus } from "../status/unified.ts";
import type { BulkOperationAction } from "./actions.ts";

/** The event by which an operation changed a task, as history has it. */
export interface UndoneEvent {
  seq: number;
  type: StepEventType;
  fromStatus: StepStatus;
  fromGate: GateState;
  payload: unknown;
}

/** What is taken back of one task. */
export interface RevertRequest {
  /** The operation that changed the task. */
  operation: { id: string; action: BulkOperationAction | null };
  /** Null where it wrote none: `run_pipelines` asks for dispatches alone. */
  event: UndoneEvent | null;
  reason: string;
}

export interface RevertDecision {
  from: UnifiedStatus;
  to: UnifiedStatus;
  change: Decision;
}

/** No label depends on the time at which a change is applied in thought. */
const SOME_TIME = "";

/**
 * Puts a task back to where an operation found it; null where it has moved on since. What allows it is that the
 * operation's event is the task's last one, not the matrix.
 */
export function decideRevert(
  snapshot: TaskSnapshot,
  request: RevertRequest,
): RevertDecision | null {
  const change = changeBack(snapshot, request);
  if (change === null) return null;
  const after = apply(snapshot, change, SOME_TIME);
  return { from: resolve(factsOf(snapshot)), to: resolve(factsOf(after)), change };
}

function changeBack(
  snapshot: TaskSnapshot,
  { operation, event, reason }: RevertRequest,
): Decision | null {
  if (operation.action === "run_pipelines") {
    // Whatever became of the task: what counts is whether its dispatch has left.
    return { ...NO_CHANGES, undoes: { operationId: operation.id, seq: null } };
  }
  if (event === null || event.seq !== snapshot.eventSeq) return null;
  if (event.type === "task_updated") {
    const edited = decideEdit(snapshot, { type: "edit", changes: oldValues(event), reason });
    return edited.ok ? edited.value : null;
  }
  const { step } = snapshot;
  const back = { ...step, status: event.fromStatus, gate: event.fromGate };
  return {
    ...NO_CHANGES,
    events: [eventBetween("bulk_reverted", step, back, { undoes: event.seq }, { reason })],
    undoes: { operationId: operation.id, seq: event.seq },
  };
}

/** The fields as they were before an edit, without those that it did not touch. */
function oldValues({ payload }: UndoneEvent): Partial<TaskFields> {
  const { changes } = EVENT_PAYLOADS.task_updated.parse(payload);
  const { assignee, priority } = changes;
  return {
    ...(assignee && { assignee: assignee.from }),
    ...(priority && { priority: priority.from }),
  };
}
