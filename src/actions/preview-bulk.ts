import type { TenantDatabase } from "../db/client.ts";
import type { TaskFilter } from "../db/list-tasks.ts";
import { type LoadedTasks, loadTasks, type TaskNames } from "../db/load-tasks.ts";
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
 * writes nothing, and costs one round trip for each 5,000 tasks.
 */
export async function previewBulk(
  call: PreviewCall,
  change: BulkChange,
  selection: BulkSelection,
): Promise<Outcome<BulkPreview>> {
  const misuse = changeMisuse(change);
  if (misuse) return refuse(misuse);
  const planned = await planInParts(call, change, selection);
  if (!planned.ok) return planned;

  const { plan, taskIds, duplicateOf } = planned.value;
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

/** Plans part by part, the first one in the round trip that finds out what matches. */
async function planInParts(
  { database }: PreviewCall,
  change: BulkChange,
  selection: BulkSelection,
): Promise<Outcome<{ plan: BulkPlan; taskIds: readonly string[]; duplicateOf: string | null }>> {
  const load = (names: TaskNames): Promise<LoadedTasks> =>
    loadTasks(
      database,
      { ...names, duplicateOf: change.duplicateOf },
      { operation: null, withSteps: false },
    );
  const limits = { max: PREVIEWED_TASKS_MAX, loadedMax: TASKS_LOADED_MAX };
  const matching =
    "filter" in selection
      ? await load({ matching: { filter: selection.filter, ...limits } })
      : null;
  const names = "filter" in selection ? (matching?.matchingIds ?? []) : unique(selection.taskIds);
  if (names.length > PREVIEWED_TASKS_MAX) return refuse(tooManyMatch());

  const parts: BulkPlan[] = [];
  const planned = new Set<string>();
  let duplicateOf: string | null = null;
  for (let start = 0; start === 0 || start < names.length; start += TASKS_LOADED_MAX) {
    const part = names.slice(start, start + TASKS_LOADED_MAX);
    const isFound = start === 0 && matching !== null;
    const loaded = isFound ? matching : await load({ tasks: part.map(taskRefOf) });
    // Another name of a task that an earlier part had.
    const isNew = (name: string) => !planned.has(loaded.find(taskRefOf(name))?.id ?? name);
    const plan = planChange(loaded, change, part.filter(isNew));
    if (!plan.ok) return plan;
    for (const { taskId } of plan.value.items) planned.add(taskId);
    parts.push(plan.value);
    duplicateOf = loaded.duplicateOf;
  }
  return accept({ plan: joinPlans(parts, change), taskIds: names, duplicateOf });
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
