import { uuidv7 } from "uuidv7";
import type { BulkWork, BulkWorkItem } from "../../db/bulk/bulk-work.ts";
import { type DecidedItem, planBulk, type RefusedItem } from "../../domain/bulk/plan.ts";
import { decideRevert } from "../../domain/bulk/revert.ts";
import type { TaskSnapshot } from "../../domain/lifecycle/snapshot.ts";
import { REGISTRY_VERSION } from "../../domain/registry-version.ts";
import { intentOfOperation } from "./plan-change.ts";
import type { BulkRow } from "./record.ts";

/** What a row is told whose task is no longer where it was planned. */
export const STALE = "stale";
/** What a row is told that was planned by tables which are no longer those of the service. */
export const PLAN_EXPIRED = "plan_expired";

/** A planned task as the ledger is to have it, with its move where it is to move. */
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

/** The same for a task that is to be left as it is, since it was planned otherwise. */
export function staleRow({ item }: BulkRow, code: string = STALE): BulkRow {
  return { item: { ...item, outcome: "stale", code }, move: null };
}

/**
 * The rows of pending items: nothing is planned anew, so that a task that stands elsewhere than it did is `stale`.
 * Where it still stands there, the plan of now is the plan of then, unless other tables have come meanwhile.
 */
export function workRows(work: BulkWork): BulkRow[] {
  const { operation, items, tasks } = work;
  const intent = intentOfOperation(operation);
  if (intent === null) return revertRows(work, items, operation.reason);
  const snapshots = new Map(tasks.map((task) => [task.id, task]));
  const { reason, duplicateOf, runAttachedWorkflows } = operation;
  const terms = { reason, duplicateOf, runAttachedWorkflows };
  const taskIds = items.map(({ taskId }) => taskId);
  const plan = planBulk({ ...intent, ...terms, taskIds, snapshots }, { newId: uuidv7 });
  return plan.items.flatMap((planned, index) => {
    const item = items[index];
    if (item === undefined) return [];
    const row = plannedRow(planned, item.position, snapshots.get(planned.taskId));
    if (planned.eventSeq !== item.seq) return staleRow(unmoved(row, item));
    if (operation.registryVersion !== REGISTRY_VERSION) {
      return staleRow(unmoved(row, item), PLAN_EXPIRED);
    }
    return row;
  });
}

/** The rows of items whose changes are taken back: a task that has moved on since is left, and `stale`. */
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

/** Where a task stands before anything is done with it. */
function placeOf(snapshot: TaskSnapshot | undefined) {
  return {
    id: snapshot?.id ?? null,
    stepId: snapshot?.step.id ?? null,
    fromStatus: snapshot?.step.status ?? null,
    fromGate: snapshot?.step.gate ?? null,
  };
}

/** The row with the labels and the seq by which it was planned. */
function unmoved(row: BulkRow, { seq, fromLabel, toLabel }: BulkWorkItem): BulkRow {
  return { ...row, item: { ...row.item, plannedSeq: seq, fromLabel, toLabel } };
}
