import {
  type BulkWork,
  loadBulkWork,
  loadRetry,
  type RetryFacts,
} from "../../db/bulk/bulk-work.ts";
import { RETRIED } from "../../db/bulk/bulk-ledger.ts";
import { DatabaseFault } from "../../db/connection/faults.ts";
import { decodeIntent } from "../../domain/bulk/intent.ts";
import { EXECUTED_TASKS_MAX } from "../../domain/bulk/limits.ts";
import { isOperationEnded } from "../../domain/bulk/outcomes.ts";
import { originalFault } from "../../domain/lifecycle/duplicates.ts";
import {
  notFound,
  notRetriable,
  type Outcome,
  refuse,
  succeed,
  validationFailed,
} from "../../domain/refusals.ts";
import { finderOf } from "../../domain/task-ref.ts";
import type { ActionCall, Done } from "../call/call.ts";
import type { BulkAccepted, BulkExecution, BulkPreview } from "../views/bulk-views.ts";
import { acceptPlan } from "./accept.ts";
import { replayBulk } from "./answer.ts";
import { type Agreed, type Agreement, staleTasks } from "./agreed-plan.ts";
import { type BulkChange, planChange } from "./plan-change.ts";
import { planInParts } from "./plan-in-parts.ts";
import { openingOf, recordPlan } from "./record-plan.ts";
import { type ShowPlanCall, showPlan } from "./show-plan.ts";
import { takeBack } from "./take-back.ts";

type Retried = Outcome<Done<BulkExecution | BulkAccepted>>;

/** Tasks that the database refused, and tasks that had changed since they were planned. */
const RETRIED_OUTCOMES = ["failed", "stale"] as const;

export interface RetryInput extends Omit<Agreement, "planToken"> {
  operationId: string;
  reason: string | undefined;
  planToken?: string | undefined;
}

/**
 * Returns what a retry would do to the tasks of an operation that failed or were stale, in their present state, with the
 * plan token that `retryFailed` requires. Writes nothing.
 */
export async function planRetry(
  call: ShowPlanCall,
  operationId: string,
): Promise<Outcome<BulkPreview>> {
  const facts = await loadRetry(call.database, operationId, RETRIED_OUTCOMES);
  if (facts === undefined) return refuse(notFound());
  const fault = retryFault(facts);
  if (fault !== null) return refuse(notRetriable(fault));
  if (facts.operation.action === "revert") return refuse(notRetriable(REVERT_HAS_NO_PLAN));
  const { taskIds } = facts;
  const planned = await showPlan(call, changeOf(facts), { taskIds });
  return planned.ok ? succeed({ ...planned.value, taskIds: [...taskIds] }) : planned;
}

/**
 * Opens a child operation over the tasks that failed or were stale, as its plan token has it. The retry of a revert needs
 * none: it changes only tasks that are still as the reverted operation left them.
 */
export async function retryFailed(call: ActionCall & Agreed, input: RetryInput): Promise<Retried> {
  const { operationId, reason, planToken } = input;
  const wanted = { operationId, outcomes: RETRIED_OUTCOMES, limit: EXECUTED_TASKS_MAX };
  const work = await loadBulkWork(call.database, { ...wanted, isRetry: true }, call);
  if (work === undefined) return refuse(notFound());
  if (work.stored) return replayBulk(call, work.stored);
  const { operation, items } = work;
  const fault = retryFault({ ...work, taskIds: items.map(({ taskId }) => taskId) });
  if (fault !== null) return refuse(notRetriable(fault));
  if (operation.action === "revert") {
    return takeBack(call, work, {
      reason: reason ?? operation.reason,
      items,
      outcomes: ["failed"],
    });
  }
  if (planToken === undefined) {
    const message = "Plan the retry first, and pass its planToken.";
    return refuse(validationFailed({ path: ["planToken"], code: "required", message }));
  }
  const change = changeOf(work, reason);
  const agreement = { planToken, onStale: input.onStale };
  // More than fit into one request at most; the list decides.
  const isLarge = operation.failed + operation.stale > EXECUTED_TASKS_MAX;
  try {
    return await (isLarge
      ? retryLater(call, { operationId, change, agreement })
      : retryNow(call, { work, change, agreement }));
  } catch (error) {
    // A revert has come first.
    const isTooLate = error instanceof DatabaseFault && error.constraint === RETRIED;
    if (isTooLate) return refuse(notRetriable(REVERTED));
    throw error;
  }
}

const REVERTED = "The operation was reverted, so a retry would do again what was taken back.";

const REVERT_HAS_NO_PLAN =
  "The retry of a revert has no plan: it changes only tasks that have not changed since.";

/** Returns why an operation cannot be retried, as a sentence; null if it can. */
function retryFault({
  operation,
  isReverted,
  duplicateOf,
  taskIds,
}: Pick<RetryFacts, "operation" | "isReverted" | "duplicateOf" | "taskIds">): string | null {
  const { state, action, failed, stale } = operation;
  if (!isOperationEnded(state)) return "The operation has not ended.";
  if (state === "cancelled") return "The operation was cancelled. Change its tasks anew.";
  if (isReverted) return REVERTED;
  if (failed + stale === 0) return "No task of the operation failed or was stale.";
  if (duplicateOf !== null && originalFault(duplicateOf) !== null) {
    return "The task that the operation names as the original can no longer be named.";
  }
  if (taskIds.length > 0) return null;
  return action === "revert"
    ? "The tasks that the revert left have changed since."
    : "A retry has changed every task of the operation that failed or was stale.";
}

/** The change of an operation, as a change of other tasks. */
function changeOf(
  { operation }: Pick<RetryFacts, "operation">,
  reason: string = operation.reason,
): BulkChange {
  const { id, runAttachedWorkflows, duplicateOf } = operation;
  const intent = decodeIntent(operation);
  if (intent.action === "revert") throw new Error("A revert has no intent of its own");
  return {
    intent,
    reason,
    runAttachedWorkflows,
    duplicateOf: duplicateOf === null ? undefined : { id: duplicateOf },
    retryOf: id,
  };
}

async function retryNow(
  call: ActionCall & Agreed,
  { work, change, agreement }: { work: BulkWork; change: BulkChange; agreement: Agreement },
): Promise<Retried> {
  const { operation, items, tasks, duplicateOf } = work;
  const { duplicateOf: originalId, id: parentId } = operation;
  const loaded = { find: finderOf(tasks), duplicateOf };
  const plan = planChange(
    call,
    loaded,
    change,
    items.map(({ taskId }) => taskId),
  );
  if (!plan.ok) return plan;
  const stale = await staleTasks(call, { change, agreement, plan: plan.value, duplicateOf });
  if (!stale.ok) return stale;
  const opening = openingOf(call, change, { duplicateOf: originalId, parentId });
  return recordPlan(call, { plan: plan.value, loaded, stale: stale.value, opening });
}

async function retryLater(
  call: ActionCall & Agreed,
  request: { operationId: string; change: BulkChange; agreement: Agreement },
): Promise<Retried> {
  const { operationId, change, agreement } = request;
  const { database } = call;
  const facts = await loadRetry(database, operationId, RETRIED_OUTCOMES);
  const { taskIds = [], operation } = facts ?? {};
  const planned = await planInParts({ database, operation: null }, change, { taskIds });
  if (!planned.ok) return planned;
  const { plan, duplicateOf } = planned.value;
  const stale = await staleTasks(call, { change, agreement, plan, duplicateOf });
  if (!stale.ok) return stale;
  const original = operation?.duplicateOf ?? null;
  const opening = openingOf(call, change, { duplicateOf: original, parentId: operationId });
  return acceptPlan(call, { plan, stale: stale.value, opening });
}
