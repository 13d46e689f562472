import type { Operation, OperationRecord, TenantDatabase } from "../../db/connection/client.ts";
import type { TaskFilter } from "../../db/tasks/task-filter.ts";
import { type LoadedTasks, loadTasks, type TaskNames } from "../../db/snapshots/load-tasks.ts";
import { type BulkPlan, joinPlans, outlineOf } from "../../domain/bulk/plan.ts";
import { succeed, type Outcome, type Refusal, refuse } from "../../domain/refusals.ts";
import { taskRefOf } from "../../domain/task-ref.ts";
import { type BulkChange, needsAllSteps, planChange } from "./plan-change.ts";

/** Tasks of one plan, and so of one operation. */
export const PLANNED_TASKS_MAX = 50_000;
/** How many tasks are in memory at once, with what is decided about each. */
const TASKS_LOADED_MAX = 5000;

/** The tasks that a change is about: by their names, or as those that match. */
export type BulkSelection = { taskIds: readonly string[] } | { filter: TaskFilter };

export interface PlanInParts {
  plan: BulkPlan;
  taskIds: readonly string[];
  duplicateOf: string | null;
  /** What an earlier call under the same key stored: then nothing was planned. */
  stored: OperationRecord | null;
}

/** Nothing is cut off in silence. */
function tooManyMatch(): Refusal {
  const detail = `More than ${PLANNED_TASKS_MAX} tasks match; narrow the filter.`;
  return { code: "too_many_items", detail, max: PLANNED_TASKS_MAX };
}

/**
 * Plans part by part, the first one in the round trip that finds out what matches: one for each 5,000 tasks. Of the
 * parts that are done no decision is kept.
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
      { operation, withSteps: needsAllSteps(change.intent) },
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
  let duplicateOf: string | null = null;
  let stored: OperationRecord | null = null;
  for (let start = 0; start === 0 || start < names.length; start += TASKS_LOADED_MAX) {
    const part = names.slice(start, start + TASKS_LOADED_MAX);
    const isFound = start === 0 && matching !== null;
    const loaded = isFound ? matching : await load({ tasks: part.map(taskRefOf) });
    ({ duplicateOf, stored } = loaded);
    if (stored !== null) break;
    // Another name of a task that an earlier part had.
    const isNew = (name: string) => !planned.has(loaded.find(taskRefOf(name))?.id ?? name);
    const plan = planChange(loaded, change, part.filter(isNew));
    if (!plan.ok) return plan;
    for (const { taskId } of plan.value.items) planned.add(taskId);
    parts.push(outlineOf(plan.value));
  }
  return succeed({ plan: joinPlans(parts, change), taskIds: names, duplicateOf, stored });
}
