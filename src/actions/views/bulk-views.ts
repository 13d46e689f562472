import type { BulkItemRecord, BulkOperationRecord } from "../../db/bulk/bulk-operations.ts";
import type { ListedBulkItemRecord } from "../../db/bulk/list-bulk-items.ts";
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
import type { StepKind } from "../../domain/lifecycle/statuses.ts";
import type { UnifiedStatus } from "../../domain/status/unified.ts";

/** The decision about one task. */
export interface PlannedItemView {
  taskId: string;
  decision: "eligible" | "refused";
  code?: BulkRefusal;
  from: UnifiedStatus | null;
  /** The label after the change. For a refused task, the target if there is one. */
  to: UnifiedStatus | null;
  allowed?: BulkTarget[];
  warnings?: BulkWarning[];
}

/** What a bulk change would do. */
export interface BulkPreview {
  targetStatus?: BulkTarget;
  action?: BulkAction;
  changes?: BulkEdit;
  toKind?: StepKind;
  counts: BulkPlan["counts"];
  bySource: BulkPlan["bySource"];
  byCode: BulkPlan["byCode"];
  pipelines: PlannedPipeline[];
  /** The tasks that match the filter, if there was one. */
  taskIds?: string[];
  items: PlannedItemView[];
  planToken: string;
  expiresAt: string;
  primaryLabel: string;
}

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

/** The outcome of one task. */
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
  /** How many pipelines were dispatched. */
  dispatched: number;
  /** For a revert only: how many tasks and dispatches were reverted, and how many could not be. */
  reverted?: number;
  movedOn?: number;
  recalled?: number;
  alreadyDelivered?: number;
  items: BulkItemView[];
}

/** The answer to a call whose tasks a consumer works through afterwards. */
export interface BulkAccepted {
  operationId: string;
  state: "queued";
}

type EndedOperation = Pick<
  BulkOperationRecord,
  "id" | "targetStatus" | "action" | "dispatched" | "recalled" | "alreadyDelivered"
> & { state: OperationState };

/** Shows an operation that has ended. Every replay gets the same bytes. */
export function executionView(
  operation: EndedOperation,
  items: readonly BulkItemRecord[],
): BulkExecution {
  const { id, targetStatus, state, dispatched } = operation;
  if (!isOperationEnded(state)) throw new Error("The operation has not ended");
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

/** An item with the target of its operation. */
type AimedItem = BulkItemRecord & Pick<ListedBulkItemRecord, "targetStatus">;

function bulkItemView(item: AimedItem): BulkItemView {
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

/** The targets that a refused task would have accepted, if the change has a target. */
function allowedInstead({ outcome, code, fromLabel: from, targetStatus: to }: AimedItem) {
  const refusal = outcome === "refused" ? BULK_REFUSALS.find((known) => known === code) : undefined;
  if (refusal === undefined || to === null) return {};
  return { allowed: [...targetsInstead({ code: refusal, from, to })] };
}

/** One task in the list of an operation's items. */
export interface ListedBulkItemView extends BulkItemView {
  position: number;
  /** Those that the task has now; null if there is no such task. */
  title: string | null;
  externalId: string | null;
  /** Why the database refused it, if the outcome is `failed`. */
  error: string | null;
}

export function listedBulkItemView(item: ListedBulkItemRecord): ListedBulkItemView {
  const { position, title, externalId, error } = item;
  return { position, ...bulkItemView(item), title, externalId, error };
}

/** A bulk operation as answers show it. */
export interface BulkOperationView extends IntentColumns {
  id: string;
  reason: string;
  duplicateOf: string | null;
  runAttachedWorkflows: boolean;
  actor: { id: string; name: string };
  state: OperationState;
  counts: BulkCounts;
  dispatched: number;
  /** For a revert: dispatches that were recalled, and those that had already been delivered. */
  recalled: number;
  alreadyDelivered: number;
  /** How many tasks have an outcome, how many do not, and when the newest outcome was recorded. */
  progress: { done: number; pending: number; at: string };
  cancelRequestedAt: string | null;
  parentId: string | null;
  revertedBy: string | null;
  revertible: boolean;
  createdAt: string;
  finishedAt: string | null;
}

export function bulkOperationView(operation: BulkOperationRecord): BulkOperationView {
  const { requested, changed, refused, stale, failed } = operation;
  const done = changed + refused + stale + failed;
  return {
    id: operation.id,
    targetStatus: operation.targetStatus,
    action: operation.action,
    changes: operation.changes,
    toKind: operation.toKind,
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

/** Whether the operation can be reverted: it has ended, changed something, and has not been reverted before. */
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
