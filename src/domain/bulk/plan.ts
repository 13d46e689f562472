import type { Decision } from "../lifecycle/decision.ts";
import { dispatchesOf } from "../lifecycle/decide/changes.ts";
import { moveStep } from "../lifecycle/decide/move-step.ts";
import { transitionTo } from "../lifecycle/decide/transition.ts";
import type { TaskSnapshot } from "../lifecycle/snapshot.ts";
import type { Pipeline } from "../lifecycle/statuses.ts";
import { PIPELINES_ON_TARGET } from "../pipelines/attached.ts";
import { factsOf, resolve } from "../status/resolve.ts";
import type { UnifiedStatus } from "../status/unified.ts";
import type { BulkTarget } from "./matrix.ts";
import { BULK_ALLOWED_TARGETS, BULK_STEP_STATUS } from "./matrix.ts";
import { primaryLabel } from "./primary-label.ts";

export const BULK_REFUSALS = [
  "not_found",
  "archived",
  "already_in_status",
  "illegal_target",
  "gate_closed",
  "self_duplicate",
] as const;
export type BulkRefusal = (typeof BULK_REFUSALS)[number];

export const BULK_WARNINGS = ["worker_live", "no_verdict", "in_delivery"] as const;
export type BulkWarning = (typeof BULK_WARNINGS)[number];

export interface BulkRequest {
  /** What was asked for, each under the name that the caller gave it; several names may mean one task. */
  taskIds: readonly string[];
  /** The tasks that were found, by the same names. */
  snapshots: ReadonlyMap<string, TaskSnapshot>;
  targetStatus: BulkTarget;
  reason: string;
  duplicateOf: string | null;
  runAttachedWorkflows: boolean;
}

export interface EligibleItem {
  taskId: string;
  decision: "eligible";
  from: UnifiedStatus;
  to: BulkTarget;
  warnings: readonly BulkWarning[];
  eventSeq: number;
  /** All that execution records for this task. */
  change: Decision;
}

export interface RefusedItem {
  taskId: string;
  decision: "refused";
  code: BulkRefusal;
  /** Null where there is no such task. */
  from: UnifiedStatus | null;
  to: BulkTarget;
  /** The targets that this task would have taken. */
  allowed: readonly BulkTarget[];
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

export interface BulkPlan {
  targetStatus: BulkTarget;
  items: readonly BulkItem[];
  counts: { requested: number; eligible: number; refused: number };
  bySource: Partial<Record<UnifiedStatus, { eligible: number; refused: number }>>;
  byCode: Partial<Record<BulkRefusal, number>>;
  pipelines: readonly PlannedPipeline[];
  primaryLabel: string;
}

/**
 * Judges every task by itself, in the order asked for, each once. Preview shows the plan and execution records
 * it: there is no other judge of a bulk change.
 */
export function planBulk(request: BulkRequest, context: { newId: () => string }): BulkPlan {
  const items = [...distinctTasks(request)].map(([taskId, snapshot]) =>
    snapshot === undefined
      ? refusedAsUnknown(taskId, request.targetStatus)
      : planTask(snapshot, request, context),
  );
  return summarise(items, plannedPipelines(items, request), request);
}

/**
 * The plan of a change whose tasks were judged in parts, each task in one part alone. So a plan of any size needs no
 * more tasks in memory than one part holds.
 */
export function joinPlans(
  parts: readonly BulkPlan[],
  request: Pick<BulkRequest, "targetStatus" | "runAttachedWorkflows">,
): BulkPlan {
  const pipelines = PIPELINES_ON_TARGET[request.targetStatus].map((name) => {
    const ofParts = parts.flatMap((part) => part.pipelines.filter((one) => one.name === name));
    return {
      name,
      tasks: sum(ofParts.map(({ tasks }) => tasks)),
      alreadyDispatched: sum(ofParts.map(({ alreadyDispatched }) => alreadyDispatched)),
    };
  });
  return summarise(
    parts.flatMap(({ items }) => items),
    pipelines,
    request,
  );
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

function summarise(
  items: readonly BulkItem[],
  pipelines: readonly PlannedPipeline[],
  request: Pick<BulkRequest, "targetStatus" | "runAttachedWorkflows">,
): BulkPlan {
  const eligible = items.filter((item) => item.decision === "eligible").length;
  const { targetStatus, runAttachedWorkflows } = request;
  return {
    targetStatus,
    items,
    counts: { requested: items.length, eligible, refused: items.length - eligible },
    bySource: countBySource(items),
    byCode: countByCode(items),
    pipelines,
    primaryLabel: primaryLabel({ eligible, runAttachedWorkflows, pipelines }),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
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

function refusedAsUnknown(taskId: string, to: BulkTarget): RefusedItem {
  const code = "not_found";
  return { taskId, decision: "refused", code, from: null, to, allowed: [], eventSeq: null };
}

function planTask(
  snapshot: TaskSnapshot,
  request: BulkRequest,
  context: { newId: () => string },
): BulkItem {
  const to = request.targetStatus;
  const from = resolve(factsOf(snapshot));
  const known = { taskId: snapshot.id, from, to, eventSeq: snapshot.eventSeq };
  const refused = (code: BulkRefusal): RefusedItem => ({
    ...known,
    decision: "refused",
    code,
    allowed: targetsInstead({ code, from, to }),
  });

  if (snapshot.archivedAt !== null) return refused("archived");
  if (from === to) return refused("already_in_status");
  if (!BULK_ALLOWED_TARGETS[from].includes(to)) return refused("illegal_target");
  const moved = moveStep(snapshot.step, BULK_STEP_STATUS[to]);
  if (!moved.ok) {
    return refused(moved.refusal.code === "gate_closed" ? "gate_closed" : "illegal_target");
  }
  if (request.duplicateOf === snapshot.id) return refused("self_duplicate");

  const { reason, duplicateOf, runAttachedWorkflows } = request;
  const command = { reason, duplicateOf: duplicateOf ?? undefined, runAttachedWorkflows };
  const attached = runAttachedWorkflows ? PIPELINES_ON_TARGET[to] : [];
  const change: Decision = {
    ...transitionTo(moved.value, snapshot, command, "bulk_transitioned"),
    dispatches: dispatchesOf(attached, moved.value, context.newId),
  };
  return { ...known, decision: "eligible", warnings: warningsOf(snapshot), change };
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

function plannedPipelines(items: readonly BulkItem[], request: BulkRequest): PlannedPipeline[] {
  const eligible = new Set(
    items.flatMap(({ taskId, decision }) => (decision === "eligible" ? [taskId] : [])),
  );
  // Several names may mean one task.
  const tasks = new Map([...request.snapshots.values()].map((task) => [task.id, task]));
  const asked = [...tasks.values()].filter(({ id }) => eligible.has(id));
  return PIPELINES_ON_TARGET[request.targetStatus].map((name) => {
    const again = asked.filter(({ alreadyDispatched }) => alreadyDispatched.includes(name)).length;
    return { name, tasks: asked.length - again, alreadyDispatched: again };
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
