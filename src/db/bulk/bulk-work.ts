import { sql } from "drizzle-orm";
import type { BulkOperationAction } from "../../domain/bulk/actions.ts";
import type { Original } from "../../domain/lifecycle/duplicates.ts";
import type { BulkOutcome } from "../../domain/bulk/outcomes.ts";
import type { UndoneEvent } from "../../domain/bulk/revert.ts";
import type { TaskSnapshot } from "../../domain/lifecycle/snapshot.ts";
import type { UnifiedStatus } from "../../domain/status/unified.ts";
import { changingOperation, operationById, type BulkOperationRecord } from "./bulk-operations.ts";
import type { Database, Operation, OperationRecord, TenantDatabase } from "../connection/client.ts";
import { type SnapshotParts, snapshotParts, snapshotsOf } from "../snapshots/task-snapshots.ts";
import { NAMED_BEFORE, originalJson } from "../tasks/duplicates.ts";
import { keyQuery } from "../connection/stored-operation.ts";

/** An item to process. */
export interface BulkWorkItem {
  position: number;
  taskId: string;
  /** The seq of the event that the operation wrote, or the task's seq when it was planned. */
  seq: number;
  fromLabel: UnifiedStatus | null;
  toLabel: UnifiedStatus | null;
}

/** Items of an operation, and the facts for decisions about their tasks. */
export interface BulkWork {
  operation: BulkOperationRecord;
  items: BulkWorkItem[];
  tasks: TaskSnapshot[];
  /** The operation that made the changes: this one, or the one that it reverts. */
  changedBy: { id: string; action: BulkOperationAction | null };
  /** The events at the seqs of the items, by task. */
  events: ReadonlyMap<string, UndoneEvent>;
  /** The task that the others duplicate; null if the operation names none. */
  duplicateOf: Original | null;
  /** The operation that an earlier call with the same key stored. */
  stored: OperationRecord | null;
}

/**
 * Loads an operation and its first `limit` items with these outcomes, by position, in one round trip. Returns undefined
 * if there is no such operation.
 */
export async function loadBulkWork(
  database: TenantDatabase,
  wanted: { operationId: string; outcomes: readonly BulkOutcome[]; limit: number },
  { operation: call = null }: { operation?: Operation | null } = {},
): Promise<BulkWork | undefined> {
  const { operationId, outcomes, limit } = wanted;
  const items = sql`(select position, task_id, coalesce(event_seq, planned_seq) as seq, from_label, to_label
    from bulk_operation_items
    where operation_id = ${operationId} and outcome in (select json_array_elements_text(${JSON.stringify(outcomes)}))
      -- An item without a task can be neither processed nor reverted.
      and planned_seq is not null
    order by position limit ${limit})`;
  const [[operation], found, [loaded], [changedBy], events, [original], stored] =
    await database.readAll<
      [
        BulkOperationRecord,
        BulkWorkItem,
        { parts: SnapshotParts },
        BulkWork["changedBy"],
        UndoneEvent & { taskId: string },
        { duplicateOf: Original | null },
        OperationRecord,
      ]
    >([
      operationById(operationId),
      sql`select position, task_id as "taskId", seq, from_label as "fromLabel", to_label as "toLabel"
      from ${items} i order by position`,
      sql`select ${snapshotParts(sql`(select task_id::uuid as id from ${items} i)`, {
        withSteps: true,
        withNamedBy: sql`(select b.target_status is not distinct from 'DUPLICATE' or b.action is not distinct from 'revert'
        from bulk_operations b where b.id = ${operationId})`,
      })} as parts`,
      changingOperation(sql`${operationId}`),
      sql`select e.task_id as "taskId", e.seq, e.type, e.from_status as "fromStatus", e.from_gate as "fromGate",
        case when e.type = 'task_updated' or e.payload like '%"hold":%' or e.payload like '%"settled":%'
          then e.payload::json end as payload, ${NAMED_BEFORE} as "namedBefore"
      from ${items} i join step_events e on e.task_id = i.task_id::uuid and e.seq = i.seq`,
      sql`select ${originalJson(sql`t.id = b.duplicate_of`)} as "duplicateOf" from bulk_operations b
      where b.id = ${operationId}`,
      keyQuery(call),
    ]);
  if (operation === undefined || changedBy === undefined) return undefined;
  return {
    operation,
    items: found,
    tasks: loaded === undefined ? [] : snapshotsOf(loaded.parts),
    changedBy,
    events: new Map(events.map(({ taskId, ...event }) => [taskId, event])),
    duplicateOf: original?.duplicateOf ?? null,
    stored: stored[0] ?? null,
  };
}

/** Returns the task ids of an operation's items with these outcomes, by position. */
export async function listWorkTasks(
  database: TenantDatabase,
  operationId: string,
  outcomes: readonly BulkOutcome[],
): Promise<string[]> {
  const rows = await database.read<{ taskId: string }>(sql`
    select task_id as "taskId" from bulk_operation_items
    where operation_id = ${operationId} and outcome in (select json_array_elements_text(${JSON.stringify(outcomes)}))
    order by position`);
  return rows.map(({ taskId }) => taskId);
}

/** A bulk operation and its tenant. */
export interface BulkRef {
  tenantId: string;
  id: string;
}

/** Claims operations that have made no progress for five minutes. Each goes to one caller. */
export function claimHaltedOperations(database: Database, rowsMax: number): Promise<BulkRef[]> {
  return database.acrossTenants<BulkRef>(sql`
    select tenant_id as "tenantId", id from claim_halted_operations(${rowsMax}::integer)`);
}
