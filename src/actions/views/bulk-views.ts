import type { StoredBulkItem, StoredBulkOperation } from "../../db/bulk-operations.ts";
import type { BulkTarget } from "../../domain/bulk/matrix.ts";
import {
  type BulkCounts,
  type BulkEndState,
  bulkEndState,
  type BulkOutcome,
  countOutcomes,
} from "../../domain/bulk/outcomes.ts";
import {
  BULK_REFUSALS,
  type BulkItem,
  type BulkPlan,
  type BulkRefusal,
  type BulkWarning,
  type PlannedPipeline,
  targetsInstead,
} from "../../domain/bulk/plan.ts";
import type { OperationState } from "../../domain/lifecycle/statuses.ts";
import type { UnifiedStatus } from "../../domain/status/unified.ts";

/** What would become of one task, and why. */
export interface PlannedItemView {
  taskId: string;
  decision: "eligible" | "refused";
  code?: BulkRefusal;
  from: UnifiedStatus | null;
  to: BulkTarget;
  allowed?: BulkTarget[];
  warnings?: BulkWarning[];
}

/** What a bulk change would do. */
export interface BulkPreview {
  targetStatus: BulkTarget;
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
export function plannedItemView(item: BulkItem): PlannedItemView {
  const { taskId, decision, from, to } = item;
  if (item.decision === "refused") {
    return { taskId, decision, code: item.code, from, to, allowed: [...item.allowed] };
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
  to: BulkTarget;
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
  items: BulkItemView[];
}

/** Shows an operation that came to its end, from its items alone: now and at every repeat in the same bytes. */
export function executionView(
  { id, dispatched }: { id: string; dispatched: number },
  items: readonly StoredBulkItem[],
): BulkExecution {
  const counts = countOutcomes(items);
  return {
    operationId: id,
    state: bulkEndState(counts),
    counts,
    dispatched,
    items: items.map(bulkItemView),
  };
}

/** Shows one task of an operation. */
export function bulkItemView(item: StoredBulkItem): BulkItemView {
  const { taskId, outcome, code, fromLabel: from, toLabel: to, eventSeq } = item;
  const refusal = outcome === "refused" ? BULK_REFUSALS.find((known) => known === code) : undefined;
  return {
    taskId,
    outcome,
    ...(code !== null && { code }),
    from,
    to,
    ...(eventSeq !== null && { eventSeq }),
    ...(refusal !== undefined && { allowed: [...targetsInstead({ code: refusal, from, to })] }),
  };
}

/** One task in the list of an operation's items. */
export interface ListedBulkItemView extends BulkItemView {
  position: number;
  /** What the database had against it, where the outcome is `failed`. */
  error: string | null;
}

/** Shows one task of an operation with its place in it. */
export function listedBulkItemView(item: StoredBulkItem): ListedBulkItemView {
  return { position: item.position, ...bulkItemView(item), error: item.error };
}

/** A bulk operation as every answer shows it. */
export interface BulkOperationView {
  id: string;
  targetStatus: BulkTarget;
  reason: string;
  duplicateOf: string | null;
  runAttachedWorkflows: boolean;
  actor: { id: string; name: string };
  state: OperationState;
  counts: BulkCounts;
  dispatched: number;
  createdAt: string;
  finishedAt: string | null;
}

/** Shows a bulk operation. */
export function bulkOperationView(operation: StoredBulkOperation): BulkOperationView {
  const { requested, changed, refused, stale, failed } = operation;
  return {
    id: operation.id,
    targetStatus: operation.targetStatus,
    reason: operation.reason,
    duplicateOf: operation.duplicateOf,
    runAttachedWorkflows: operation.runAttachedWorkflows,
    actor: { id: operation.actorId, name: operation.actorName },
    state: operation.state,
    counts: { requested, changed, refused, stale, failed },
    dispatched: operation.dispatched,
    createdAt: operation.createdAt,
    finishedAt: operation.finishedAt,
  };
}
