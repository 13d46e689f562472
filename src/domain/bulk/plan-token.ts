import * as z from "zod";
import type { Refusal } from "../refusals.ts";
import { invalidPlanToken, planExpired, planStale } from "../refusals.ts";
import { REGISTRY_VERSION } from "../registry-version.ts";
import { BULK_ACTIONS } from "./actions.ts";
import { BULK_TARGETS } from "./matrix.ts";
import type { BulkItem, BulkPlan } from "./plan.ts";

export const PLAN_TOKEN_TTL_MS = 60 * 60 * 1000;

/** What a plan token says, and is signed: for whom and for what the plan was made, and how each task stood. */
export const planTokenContents = z.strictObject({
  tenantId: z.string(),
  actorId: z.string(),
  targetStatus: z.enum(BULK_TARGETS).nullable(),
  action: z.enum(BULK_ACTIONS).nullable(),
  /** What an edit sets, as canonical JSON. */
  changes: z.string().nullable(),
  runAttachedWorkflows: z.boolean(),
  duplicateOf: z.string().nullable(),
  registryVersion: z.int(),
  /** Milliseconds since 1970. */
  expiresAt: z.int(),
  /** Keyed digest of `planIdsText`: the same tasks, whatever has become of them. */
  ids: z.string(),
  /** Keyed digests of `planTaskTexts`, in the same order. */
  tasks: z.array(z.string()),
});
export type PlanTokenContents = z.output<typeof planTokenContents>;

/** The call for which a plan is made, or with which one is handed back. */
export type PlanTokenRequest = Pick<
  PlanTokenContents,
  | "tenantId"
  | "actorId"
  | "targetStatus"
  | "action"
  | "changes"
  | "runAttachedWorkflows"
  | "duplicateOf"
>;

/** The keyed digests of a plan's texts, made by the caller: the domain holds no key. */
export type PlanDigests = Pick<PlanTokenContents, "ids" | "tasks">;

/** The plan's items in id order, in which their digests stand. */
export function planItemsById(plan: BulkPlan): BulkItem[] {
  return plan.items.toSorted((one, other) => (one.taskId < other.taskId ? -1 : 1));
}

/** The text whose digest says which tasks the plan is about. */
export function planIdsText(plan: BulkPlan): string {
  return planItemsById(plan)
    .map(({ taskId }) => taskId)
    .join("\n");
}

/** For each task in id order, the text whose digest says how it stood and what was decided. */
export function planTaskTexts(plan: BulkPlan): string[] {
  return planItemsById(plan).map((item) =>
    JSON.stringify([
      item.taskId,
      item.eventSeq,
      item.decision === "eligible" ? "eligible" : item.code,
    ]),
  );
}

/** The contents of a new token, good for an hour from now. */
export function planTokenFor(
  request: PlanTokenRequest,
  digests: PlanDigests,
  nowMs: number,
): PlanTokenContents {
  const { tenantId, actorId, targetStatus, action, changes } = request;
  const { runAttachedWorkflows, duplicateOf } = request;
  return {
    tenantId,
    actorId,
    targetStatus,
    action,
    changes,
    runAttachedWorkflows,
    duplicateOf,
    registryVersion: REGISTRY_VERSION,
    expiresAt: nowMs + PLAN_TOKEN_TTL_MS,
    ids: digests.ids,
    tasks: digests.tasks,
  };
}

/**
 * Why a token of ours is not good for this call; null where it is. One of another body is invalid; one that is
 * too old, or was planned by other tables, has expired.
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
    contents.runAttachedWorkflows === request.runAttachedWorkflows &&
    contents.duplicateOf === request.duplicateOf &&
    contents.ids === digests.ids &&
    contents.tasks.length === digests.tasks.length;
  if (!isSameBody) return invalidPlanToken();
  const isCurrent = contents.expiresAt > nowMs && contents.registryVersion === REGISTRY_VERSION;
  return isCurrent ? null : planExpired();
}

/** The items of the plan of now that stand otherwise than the token says, in id order. */
export function changedSincePlan(
  contents: PlanTokenContents,
  plan: BulkPlan,
  digests: PlanDigests,
): BulkItem[] {
  return planItemsById(plan).filter((_, index) => contents.tasks[index] !== digests.tasks[index]);
}

/** The refusal that lists them, each with its label and code of now. */
export function stalePlan(changed: readonly BulkItem[]): Refusal {
  return planStale(
    changed.map((item) => ({
      taskId: item.taskId,
      unifiedStatus: item.from,
      code: item.decision === "refused" ? item.code : null,
    })),
  );
}
