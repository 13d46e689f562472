import { type BulkOpening, REVERTED_ONCE } from "../../db/bulk/bulk-ledger.ts";
import type { BulkOperationRecord } from "../../db/bulk/bulk-operations.ts";
import type { BulkWork, BulkWorkItem } from "../../db/bulk/bulk-work.ts";
import { DatabaseFault } from "../../db/connection/faults.ts";
import type { BulkOutcome } from "../../domain/bulk/outcomes.ts";
import { notRevertible, type Outcome, refuse } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import type { BulkAccepted, BulkExecution } from "../views/bulk-views.ts";
import { acceptTakeBack } from "./accept.ts";
import { recordAndAnswer } from "./answer.ts";
import { revertRows } from "./rows.ts";
import { EXECUTED_TASKS_MAX } from "../../domain/bulk/limits.ts";

export const ALREADY_REVERTED = "The operation has already been reverted.";

/** Opens an operation that reverts items of another operation, or that retries the failed items of a revert. */
export async function takeBack(
  call: ActionCall,
  work: BulkWork,
  request: { reason: string; items: readonly BulkWorkItem[]; outcomes: readonly BulkOutcome[] },
): Promise<Outcome<Done<BulkExecution | BulkAccepted>>> {
  const { reason, items, outcomes } = request;
  const { id: operationId } = work.operation;
  const opening: BulkOpening = {
    actor: call.actor,
    requestId: call.requestId,
    intent: { action: "revert" },
    reason,
    duplicateOf: null,
    runAttachedWorkflows: false,
    parentId: operationId,
  };
  const total = outcomes.reduce((sum, outcome) => sum + countOf(work.operation, outcome), 0);
  try {
    if (total > EXECUTED_TASKS_MAX) {
      return await acceptTakeBack(call, opening, { operationId, outcomes, items: total });
    }
    const numbered = items.map((item, position) => ({ ...item, position }));
    return await recordAndAnswer(call, revertRows(work, numbered, reason), opening);
  } catch (error) {
    const isSecond = error instanceof DatabaseFault && error.constraint === REVERTED_ONCE;
    if (isSecond) return refuse(notRevertible(ALREADY_REVERTED));
    throw error;
  }
}

function countOf(operation: BulkOperationRecord, outcome: BulkOutcome): number {
  return outcome === "pending" ? 0 : operation[outcome];
}
