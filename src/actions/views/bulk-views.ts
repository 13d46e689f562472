import type {
  ListedBulkItemRecord,
  BulkItemRecord,
  BulkOperationRecord,
} from "../../db/bulk/bulk-operations.ts";
import { type BulkAction, type BulkEdit, isRevertibleAction } from "../../domain/bulk/actions.ts";
import type { BulkIntent, IntentColumns } from "../../domain/bulk/intent.ts";
import { BULK_REFUSALS, type BulkRefusal } from "../../domain/bulk/judge.ts";
import type { BulkTarget } from "../../domain/bulk/matrix.ts";
import {
  type BulkCounts,
  type BulkEndState,
  type BulkOutcome,
  countOutcomes,
  isOperationEnded,
} from "../../domain/bulk/outcomes.ts";
import {
  type BulkItem,
  type BulkPlan,
  type BulkWarning,
  type PlannedPipeline,
  targetsInstead,
} from "../../domain/bulk/plan.ts";
import type { OperationState } from "../../domain/bulk/states.ts";
import type { UnifiedStatus } from "../../domain/status/unified.ts";

/** What would become of one task, and why. */
export interface PlannedItemView {
  taskId: string;
  decision: "eligible" | "refused";
  code?: BulkRefusal;
  from: UnifiedStatus | null;
  /** The label after; of a refused task the target, where there is one. */
  to: UnifiedStatus | null;
  allowed?: BulkTarget[];
  warnings?: BulkWarning[];
}

/** What a bulk change would do. */
export interface BulkPreview {
  targetStatus?: BulkTarget;
  action?: BulkAction;
  changes?: BulkEdit;
  counts: BulkPlan["counts"];
  bySource: BulkPlan["bySource"];
  byCode: BulkPlan["byCode"];
  pipelines: PlannedPipeline[];
  /** The tasks that the filter found, where one was given. */
  taskIds?: string[];
  items: PlannedItemView[];
  planToken: string;
  expiresAt: string;
  primaryLabel: string;
}

/** Shows one decision of a plan. */
export function plannedItemView(item: BulkItem, { targetStatus }: BulkIntent): PlannedItemView {
  const { taskId, decision, from, to } = item;
  if (item.decision === "refused") {
    const { code, allowed } = item;
    const instead = targetStatus === undefined ? {} : { allowed: [...allowed] };
    return { taskId, decision, code, from, to, ...instead };
  }
  return {
    taskId,
    decision,
    from,
    to,
    ...(item.warnings.length > 0 && { warnings: [...item.warnings] }),
  };
}

/** What became of one task. */
export interface BulkItemView {
  taskId: string;
  outcome: BulkOutcome;
  code?: string;
  from: UnifiedStatus | null;
  to: UnifiedStatus | null;
  eventSeq?: number;
  allowed?: BulkTarget[];
}

/** What a bulk change did. */
export interface BulkExecution {
  operationId: string;
  state: BulkEndState;
  counts: BulkCounts;
  /** How many pipelines were asked for. */
  dispatched: number;
  /** What was taken back, and what could not be; of a revert alone. */
  reverted?: number;
  movedOn?: number;
  recalled?: number;
  alreadyDelivered?: number;
  items: BulkItemView[];
}

/** The answer to a call whose tasks are worked through after it. */
export interface BulkAccepted {
  operationId: string;
  state: "queued";
}

type EndedOperation = Pick<
  BulkOperationRecord,
  "id" | "targetStatus" | "action" | "dispatched" | "recalled" | "alreadyDelivered"
> & { state: OperationState };

/** Shows an operation that came to its end, from its items: now and at every repeat in the same bytes. */
export function executionView(
  operation: EndedOperation,
  items: readonly BulkItemRecord[],
): BulkExecution {
  const { id, targetStatus, state, dispatched } = operation;
  if (!isOperationEnded(state)) throw new Error("Only what has ended is told as a whole");
  const counts = countOutcomes(items);
  return {
    operationId: id,
    state,
    counts,
    dispatched,
    ...(operation.action === "revert" && revertView(operation, counts)),
    items: items.map((item) => bulkItemView({ ...item, targetStatus })),
  };
}

function revertView(
  { recalled, alreadyDelivered }: EndedOperation,
  { changed, stale }: BulkCounts,
) {
  return { reverted: changed, movedOn: stale, recalled, alreadyDelivered };
}

function bulkItemView(item: ListedBulkItemRecord): BulkItemView {
  const { taskId, outcome, code, fromLabel: from, toLabel: to, eventSeq } = item;
  return {
    taskId,
    outcome,
    ...(code !== null && { code }),
    from,
    to,
    ...(eventSeq !== null && { eventSeq }),
    ...allowedInstead(item),
  };
}

/** The targets that a refused task would have taken, where one was asked for. */
function allowedInstead({
  outcome,
  code,
  fromLabel: from,
  targetStatus: to,
}: ListedBulkItemRecord) {
  const refusal = outcome === "refused" ? BULK_REFUSALS.find((known) => known === code) : undefined;
  if (refusal === undefined || to === null) return {};
  return { allowed: [...targetsInstead({ code: refusal, from, to })] };
}

/** One task in the list of an operation's items. */
export interface ListedBulkItemView extends BulkItemView {
  position: number;
  /** What the database had against it, where the outcome is `failed`. */
  error: string | null;
}

/** Shows one task of an operation with its place in it. */
export function listedBulkItemView(item: ListedBulkItemRecord): ListedBulkItemView {
  return { position: item.position, ...bulkItemView(item), error: item.error };
}

/** A bulk operation as every answer shows it. */
export interface BulkOperationView extends IntentColumns {
  id: string;
  reason: string;
  duplicateOf: string | null;
  runAttachedWorkflows: boolean;
  actor: { id: string; name: string };
  state: OperationState;
  counts: BulkCounts;
  dispatched: number;
  /** What a revert called back in time, and what had left already. */
  recalled: number;
  alreadyDelivered: number;
  /** How many tasks have their outcome, how many have not, and when the newest one was written. */
  progress: { done: number; pending: number; at: string };
  cancelRequestedAt: string | null;
  parentId: string | null;
  revertedBy: string | null;
  revertible: boolean;
  createdAt: string;
  finishedAt: string | null;
}

/** Shows a bulk operation. */
export function bulkOperationView(operation: BulkOperationRecord): BulkOperationView {
  const { requested, changed, refused, stale, failed } = operation;
  const done = changed + refused + stale + failed;
  return {
    id: operation.id,
    targetStatus: operation.targetStatus,
    action: operation.action,
    changes: operation.changes,
    reason: operation.reason,
    duplicateOf: operation.duplicateOf,
    runAttachedWorkflows: operation.runAttachedWorkflows,
    actor: { id: operation.actorId, name: operation.actorName },
    state: operation.state,
    counts: { requested, changed, refused, stale, failed },
    dispatched: operation.dispatched,
    recalled: operation.recalled,
    alreadyDelivered: operation.alreadyDelivered,
    progress: { done, pending: requested - done, at: operation.progressAt },
    cancelRequestedAt: operation.cancelRequestedAt,
    parentId: operation.parentId,
    revertedBy: operation.revertedBy,
    revertible: isRevertible(operation),
    createdAt: operation.createdAt,
    finishedAt: operation.finishedAt,
  };
}

/** Whether the operation can be taken back: it has ended, it changed something, and nobody did it before. */
export function isRevertible({
  state,
  action,
  changed,
  revertedBy,
}: Pick<BulkOperationRecord, "state" | "action" | "changed" | "revertedBy">): boolean {
  return (
    isOperationEnded(state) && isRevertibleAction(action) && changed > 0 && revertedBy === null
  );
}
