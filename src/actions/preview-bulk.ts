import { findTargetIds } from "../db/bulk-targets.ts";
import type { TenantDatabase } from "../db/client.ts";
import type { TaskFilter } from "../db/list-tasks.ts";
import { loadTasks } from "../db/load-tasks.ts";
import type { Actor } from "../domain/actor.ts";
import { type BulkPlan, joinPlans } from "../domain/bulk/plan.ts";
import { planTokenFor } from "../domain/bulk/plan-token.ts";
import { accept, type Outcome, type Refusal, refuse } from "../domain/refusals.ts";
import { taskRefOf } from "../domain/task-ref.ts";
import { type BulkChange, changeMisuse, planChange } from "./plan-change.ts";
import { digestPlan, type PlanSeal, sealPlan } from "./plan-token.ts";
import { type BulkPreview, plannedItemView } from "./views/bulk-views.ts";

/** Tasks of one preview. */
export const PREVIEWED_TASKS_MAX = 50_000;
/** How many tasks are in memory at once. */
const TASKS_LOADED_MAX = 5000;
/** How many decisions an answer shows, beside all refusals. */
export const PREVIEWED_ITEMS_MAX = 1000;

export interface PreviewCall {
  database: TenantDatabase;
  actor: Actor;
  seal: PlanSeal;
  now: Date;
}

/** The tasks that a change is about: by their names, or as those that match. */
export type BulkSelection = { taskIds: readonly string[] } | { filter: TaskFilter };

/**
 * Tells what a bulk change would do, and signs it, so that execution can hold it against the tasks of then. It
 * writes nothing; one round trip for up to 5,000 tasks, and one more for a filter.
 */
export async function previewBulk(
  call: PreviewCall,
  change: BulkChange,
  selection: BulkSelection,
): Promise<Outcome<BulkPreview>> {
  const misuse = changeMisuse(change);
  if (misuse) return refuse(misuse);
  const taskIds =
    "taskIds" in selection
      ? selection.taskIds
      : await findTargetIds(call.database, selection.filter, PREVIEWED_TASKS_MAX);
  if (taskIds === null) return refuse(tooManyMatch());
  const planned = await planInParts(call, change, taskIds);
  if (!planned.ok) return planned;

  const { plan, duplicateOf } = planned.value;
  const { targetStatus, runAttachedWorkflows } = change;
  const token = planTokenFor(
    {
      tenantId: call.database.tenantId,
      actorId: call.actor.id,
      targetStatus,
      runAttachedWorkflows,
      duplicateOf,
    },
    digestPlan(call.seal, plan),
    call.now.getTime(),
  );
  const shown = plan.items.filter(
    ({ decision }, index) => index < PREVIEWED_ITEMS_MAX || decision === "refused",
  );
  return accept({
    targetStatus,
    counts: plan.counts,
    bySource: plan.bySource,
    byCode: plan.byCode,
    pipelines: [...plan.pipelines],
    ...("filter" in selection && { taskIds: [...taskIds] }),
    items: shown.map(plannedItemView),
    planToken: await sealPlan(call.seal, token),
    expiresAt: new Date(token.expiresAt).toISOString(),
    primaryLabel: plan.primaryLabel,
  });
}

/** Nothing is cut off in silence. */
function tooManyMatch(): Refusal {
  const detail = `More than ${PREVIEWED_TASKS_MAX} tasks match; narrow the filter.`;
  return { code: "too_many_items", detail, max: PREVIEWED_TASKS_MAX };
}

async function planInParts(
  { database }: PreviewCall,
  change: BulkChange,
  taskIds: readonly string[],
): Promise<Outcome<{ plan: BulkPlan; duplicateOf: string | null }>> {
  const parts: BulkPlan[] = [];
  const planned = new Set<string>();
  let duplicateOf: string | null = null;
  const names = [...new Set(taskIds)];
  for (let start = 0; start < names.length; start += TASKS_LOADED_MAX) {
    const part = names.slice(start, start + TASKS_LOADED_MAX);
    const loaded = await loadTasks(
      database,
      { tasks: part.map(taskRefOf), duplicateOf: change.duplicateOf },
      { operation: null, withSteps: false },
    );
    // Another name of a task that an earlier part had.
    const isNew = (name: string) => !planned.has(loaded.find(taskRefOf(name))?.id ?? name);
    const plan = planChange(loaded, change, part.filter(isNew));
    if (!plan.ok) return plan;
    for (const { taskId } of plan.value.items) planned.add(taskId);
    parts.push(plan.value);
    duplicateOf = loaded.duplicateOf;
  }
  return accept({ plan: joinPlans(parts, change), duplicateOf });
}
