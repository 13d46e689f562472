import type { Decision } from "../lifecycle/decision.ts";
import type { TaskSnapshot } from "../lifecycle/snapshot.ts";
import { type Pipeline, PIPELINE_NAMES } from "../pipelines/pipelines.ts";
import { BULK_ALLOWED_TARGETS, type BulkTarget, PIPELINES_ON_TARGET } from "./matrix.ts";
import { factsOf, resolve } from "../status/resolve.ts";
import type { UnifiedStatus } from "../status/unified.ts";
import type { BulkIntent } from "./intent.ts";
import { type AskedPipeline, type BulkRefusal, type BulkTerms, judge } from "./judge.ts";
import { primaryLabel } from "./primary-label.ts";

export const BULK_WARNINGS = ["worker_live", "no_verdict", "in_delivery"] as const;
export type BulkWarning = (typeof BULK_WARNINGS)[number];

export interface BulkRequest extends BulkTerms {
  intent: BulkIntent;
  /** The requested tasks, each under the name that the caller gave it; several names may mean one task. */
  taskIds: readonly string[];
  /** The tasks that were found, by the same names. */
  snapshots: ReadonlyMap<string, TaskSnapshot>;
}

export interface EligibleItem {
  taskId: string;
  decision: "eligible";
  from: UnifiedStatus;
  /** The label after. */
  to: UnifiedStatus;
  warnings: readonly BulkWarning[];
  pipelines: readonly AskedPipeline[];
  eventSeq: number;
}

/** An eligible task with all that execution records for it. */
export interface DecidedItem extends EligibleItem {
  change: Decision;
}

export interface RefusedItem {
  taskId: string;
  decision: "refused";
  code: BulkRefusal;
  /** Null where there is no such task. */
  from: UnifiedStatus | null;
  /** The target; null where an action has none. */
  to: BulkTarget | null;
  /** The targets that this task would have taken; of a change with a target alone. */
  allowed: readonly BulkTarget[];
  pipelines: readonly AskedPipeline[];
  eventSeq: number | null;
}

export type BulkItem = EligibleItem | RefusedItem;

/** A pipeline that runs, or would run if the caller opted in. */
export interface PlannedPipeline {
  name: Pipeline;
  tasks: number;
  /** Tasks for which it was asked already, and will not be again. */
  alreadyDispatched: number;
}

/** What is decided about each task, and what it comes to. */
export interface BulkPlan<Item extends BulkItem = BulkItem> {
  intent: BulkIntent;
  items: readonly Item[];
  counts: { requested: number; eligible: number; refused: number };
  bySource: Partial<Record<UnifiedStatus, { eligible: number; refused: number }>>;
  byCode: Partial<Record<BulkRefusal, number>>;
  pipelines: readonly PlannedPipeline[];
  primaryLabel: string;
}

/** A plan that can be carried out. */
export type DecidedPlan = BulkPlan<DecidedItem | RefusedItem>;

/**
 * Judges every task by itself, in the order asked for, each once. Preview shows the plan and execution records
 * it: there is no other judge of a bulk change.
 */
export function planBulk(request: BulkRequest, context: { newId: () => string }): DecidedPlan {
  const items = [...distinctTasks(request)].map(([taskId, snapshot]) =>
    snapshot === undefined
      ? refusedAsUnknown(taskId, request.intent.targetStatus ?? null)
      : planTask(snapshot, request, context),
  );
  return summarise(items, request);
}

/**
 * The plan of a change whose tasks were judged in parts, each task in one part alone. So a plan of any size needs no
 * more tasks, and no more decisions, in memory than one part holds.
 */
export function joinPlans(
  parts: readonly BulkPlan[],
  request: Pick<BulkRequest, "intent" | "runAttachedWorkflows">,
): BulkPlan {
  return summarise(
    parts.flatMap(({ items }) => items),
    request,
  );
}

/** The plan without what only execution needs: the little that a plan of 50,000 tasks keeps of each. */
export function outlineOf(plan: DecidedPlan): BulkPlan {
  return { ...plan, items: plan.items.map(outlineOfItem) };
}

function outlineOfItem(item: DecidedItem | RefusedItem): BulkItem {
  if (item.decision === "refused") return item;
  const { change: _, ...outline } = item;
  return outline;
}

/**
 * The targets that a refused task would have taken in place of `to`. It takes no more than the ledger keeps, so
 * that a later reading says the same.
 */
export function targetsInstead(refused: {
  code: BulkRefusal;
  from: UnifiedStatus | null;
  to: BulkTarget;
}): readonly BulkTarget[] {
  const { code, from, to } = refused;
  if (from === null || code === "archived") return [];
  const targets = BULK_ALLOWED_TARGETS[from];
  // A task is no duplicate of itself, but may be one of another.
  return code === "self_duplicate" ? targets : targets.filter((target) => target !== to);
}

function summarise<Item extends BulkItem>(
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
    primaryLabel: primaryLabel({ action, eligible, runAttachedWorkflows, pipelines }),
  };
}

/** What was asked for by task, keeping the first of several names; unknown ones stand for themselves. */
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
    const warnings = warningsOf(snapshot);
    return { taskId, decision: "eligible", from, to, warnings, pipelines, eventSeq, change };
  }
  const { code, pipelines = [] } = judged;
  const to = request.intent.targetStatus ?? null;
  const allowed = to === null ? [] : targetsInstead({ code, from, to });
  return { taskId, decision: "refused", code, from, to, allowed, pipelines, eventSeq };
}

function warningsOf(snapshot: TaskSnapshot): BulkWarning[] {
  const { step } = snapshot;
  const holds: Record<BulkWarning, boolean> = {
    worker_live: factsOf(snapshot).runningWorkers.length > 0,
    no_verdict: step.gate === "errored",
    in_delivery: step.kind === "delivery",
  };
  return BULK_WARNINGS.filter((warning) => holds[warning]);
}

/** Those that the target attaches, also where no task is eligible; of an action those that its tasks wait for. */
function plannedPipelines(
  items: readonly BulkItem[],
  { targetStatus }: BulkIntent,
): PlannedPipeline[] {
  const asked = items.flatMap(({ pipelines }) => pipelines);
  const names = targetStatus === undefined ? PIPELINE_NAMES : PIPELINES_ON_TARGET[targetStatus];
  return names.flatMap((name) => {
    const ofName = asked.filter((one) => one.name === name);
    if (targetStatus === undefined && ofName.length === 0) return [];
    const again = ofName.filter((one) => one.again).length;
    return [{ name, tasks: ofName.length - again, alreadyDispatched: again }];
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
