import { type SQL, sql } from "drizzle-orm";
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
  /** The operation was reverted, or one that it retries was. */
  isReverted: boolean;
  /** The operation that an earlier call with the same key stored. */
  stored: OperationRecord | null;
}

/**
 * Loads an operation and its first `limit` items with these outcomes, by position, in one round trip. With `isRetry`,
 * only those that a retry can change. Returns undefined if there is no such operation.
 */
export async function loadBulkWork(
  database: TenantDatabase,
  wanted: {
    operationId: string;
    outcomes: readonly BulkOutcome[];
    limit: number;
    isRetry?: boolean;
  },
  { operation: call = null }: { operation?: Operation | null } = {},
): Promise<BulkWork | undefined> {
  const { operationId, outcomes, limit, isRetry = false } = wanted;
  const items = sql`(select position, task_id, coalesce(event_seq, planned_seq) as seq, from_label, to_label
    from bulk_operation_items t
    where operation_id = ${operationId} and outcome in (select json_array_elements_text(${JSON.stringify(outcomes)}))
      -- An item without a task can be neither processed nor reverted.
      and planned_seq is not null ${isRetry ? isRetriable(operationId) : sql``}
    order by position limit ${limit})`;
  const [[operation], found, [loaded], [changedBy], events, [facts], stored] =
    await database.readAll<
      [
        BulkOperationRecord,
        BulkWorkItem,
        { parts: SnapshotParts },
        BulkWork["changedBy"],
        UndoneEvent & { taskId: string },
        Pick<BulkWork, "duplicateOf" | "isReverted">,
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
          then e.payload::json end as payload, ${NAMED_BEFORE} as "namedBefore",
        (select p.payload::json -> 'review' from step_events p
          where p.task_id = e.task_id and p.seq = e.seq - 1 and p.type = 'review_recorded'
            and p.bulk_operation_id = e.bulk_operation_id) as review
      from ${items} i join step_events e on e.task_id = i.task_id::uuid and e.seq = i.seq`,
      factsOf(operationId),
      keyQuery(call),
    ]);
  if (operation === undefined || changedBy === undefined) return undefined;
  return {
    operation,
    items: found,
    tasks: loaded === undefined ? [] : snapshotsOf(loaded.parts),
    changedBy,
    events: new Map(events.map(({ taskId, ...event }) => [taskId, event])),
    duplicateOf: facts?.duplicateOf ?? null,
    isReverted: facts?.isReverted ?? false,
    stored: stored[0] ?? null,
  };
}

/** An operation, and the tasks of it that a retry can change, by position. */
export interface RetryFacts extends Pick<BulkWork, "operation" | "duplicateOf" | "isReverted"> {
  taskIds: readonly string[];
}

/** Loads what a retry of an operation needs to know, in one round trip; undefined if there is no such operation. */
export async function loadRetry(
  database: TenantDatabase,
  operationId: string,
  outcomes: readonly BulkOutcome[],
): Promise<RetryFacts | undefined> {
  const [[operation], [facts], items] = await database.readAll<
    [BulkOperationRecord, Pick<BulkWork, "duplicateOf" | "isReverted">, { taskId: string }]
  >([
    operationById(operationId),
    factsOf(operationId),
    sql`select task_id as "taskId" from bulk_operation_items t
      where operation_id = ${operationId} and outcome in (select json_array_elements_text(${JSON.stringify(outcomes)}))
        and planned_seq is not null ${isRetriable(operationId)}
      order by position`,
  ]);
  if (operation === undefined || facts === undefined) return undefined;
  return { operation, ...facts, taskIds: items.map(({ taskId }) => taskId) };
}

/** Selects `duplicateOf` and `isReverted` of an operation. */
function factsOf(operationId: string): SQL {
  return sql`with recursive up as (
      select id, parent_id, action, reverted_by from bulk_operations where id = ${operationId}
      union all
      select p.id, p.parent_id, p.action, p.reverted_by from up join bulk_operations p on p.id = up.parent_id
      where up.action is distinct from 'revert')
    select ${originalJson(sql`t.id = b.duplicate_of`)} as "duplicateOf",
      exists (select from up where reverted_by is not null) as "isReverted"
    from bulk_operations b where b.id = ${operationId}`;
}

/**
 * The condition that a retry of an operation can change the task of its item t: no retry has changed it yet, or is going
 * to. What a revert left as stale has changed since, so that only its failed items can be tried again.
 */
function isRetriable(operationId: string): SQL {
  return sql`and (outcome = 'failed' or (select b.action from bulk_operations b where b.id = ${operationId})
      is distinct from 'revert')
    and t.task_id not in (
      with recursive retries as (
        select c.id, c.state, c.action from bulk_operations b join bulk_operations c on c.parent_id = b.id
        where b.id = ${operationId}
          and (c.action is not distinct from 'revert') = (b.action is not distinct from 'revert')
        union all
        select c.id, c.state, c.action from retries r join bulk_operations c on c.parent_id = r.id
        where (c.action is not distinct from 'revert') = (r.action is not distinct from 'revert'))
      select d.task_id from retries r join bulk_operation_items d on d.operation_id = r.id
      where d.outcome = 'changed' or (d.outcome = 'pending' and r.state in ('queued', 'running')))`;
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
