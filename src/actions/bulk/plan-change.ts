import { stringify } from "safe-stable-stringify";
import { uuidv7 } from "uuidv7";
import type { BulkOperationRecord } from "../../db/bulk/bulk-operations.ts";
import type { LoadedTasks } from "../../db/snapshots/load-tasks.ts";
import type { BulkIntent } from "../../domain/bulk/actions.ts";
import type { BulkTerms } from "../../domain/bulk/judge.ts";
import { type DecidedPlan, planBulk } from "../../domain/bulk/plan.ts";
import type { PlanTokenRequest } from "../../domain/bulk/plan-token.ts";
import type { TaskSnapshot } from "../../domain/lifecycle/snapshot.ts";
import {
  succeed,
  type Outcome,
  refuse,
  type Refusal,
  validationFailed,
} from "../../domain/refusals.ts";
import { type TaskRef, taskRefOf } from "../../domain/task-ref.ts";
import { duplicateOfFound } from "../moves/targets.ts";

/** One change of many tasks, as it was asked for. */
export type BulkChange = BulkIntent &
  Omit<BulkTerms, "duplicateOf"> & { duplicateOf?: TaskRef | undefined };

/** What is wrong with a change whatever its tasks are; null where nothing is. */
export function changeMisuse({ targetStatus, duplicateOf }: BulkChange): Refusal | null {
  if (duplicateOf === undefined || targetStatus === "DUPLICATE") return null;
  const message = "duplicateOf goes with the target DUPLICATE alone.";
  return validationFailed({ path: ["duplicateOf"], code: "not_applicable", message });
}

/** Targets look at the current step alone; actions may look at the others. */
export function looksAtSteps({ targetStatus }: BulkIntent): boolean {
  return targetStatus === undefined;
}

/** The plan of a change over tasks that were loaded: preview and execution both make it here. */
export function planChange(
  loaded: Pick<LoadedTasks, "find" | "duplicateOf">,
  change: BulkChange,
  taskIds: readonly string[],
): Outcome<DecidedPlan> {
  const duplicateOf = duplicateOfFound(loaded, change.duplicateOf);
  if (!duplicateOf.ok) return refuse(duplicateOf.refusal);
  const snapshots = new Map<string, TaskSnapshot>();
  for (const name of taskIds) {
    const snapshot = loaded.find(taskRefOf(name));
    if (snapshot !== undefined) snapshots.set(name, snapshot);
  }
  const terms = { ...change, duplicateOf: duplicateOf.value ?? null };
  return succeed(planBulk({ ...terms, taskIds, snapshots }, { newId: uuidv7 }));
}

/** What an operation intends; null where it takes another one back. */
export function intentOfOperation({
  targetStatus,
  action,
  changes,
}: Pick<BulkOperationRecord, "targetStatus" | "action" | "changes">): BulkIntent | null {
  if (targetStatus !== null) return { targetStatus };
  if (action === null || action === "revert") return null;
  return action === "edit" ? { action, changes: changes ?? {} } : { action };
}

/** The same the other way round: an intent as the ledger's columns. */
export function columnsOfIntent(intent: BulkIntent) {
  const { targetStatus = null, action = null, changes = null } = intent;
  return { targetStatus, action, changes };
}

/** What a plan token is bound to. */
export function tokenRequest(
  caller: Pick<PlanTokenRequest, "tenantId" | "actorId">,
  change: BulkChange,
  duplicateOf: string | null,
): PlanTokenRequest {
  const { targetStatus, action, changes } = columnsOfIntent(change);
  const { runAttachedWorkflows } = change;
  const spelled = changes === null ? null : stringify(changes);
  return { ...caller, targetStatus, action, changes: spelled, runAttachedWorkflows, duplicateOf };
}
