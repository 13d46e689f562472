import type { LoadedTasks } from "../../db/snapshots/load-tasks.ts";
import { type BulkIntent, encodeIntentForToken } from "../../domain/bulk/intent.ts";
import type { BulkTerms } from "../../domain/bulk/judge.ts";
import { type DecidedPlan, planBulk } from "../../domain/bulk/plan.ts";
import type { PlanTokenRequest } from "../../domain/bulk/plan-token.ts";
import { type Original, originalEnded, originalFault } from "../../domain/lifecycle/duplicates.ts";
import type { TaskSnapshot } from "../../domain/lifecycle/snapshot.ts";
import { type Outcome, type Refusal, succeed, validationFailed } from "../../domain/refusals.ts";
import { type TaskRef, taskRefOf } from "../../domain/task-ref.ts";
import type { ActionCall } from "../call/call.ts";
import { idsOf } from "../call/ids-of.ts";
import { duplicateOfFound } from "../moves/targets.ts";

/** A change of many tasks, as a caller requests it. */
export interface BulkChange extends Omit<BulkTerms, "duplicateOf"> {
  intent: BulkIntent;
  duplicateOf?: TaskRef | undefined;
  /** The operation that the change retries, if it does. */
  retryOf?: string | undefined;
}

/** Refuses a change that no task could take, whatever its state; null if there is nothing wrong with it. */
export function changeMisuse({ intent, duplicateOf }: BulkChange): Refusal | null {
  if (duplicateOf === undefined || intent.targetStatus === "DUPLICATE") return null;
  const message = "duplicateOf is only allowed with the target DUPLICATE.";
  return validationFailed({ path: ["duplicateOf"], code: "not_applicable", message });
}

/** Whether a plan needs the duplicates that name a task. Only a task that becomes a duplicate must have none. */
export function needsNamedBy({ targetStatus }: BulkIntent): boolean {
  return targetStatus === "DUPLICATE";
}

/** Refuses a change whose original no task can name now; null if one can. */
export function originalMisuse(duplicateOf: Original | null): Refusal | null {
  const fault = duplicateOf && originalFault(duplicateOf);
  return duplicateOf && fault ? originalEnded(duplicateOf.id, fault) : null;
}

/** Whether a plan needs every step of a task. A target only looks at the current one; an action may look at others. */
export function needsAllSteps({ targetStatus }: BulkIntent): boolean {
  return targetStatus === undefined;
}

/** Plans a change over loaded tasks. Preview and execution both plan here, so they cannot disagree. */
export function planChange(
  call: Pick<ActionCall, "newId">,
  loaded: Pick<LoadedTasks, "find" | "duplicateOf">,
  change: BulkChange,
  taskIds: readonly string[],
): Outcome<DecidedPlan> {
  const duplicateOf = duplicateOfFound(loaded, change.duplicateOf);
  if (!duplicateOf.ok) return duplicateOf;
  const snapshots = new Map<string, TaskSnapshot>();
  for (const name of taskIds) {
    const snapshot = loaded.find(taskRefOf(name));
    if (snapshot !== undefined) snapshots.set(name, snapshot);
  }
  const request = { ...change, duplicateOf: duplicateOf.value ?? null, taskIds, snapshots };
  return succeed(planBulk(request, { newId: idsOf(call) }));
}

/** The caller and the change that a plan token is bound to. */
export function tokenRequest(
  caller: Pick<PlanTokenRequest, "tenantId" | "actorId">,
  { intent, runAttachedWorkflows, retryOf }: BulkChange,
  duplicateOf: Original | null,
): PlanTokenRequest {
  const original = duplicateOf?.id ?? null;
  return {
    ...caller,
    ...encodeIntentForToken(intent),
    runAttachedWorkflows,
    duplicateOf: original,
    retryOf: retryOf ?? null,
  };
}
