import { type BulkWork, listWorkTasks, loadBulkWork } from "../../db/bulk/bulk-work.ts";
import { decodeIntent } from "../../domain/bulk/intent.ts";
import { isOperationEnded } from "../../domain/bulk/outcomes.ts";
import { OPERATION_TRANSITIONS } from "../../domain/bulk/states.ts";
import {
  alreadyInStatus,
  invalidTransition,
  notFound,
  type Outcome,
  refuse,
} from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import type { BulkAccepted, BulkExecution } from "../views/bulk-views.ts";
import { acceptPlan } from "./accept.ts";
import { replayBulk } from "./answer.ts";
import { type BulkChange, planChange } from "./plan-change.ts";
import { planInParts } from "./plan-in-parts.ts";
import { openingOf, recordPlan } from "./record-plan.ts";
import { takeBack } from "./take-back.ts";
import { EXECUTED_TASKS_MAX } from "../../domain/bulk/limits.ts";

type Retried = Outcome<Done<BulkExecution | BulkAccepted>>;

/** Tasks that the database refused, and tasks that had changed since they were planned. */
const RETRIED_OUTCOMES = ["failed", "stale"] as const;

/** Opens a child operation over the tasks that failed or were stale. It is planned from their present state. */
export async function retryFailed(
  call: ActionCall,
  { operationId, reason }: { operationId: string; reason: string | undefined },
): Promise<Retried> {
  const wanted = { operationId, outcomes: RETRIED_OUTCOMES, limit: EXECUTED_TASKS_MAX };
  const work = await loadBulkWork(call.database, wanted, call);
  if (work === undefined) return refuse(notFound());
  if (work.stored) return replayBulk(call, work.stored);
  const { operation, items } = work;
  const { state } = operation;
  if (!isOperationEnded(state)) {
    const allowed = OPERATION_TRANSITIONS[state];
    const subject = "a bulk operation that has not ended";
    return refuse(invalidTransition({ subject, from: state, to: "queued", allowed }));
  }
  if (operation.failed + operation.stale === 0) {
    return refuse(alreadyInStatus("No task of this operation failed or was stale."));
  }
  const why = reason ?? operation.reason;
  const intent = decodeIntent(operation);
  if (intent.action === "revert") {
    return takeBack(call, work, { reason: why, items, outcomes: RETRIED_OUTCOMES });
  }
  const { runAttachedWorkflows, duplicateOf } = operation;
  const change: BulkChange = {
    intent,
    reason: why,
    runAttachedWorkflows,
    duplicateOf: duplicateOf === null ? undefined : { id: duplicateOf },
  };
  const isLarge = operation.failed + operation.stale > EXECUTED_TASKS_MAX;
  return isLarge ? retryLater(call, work, change) : retryNow(call, work, change);
}

async function retryNow(call: ActionCall, work: BulkWork, change: BulkChange): Promise<Retried> {
  const { operation, items, tasks, duplicateOf } = work;
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const { duplicateOf: originalId, id: parentId } = operation;
  const loaded = {
    find: (ref: object) => ("id" in ref ? byId.get(String(ref.id)) : undefined),
    duplicateOf,
  };
  const plan = planChange(
    loaded,
    change,
    items.map(({ taskId }) => taskId),
  );
  if (!plan.ok) return plan;
  const opening = openingOf(call, change, { duplicateOf: originalId, parentId });
  return recordPlan(call, { plan: plan.value, loaded, stale: new Set(), opening });
}

async function retryLater(
  call: ActionCall,
  { operation: { id: parentId, duplicateOf } }: BulkWork,
  change: BulkChange,
): Promise<Retried> {
  const { database } = call;
  const taskIds = await listWorkTasks(database, parentId, RETRIED_OUTCOMES);
  const planned = await planInParts({ database, operation: null }, change, { taskIds });
  if (!planned.ok) return planned;
  const opening = openingOf(call, change, { duplicateOf, parentId });
  return acceptPlan(call, { plan: planned.value.plan, stale: new Set(), opening });
}
