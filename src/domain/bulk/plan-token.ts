import * as z from "zod";
import type { Refusal } from "../refusals.ts";
import { invalidPlanToken, planExpired, planStale } from "../refusals.ts";
import { STEP_KINDS } from "../lifecycle/statuses.ts";
import { REGISTRY_VERSION } from "../registry-version.ts";
import { BULK_ACTIONS } from "./actions.ts";
import { BULK_TARGETS } from "./matrix.ts";
import type { BulkItem, BulkPlan } from "./plan.ts";

export const PLAN_TOKEN_TTL_MS = 60 * 60 * 1000;

/** The signed contents of a plan token: the caller, the change, and the state of each task. */
export const planTokenContents = z.strictObject({
  tenantId: z.string(),
  actorId: z.string(),
  targetStatus: z.enum(BULK_TARGETS).nullable(),
  action: z.enum(BULK_ACTIONS).nullable(),
  /** The fields that an edit sets, as canonical JSON. */
  changes: z.string().nullable(),
  /** The stage to which a rework leads. */
  toKind: z.enum(STEP_KINDS).nullable(),
  runAttachedWorkflows: z.boolean(),
  duplicateOf: z.string().nullable(),
  /** The operation whose failed tasks are retried. Tokens of earlier releases have none. */
  retryOf: z.string().nullable().default(null),
  registryVersion: z.int(),
  /** In milliseconds since 1970. */
  expiresAt: z.int(),
  /** Keyed digest of `planIdsText`. Equal for the same set of tasks, whatever their state. */
  ids: z.string(),
  /** Keyed digests of `planTaskTexts`, in the same order. */
  tasks: z.array(z.string()),
});
export type PlanTokenContents = z.output<typeof planTokenContents>;

/** The call that a plan is made for, or that presents a plan token. */
export type PlanTokenRequest = Pick<
  PlanTokenContents,
  | "tenantId"
  | "actorId"
  | "targetStatus"
  | "action"
  | "changes"
  | "toKind"
  | "runAttachedWorkflows"
  | "duplicateOf"
  | "retryOf"
>;

/** The keyed digests of a plan's texts. The caller computes them, because the domain has no key. */
export type PlanDigests = Pick<PlanTokenContents, "ids" | "tasks">;

/** Returns the items of a plan in the order of their digests, which is by task id. */
export function planItemsById(plan: BulkPlan): BulkItem[] {
  return plan.items.toSorted((one, other) => (one.taskId < other.taskId ? -1 : 1));
}

/** Returns the text whose digest identifies the tasks of a plan. */
export function planIdsText(plan: BulkPlan): string {
  return planItemsById(plan)
    .map(({ taskId }) => taskId)
    .join("\n");
}

/** Returns one text per task, by task id. Its digest identifies the task's state and the decision. */
export function planTaskTexts(plan: BulkPlan): string[] {
  return planItemsById(plan).map((item) =>
    JSON.stringify([
      item.taskId,
      item.eventSeq,
      item.decision === "eligible" ? "eligible" : item.code,
    ]),
  );
}

/** Returns the contents of a new token, which expires after PLAN_TOKEN_TTL_MS. */
export function planTokenFor(
  request: PlanTokenRequest,
  digests: PlanDigests,
  nowMs: number,
): PlanTokenContents {
  const { tenantId, actorId, targetStatus, action, changes, toKind } = request;
  const { runAttachedWorkflows, duplicateOf, retryOf } = request;
  return {
    tenantId,
    actorId,
    targetStatus,
    action,
    changes,
    toKind,
    runAttachedWorkflows,
    duplicateOf,
    retryOf,
    registryVersion: REGISTRY_VERSION,
    expiresAt: nowMs + PLAN_TOKEN_TTL_MS,
    ids: digests.ids,
    tasks: digests.tasks,
  };
}

/**
 * Returns why a token with a valid signature does not apply to this call, or null if it does. A token for another request
 * is invalid. A token that is too old, or was made with other tables, has expired.
 */
export function planTokenFault(
  contents: PlanTokenContents,
  request: PlanTokenRequest,
  digests: PlanDigests,
  nowMs: number,
): Refusal | null {
  const isSameBody =
    contents.tenantId === request.tenantId &&
    contents.actorId === request.actorId &&
    contents.targetStatus === request.targetStatus &&
    contents.action === request.action &&
    contents.changes === request.changes &&
    contents.toKind === request.toKind &&
    contents.runAttachedWorkflows === request.runAttachedWorkflows &&
    contents.duplicateOf === request.duplicateOf &&
    contents.retryOf === request.retryOf;
  const isSameList = contents.ids === digests.ids && contents.tasks.length === digests.tasks.length;
  // The caller of a retry names no tasks, and another retry may have changed some of them since.
  if (isSameBody && !isSameList && request.retryOf !== null) return planExpired();
  if (!isSameBody || !isSameList) return invalidPlanToken();
  const isCurrent = contents.expiresAt > nowMs && contents.registryVersion === REGISTRY_VERSION;
  return isCurrent ? null : planExpired();
}

/** Returns the items of the current plan that differ from the token, by task id. */
export function changedSincePlan(
  contents: PlanTokenContents,
  plan: BulkPlan,
  digests: PlanDigests,
): BulkItem[] {
  return planItemsById(plan).filter((_, index) => contents.tasks[index] !== digests.tasks[index]);
}

/** Returns the refusal that lists the changed tasks with their current labels and codes. */
export function stalePlan(changed: readonly BulkItem[]): Refusal {
  return planStale(
    changed.map((item) => ({
      taskId: item.taskId,
      unifiedStatus: item.from,
      code: item.decision === "refused" ? item.code : null,
    })),
  );
}
