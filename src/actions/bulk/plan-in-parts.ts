import type { Operation, OperationRecord, TenantDatabase } from "../../db/connection/client.ts";
import type { TaskFilter } from "../../db/tasks/task-filter.ts";
import { type LoadedTasks, loadTasks, type TaskNames } from "../../db/snapshots/load-tasks.ts";
import { type BulkPlan, joinPlans, outlineOf } from "../../domain/bulk/plan.ts";
import type { Original } from "../../domain/lifecycle/duplicates.ts";
import { succeed, type Outcome, type Refusal, refuse } from "../../domain/refusals.ts";
import { taskRefOf } from "../../domain/task-ref.ts";
import { type BulkChange, needsAllSteps, needsNamedBy, planChange } from "./plan-change.ts";
import { PLANNED_TASKS_MAX } from "../../domain/bulk/limits.ts";

/** Tasks that are in memory at the same time, with the decision about each. */
const TASKS_LOADED_MAX = 5000;

/** The tasks of a change, by id or by filter. */
export type BulkSelection = { taskIds: readonly string[] } | { filter: TaskFilter };

export interface PlanInParts {
  plan: BulkPlan;
  taskIds: readonly string[];
  duplicateOf: Original | null;
  /** What an earlier call with the same key stored, in which case nothing was planned. */
  stored: OperationRecord | null;
}

/** A filter that matches too many tasks is refused, because cutting off the rest would hide the excess. */
function tooManyMatch(): Refusal {
  const detail = `More than ${PLANNED_TASKS_MAX} tasks match; narrow the filter.`;
  return { code: "too_many_items", detail, max: PLANNED_TASKS_MAX };
}

/**
 * Plans a change in parts of 5,000 tasks, with one round trip for each. A filter is resolved in the round trip that
 * loads the first part. Decisions of a finished part are dropped to save memory.
 */
export async function planInParts(
  { database, operation }: { database: TenantDatabase; operation: Operation | null },
  change: BulkChange,
  selection: BulkSelection,
): Promise<Outcome<PlanInParts>> {
  const load = (names: TaskNames): Promise<LoadedTasks> =>
    loadTasks(
      database,
      { ...names, duplicateOf: change.duplicateOf },
      {
        operation,
        withSteps: needsAllSteps(change.intent),
        withNamedBy: needsNamedBy(change.intent),
      },
    );
  const limits = { max: PLANNED_TASKS_MAX, loadedMax: TASKS_LOADED_MAX };
  const matching =
    "filter" in selection
      ? await load({ matching: { filter: selection.filter, ...limits } })
      : null;
  const names =
    "filter" in selection ? (matching?.matchingIds ?? []) : [...new Set(selection.taskIds)];
  if (names.length > PLANNED_TASKS_MAX) return refuse(tooManyMatch());

  const parts: BulkPlan[] = [];
  const planned = new Set<string>();
  let duplicateOf: Original | null = null;
  let stored: OperationRecord | null = null;
  for (let start = 0; start === 0 || start < names.length; start += TASKS_LOADED_MAX) {
    const part = names.slice(start, start + TASKS_LOADED_MAX);
    const isFound = start === 0 && matching !== null;
    const loaded = isFound ? matching : await load({ tasks: part.map(taskRefOf) });
    ({ duplicateOf, stored } = loaded);
    if (stored !== null) break;
    // An earlier part may have the same task under another name.
    const isNew = (name: string) => !planned.has(loaded.find(taskRefOf(name))?.id ?? name);
    // Only an outline of the plan is kept, without ids.
    const plan = planChange({}, loaded, change, part.filter(isNew));
    if (!plan.ok) return plan;
    for (const { taskId } of plan.value.items) planned.add(taskId);
    parts.push(outlineOf(plan.value));
  }
  return succeed({ plan: joinPlans(parts, change), taskIds: names, duplicateOf, stored });
}
