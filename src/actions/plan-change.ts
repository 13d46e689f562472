import { uuidv7 } from "uuidv7";
import type { LoadedTasks } from "../db/load-tasks.ts";
import type { BulkTarget } from "../domain/bulk/matrix.ts";
import { type BulkPlan, planBulk } from "../domain/bulk/plan.ts";
import type { TaskSnapshot } from "../domain/lifecycle/snapshot.ts";
import {
  accept,
  type Outcome,
  refuse,
  type Refusal,
  validationFailed,
} from "../domain/refusals.ts";
import { type TaskRef, taskRefOf } from "../domain/task-ref.ts";
import { duplicateOfFound } from "./targets.ts";

/** One change of many tasks, as it was asked for. */
export interface BulkChange {
  targetStatus: BulkTarget;
  reason: string;
  runAttachedWorkflows: boolean;
  duplicateOf?: TaskRef | undefined;
}

/** What is wrong with a change whatever its tasks are; null where nothing is. */
export function changeMisuse({ targetStatus, duplicateOf }: BulkChange): Refusal | null {
  if (duplicateOf === undefined || targetStatus === "DUPLICATE") return null;
  const message = "duplicateOf goes with the target DUPLICATE alone.";
  return validationFailed({ path: ["duplicateOf"], code: "not_applicable", message });
}

/** The plan of a change over tasks that were loaded: preview and execution both make it here. */
export function planChange(
  loaded: LoadedTasks,
  change: BulkChange,
  taskIds: readonly string[],
): Outcome<BulkPlan> {
  const duplicateOf = duplicateOfFound(loaded, change.duplicateOf);
  if (!duplicateOf.ok) return refuse(duplicateOf.refusal);
  const snapshots = new Map<string, TaskSnapshot>();
  for (const name of taskIds) {
    const snapshot = loaded.find(taskRefOf(name));
    if (snapshot !== undefined) snapshots.set(name, snapshot);
  }
  const { targetStatus, reason, runAttachedWorkflows } = change;
  return accept(
    planBulk(
      {
        taskIds,
        snapshots,
        targetStatus,
        reason,
        runAttachedWorkflows,
        duplicateOf: duplicateOf.value ?? null,
      },
      { newId: uuidv7 },
    ),
  );
}
