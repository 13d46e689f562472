import { uuidv7 } from "uuidv7";
import type { BulkWork, BulkWorkItem } from "../../db/bulk/bulk-work.ts";
import { decodeIntent } from "../../domain/bulk/intent.ts";
import { type DecidedItem, planBulk, type RefusedItem } from "../../domain/bulk/plan.ts";
import { decideRevert } from "../../domain/bulk/revert.ts";
import type { TaskSnapshot } from "../../domain/lifecycle/snapshot.ts";
import { REGISTRY_VERSION } from "../../domain/registry-version.ts";
import type { BulkRow } from "./record.ts";

/** Code of a row whose task has changed since it was planned. */
export const STALE = "stale";
/** Code of a row that was planned by an older version of the registry. */
export const PLAN_EXPIRED = "plan_expired";

/** The row of a planned task, with its move if the task is eligible. */
export function plannedRow(
  item: DecidedItem | RefusedItem,
  position: number,
  snapshot: TaskSnapshot | undefined,
): BulkRow {
  const { taskId, from: fromLabel, to: toLabel, eventSeq: plannedSeq } = item;
  const refusal = item.decision === "refused" ? item.code : null;
  return {
    item: {
      position,
      taskId,
      plannedSeq,
      fromLabel,
      toLabel,
      ...placeOf(snapshot),
      outcome: refusal === null ? null : "refused",
      code: refusal,
      error: null,
    },
    move:
      item.decision === "eligible" && snapshot !== undefined
        ? { snapshot, decision: item.change }
        : null,
  };
}

/** The same row without its move, because its plan no longer holds. */
export function staleRow({ item }: BulkRow, code: string = STALE): BulkRow {
  return { item: { ...item, outcome: "stale", code }, move: null };
}

/**
 * The rows of pending items. A task that has changed since it was planned is `stale`. An unchanged task gets the plan
 * that the caller was given, because the same state and the same registry version give the same plan. The exception is
 * a duplicate: if its original has ended, or another task has become its duplicate, it is `stale` too.
 */
export function workRows(work: BulkWork): BulkRow[] {
  const { operation, items, tasks } = work;
  const intent = decodeIntent(operation);
  if (intent.action === "revert") return revertRows(work, items, operation.reason);
  const snapshots = new Map(tasks.map((task) => [task.id, task]));
  const { duplicateOf } = work;
  const { reason, runAttachedWorkflows } = operation;
  const terms = { reason, duplicateOf, runAttachedWorkflows };
  const taskIds = items.map(({ taskId }) => taskId);
  const plan = planBulk({ intent, ...terms, taskIds, snapshots }, { newId: uuidv7 });
  return plan.items.flatMap((planned, index) => {
    const item = items[index];
    if (item === undefined) return [];
    const row = plannedRow(planned, item.position, snapshots.get(planned.taskId));
    if (planned.eventSeq !== item.seq) return staleRow(asPlanned(row, item));
    if (operation.registryVersion !== REGISTRY_VERSION) {
      return staleRow(asPlanned(row, item), PLAN_EXPIRED);
    }
    return planned.decision === "refused" ? staleRow(asPlanned(row, item)) : row;
  });
}

/** The rows that revert items. A task that has changed since the operation changed it is left alone, as `stale`. */
export function revertRows(
  { tasks, changedBy: operation, events }: BulkWork,
  items: readonly BulkWorkItem[],
  reason: string,
): BulkRow[] {
  const snapshots = new Map(tasks.map((task) => [task.id, task]));
  return items.map((item): BulkRow => {
    const { position, taskId, seq: plannedSeq, fromLabel, toLabel } = item;
    const snapshot = snapshots.get(taskId);
    const planned = { position, taskId, plannedSeq, fromLabel, toLabel };
    const row: BulkRow = {
      item: { ...planned, ...placeOf(snapshot), outcome: null, code: null, error: null },
      move: null,
    };
    const event = events.get(taskId) ?? null;
    const decided = snapshot && decideRevert(snapshot, { operation, event, reason });
    if (snapshot === undefined || !decided) return staleRow(row);
    const { from, to, change: decision } = decided;
    return {
      item: { ...row.item, fromLabel: from, toLabel: to },
      move: { snapshot, decision },
    };
  });
}

/** The step that the task is at before the operation changes it. */
function placeOf(snapshot: TaskSnapshot | undefined) {
  return {
    id: snapshot?.id ?? null,
    stepId: snapshot?.step.id ?? null,
    fromStatus: snapshot?.step.status ?? null,
    fromGate: snapshot?.step.gate ?? null,
  };
}

/** The row with the labels and the seq that were stored when it was planned. */
function asPlanned(row: BulkRow, { seq, fromLabel, toLabel }: BulkWorkItem): BulkRow {
  return { ...row, item: { ...row.item, plannedSeq: seq, fromLabel, toLabel } };
}
