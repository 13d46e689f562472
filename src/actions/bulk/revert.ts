import type { BulkOperationRecord } from "../../db/bulk/bulk-operations.ts";
import { loadBulkWork } from "../../db/bulk/bulk-work.ts";
import { isRevertibleAction } from "../../domain/bulk/actions.ts";
import { isOperationEnded } from "../../domain/bulk/outcomes.ts";
import { notFound, notRevertible, type Outcome, refuse } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import type { BulkAccepted, BulkExecution } from "../views/bulk-views.ts";
import { replayBulk } from "./answer.ts";
import { ALREADY_REVERTED, takeBack } from "./take-back.ts";
import { EXECUTED_TASKS_MAX } from "../../domain/bulk/limits.ts";

/**
 * Reverts an operation: puts each task back unless it has changed since, and recalls dispatches that have not been
 * delivered. Takes two round trips for up to 1,000 tasks. A consumer works through more.
 */
export async function revertBulk(
  call: ActionCall,
  { operationId, reason }: { operationId: string; reason: string },
): Promise<Outcome<Done<BulkExecution | BulkAccepted>>> {
  const work = await loadBulkWork(
    call.database,
    { operationId, outcomes: ["changed"], limit: EXECUTED_TASKS_MAX },
    call,
  );
  if (work === undefined) return refuse(notFound());
  if (work.stored) return replayBulk(call, work.stored);
  const fault = revertFault(work.operation);
  if (fault !== null) return refuse(notRevertible(fault));
  // A revert goes from the label that the operation set back to the label before it.
  const items = work.items.map(({ fromLabel, toLabel, ...item }) => ({
    ...item,
    fromLabel: toLabel,
    toLabel: fromLabel,
  }));
  return takeBack(call, work, { reason, items, outcomes: ["changed"] });
}

/** Why an operation cannot be reverted, as a sentence; null if it can. */
function revertFault(operation: BulkOperationRecord): string | null {
  if (operation.action === "revert") return "A revert cannot be reverted.";
  if (!isRevertibleAction(operation.action)) {
    return operation.action === "rework"
      ? "A rework opened new steps, which stay open."
      : "An advance opened new steps, which stay open. Use rework instead.";
  }
  if (!isOperationEnded(operation.state)) {
    return "The operation has not ended. Cancel it instead.";
  }
  if (operation.revertedBy !== null) return ALREADY_REVERTED;
  return operation.changed === 0 ? "The operation changed nothing." : null;
}
