import type { Decision } from "../lifecycle/decision.ts";
import type { TaskSnapshot } from "../lifecycle/snapshot.ts";
import { type Pipeline, PIPELINE_NAMES } from "../pipelines/pipelines.ts";
import { BULK_ALLOWED_TARGETS, type BulkTarget, PIPELINES_ON_TARGET } from "./matrix.ts";
import { factsOf, resolve } from "../status/resolve.ts";
import type { UnifiedStatus } from "../status/unified.ts";
import type { BulkIntent } from "./intent.ts";
import { type PipelineOfTask, type BulkRefusal, type BulkTerms, judge } from "./judge.ts";
import { buttonLabel } from "./button-label.ts";

export const BULK_WARNINGS = [
  "worker_live",
  "no_verdict",
  "in_delivery",
  "standing_failure",
] as const;
export type BulkWarning = (typeof BULK_WARNINGS)[number];

export interface BulkRequest extends BulkTerms {
  intent: BulkIntent;
  /** The names of the requested tasks: ids or external ids. Several names can mean the same task. */
  taskIds: readonly string[];
  /** The tasks that exist, by name. */
  snapshots: ReadonlyMap<string, TaskSnapshot>;
}

export interface EligibleItem {
  taskId: string;
  decision: "eligible";
  from: UnifiedStatus;
  /** The label after the change. */
  to: UnifiedStatus;
  warnings: readonly BulkWarning[];
  pipelines: readonly PipelineOfTask[];
  eventSeq: number;
}

/** An eligible task, with the decision that execution records. */
export interface DecidedItem extends EligibleItem {
  change: Decision;
}

export interface RefusedItem {
  taskId: string;
  decision: "refused";
  code: BulkRefusal;
  /** Null if the task does not exist. */
  from: UnifiedStatus | null;
  /** The target. Null for an action. */
  to: BulkTarget | null;
  /** The targets that are possible instead. Empty for an action. */
  allowed: readonly BulkTarget[];
  pipelines: readonly PipelineOfTask[];
  eventSeq: number | null;
}

export type BulkItem = EligibleItem | RefusedItem;

/** A pipeline that is attached to the change. It runs if the caller opts in. */
export interface PlannedPipeline {
  name: Pipeline;
  tasks: number;
  /** Tasks for which the pipeline was dispatched earlier, and will not be dispatched again. */
  alreadyDispatched: number;
}

/** The decision for each task, and the totals. */
export interface BulkPlan<Item extends BulkItem = BulkItem> {
  intent: BulkIntent;
  items: readonly Item[];
  counts: { requested: number; eligible: number; refused: number };
  bySource: Partial<Record<UnifiedStatus, { eligible: number; refused: number }>>;
  byCode: Partial<Record<BulkRefusal, number>>;
  pipelines: readonly PlannedPipeline[];
  primaryLabel: string;
}

/** A plan that can be executed. */
export type DecidedPlan = BulkPlan<DecidedItem | RefusedItem>;

/**
 * Plans a bulk change. Decides each distinct task once, in the requested order. Preview shows the plan and execution
 * records it.
 */
export function planBulk(request: BulkRequest, context: { newId: () => string }): DecidedPlan {
  const items = [...distinctTasks(request)].map(([taskId, snapshot]) =>
    snapshot === undefined
      ? refusedAsUnknown(taskId, request.intent.targetStatus ?? null)
      : planTask(snapshot, request, context),
  );
  return summarize(items, request);
}

/**
 * Joins plans of disjoint sets of tasks. Planning in parts limits memory: only one part's snapshots and decisions are
 * held at a time.
 */
export function joinPlans(
  parts: readonly BulkPlan[],
  request: Pick<BulkRequest, "intent" | "runAttachedWorkflows">,
): BulkPlan {
  return summarize(
    parts.flatMap(({ items }) => items),
    request,
  );
}

/** Returns the plan without its decisions, so that a plan of 50,000 tasks fits in memory. */
export function outlineOf(plan: DecidedPlan): BulkPlan {
  return { ...plan, items: plan.items.map(outlineOfItem) };
}

function outlineOfItem(item: DecidedItem | RefusedItem): BulkItem {
  if (item.decision === "refused") return item;
  const { change: _, ...outline } = item;
  return outline;
}

/**
 * Returns the targets that a refused task would accept instead of `to`. The ledger stores all inputs, so later reads
 * return the same targets.
 */
export function targetsInstead(refused: {
  code: BulkRefusal;
  from: UnifiedStatus | null;
  to: BulkTarget;
}): readonly BulkTarget[] {
  const { code, from, to } = refused;
  if (from === null || code === "archived") return [];
  const targets = BULK_ALLOWED_TARGETS[from];
  // A task that cannot duplicate itself can duplicate another one.
  return code === "self_duplicate" ? targets : targets.filter((target) => target !== to);
}

function summarize<Item extends BulkItem>(
  items: readonly Item[],
  request: Pick<BulkRequest, "intent" | "runAttachedWorkflows">,
): BulkPlan<Item> {
  const eligible = items.filter((item) => item.decision === "eligible").length;
  const { intent, runAttachedWorkflows } = request;
  const { action = null } = intent;
  const pipelines = plannedPipelines(items, intent);
  return {
    intent,
    items,
    counts: { requested: items.length, eligible, refused: items.length - eligible },
    bySource: countBySource(items),
    byCode: countByCode(items),
    pipelines,
    primaryLabel: buttonLabel({ action, eligible, runAttachedWorkflows, pipelines }),
  };
}

/** Groups the requested names by task, in the order of first use. A name without a task is its own key. */
function distinctTasks({ taskIds, snapshots }: BulkRequest): Map<string, TaskSnapshot | undefined> {
  const tasks = new Map<string, TaskSnapshot | undefined>();
  for (const name of taskIds) {
    const snapshot = snapshots.get(name);
    tasks.set(snapshot?.id ?? name, snapshot);
  }
  return tasks;
}

function refusedAsUnknown(taskId: string, to: BulkTarget | null): RefusedItem {
  const refused = { decision: "refused", code: "not_found", from: null, allowed: [] } as const;
  return { taskId, ...refused, to, pipelines: [], eventSeq: null };
}

function planTask(
  snapshot: TaskSnapshot,
  request: BulkRequest,
  { newId }: { newId: () => string },
): DecidedItem | RefusedItem {
  const { id: taskId, eventSeq } = snapshot;
  const from = resolve(factsOf(snapshot));
  const judged = judge(snapshot, request.intent, request, newId);
  if (judged.ok) {
    const { to, change, pipelines } = judged;
    const warnings = warningsOf(snapshot, change);
    return { taskId, decision: "eligible", from, to, warnings, pipelines, eventSeq, change };
  }
  const { code, pipelines = [] } = judged;
  const to = request.intent.targetStatus ?? null;
  const allowed = to === null ? [] : targetsInstead({ code, from, to });
  return { taskId, decision: "refused", code, from, to, allowed, pipelines, eventSeq };
}

function warningsOf(snapshot: TaskSnapshot, change: Decision): BulkWarning[] {
  const { step } = snapshot;
  const holds: Record<BulkWarning, boolean> = {
    worker_live: factsOf(snapshot).runningWorkers.length > 0,
    no_verdict: step.gate === "errored",
    in_delivery: step.kind === "delivery",
    // A change records a review only to overrule a failed one.
    standing_failure: change.reviews.length > 0,
  };
  return BULK_WARNINGS.filter((warning) => holds[warning]);
}

/** Returns the pipelines of a target, even if no task is eligible; for an action, only those that its tasks have. */
function plannedPipelines(
  items: readonly BulkItem[],
  { targetStatus }: BulkIntent,
): PlannedPipeline[] {
  const all = items.flatMap(({ pipelines }) => pipelines);
  const names = targetStatus === undefined ? PIPELINE_NAMES : PIPELINES_ON_TARGET[targetStatus];
  return names.flatMap((name) => {
    const ofName = all.filter((one) => one.name === name);
    if (targetStatus === undefined && ofName.length === 0) return [];
    const dispatched = ofName.filter((one) => one.isDispatched).length;
    return [{ name, tasks: ofName.length - dispatched, alreadyDispatched: dispatched }];
  });
}

function countBySource(items: readonly BulkItem[]): BulkPlan["bySource"] {
  const counts: BulkPlan["bySource"] = {};
  for (const { from, decision } of items) {
    if (from === null) continue;
    const count = (counts[from] ??= { eligible: 0, refused: 0 });
    count[decision] += 1;
  }
  return counts;
}

function countByCode(items: readonly BulkItem[]): BulkPlan["byCode"] {
  const counts: BulkPlan["byCode"] = {};
  for (const item of items) {
    if (item.decision === "refused") counts[item.code] = (counts[item.code] ?? 0) + 1;
  }
  return counts;
}
