import { type BulkOpening, REVERTED_ONCE } from "../../db/bulk/bulk-ledger.ts";
import type { BulkOperationRecord } from "../../db/bulk/bulk-operations.ts";
import { type BulkWork, type BulkWorkItem, loadBulkWork } from "../../db/bulk/bulk-work.ts";
import { DatabaseFault } from "../../db/connection/faults.ts";
import { isRevertibleAction } from "../../domain/bulk/actions.ts";
import { type BulkOutcome, isOperationEnded } from "../../domain/bulk/outcomes.ts";
import { succeed, notFound, notRevertible, type Outcome, refuse } from "../../domain/refusals.ts";
import { acceptUndoing } from "./accept.ts";
import { answerRows, replayBulk } from "./answer.ts";
import { revertRows } from "./rows.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { EXECUTED_TASKS_MAX } from "./execute.ts";
import { recordBulk } from "./record.ts";
import { inProgress } from "../call/replay.ts";
import type { BulkAccepted, BulkExecution } from "../views/bulk-views.ts";

/**
 * Takes an operation back: every task that has not moved since is put where it was, and what was dispatched for it and
 * has not left is called back. Two round trips for up to 1,000 tasks; more are worked through by a consumer.
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
  // The way back leads from where the operation led to.
  const items = work.items.map(({ fromLabel: toLabel, toLabel: fromLabel, ...item }) => ({
    ...item,
    fromLabel,
    toLabel,
  }));
  return takeBack(call, work, { reason, items, outcomes: ["changed"] });
}

/** Why an operation cannot be taken back, in a sentence; null where it can. */
function revertFault(operation: BulkOperationRecord): string | null {
  if (operation.action === "revert") return "A revert is not taken back itself.";
  if (!isRevertibleAction(operation.action)) {
    return "An advance opened steps, which stay: the way back is rework.";
  }
  if (!isOperationEnded(operation.state)) {
    return "The operation has not ended: it can be cancelled.";
  }
  if (operation.revertedBy !== null) return ALREADY_REVERTED;
  return operation.changed === 0 ? "The operation changed nothing." : null;
}

const ALREADY_REVERTED = "The operation was taken back already.";

/** Makes the operation that takes back items of another one, or tries again those that it could not take back. */
export async function takeBack(
  call: ActionCall,
  work: BulkWork,
  undoing: { reason: string; items: readonly BulkWorkItem[]; outcomes: readonly BulkOutcome[] },
): Promise<Outcome<Done<BulkExecution | BulkAccepted>>> {
  const { id: operationId } = work.operation;
  const { reason, items, outcomes } = undoing;
  const opening: BulkOpening = {
    actor: call.actor,
    requestId: call.requestId,
    targetStatus: null,
    action: "revert",
    changes: null,
    reason,
    duplicateOf: null,
    runAttachedWorkflows: false,
    parentId: operationId,
  };
  try {
    const all = outcomes.reduce((sum, outcome) => sum + countOf(work.operation, outcome), 0);
    return all > EXECUTED_TASKS_MAX
      ? await acceptUndoing(call, opening, { operationId, outcomes, items: all })
      : await takeBackNow(call, work, { opening, items });
  } catch (error) {
    const isSecond = error instanceof DatabaseFault && error.constraint === REVERTED_ONCE;
    if (isSecond) return refuse(notRevertible(ALREADY_REVERTED));
    throw error;
  }
}

async function takeBackNow(
  call: ActionCall,
  work: BulkWork,
  { opening, items }: { opening: BulkOpening; items: readonly BulkWorkItem[] },
): Promise<Outcome<Done<BulkExecution | BulkAccepted>>> {
  const { reason } = opening;
  const numbered = items.map((item, position) => ({ ...item, position }));
  const rows = revertRows(work, numbered, reason);
  const run = { bulkId: call.operation.id, reason, opening };
  const recorded = await recordBulk(call, rows, run);
  if (recorded.outcome === "in_progress") return refuse(inProgress());
  if (recorded.outcome === "taken") return replayBulk(call, recorded.operation);
  return succeed({ value: await answerRows(call, rows, { recorded, opening }), replayed: false });
}

function countOf(operation: BulkOperationRecord, outcome: BulkOutcome): number {
  return outcome === "pending" ? 0 : operation[outcome];
}
