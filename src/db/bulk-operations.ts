import { type SQL, sql } from "drizzle-orm";
import type { BulkTarget } from "../domain/bulk/matrix.ts";
import type { BulkOutcome } from "../domain/bulk/outcomes.ts";
import type { OperationState } from "../domain/lifecycle/statuses.ts";
import type { UnifiedStatus } from "../domain/status/unified.ts";
import type { TenantDatabase } from "./client.ts";

/** One change of many tasks, as the ledger has it. */
export interface StoredBulkOperation {
  id: string;
  actorId: string;
  actorName: string;
  targetStatus: BulkTarget;
  reason: string;
  duplicateOf: string | null;
  runAttachedWorkflows: boolean;
  state: OperationState;
  requested: number;
  changed: number;
  refused: number;
  stale: number;
  failed: number;
  dispatched: number;
  createdAt: string;
  finishedAt: string | null;
}

/** What became of one of its tasks. */
export interface StoredBulkItem {
  position: number;
  taskId: string;
  /** Where the task stood when it was planned; null where there was none. */
  plannedSeq: number | null;
  outcome: BulkOutcome;
  code: string | null;
  fromLabel: UnifiedStatus | null;
  toLabel: BulkTarget;
  eventSeq: number | null;
  error: string | null;
}

/** A bulk operation; undefined where this tenant has none by that id. */
export async function findBulkOperation(
  database: TenantDatabase,
  id: string,
): Promise<StoredBulkOperation | undefined> {
  const [operation] = await database.read<StoredBulkOperation>(operationById(id));
  return operation;
}

/** A bulk operation with every item, by position: what its answer is made from. */
export async function findBulkLedger(
  database: TenantDatabase,
  id: string,
): Promise<{ operation: StoredBulkOperation; items: StoredBulkItem[] } | undefined> {
  const [[operation], items] = await database.readAll<[StoredBulkOperation, StoredBulkItem]>([
    operationById(id),
    sql`${ITEM_COLUMNS} where operation_id = ${id} order by position`,
  ]);
  return operation && { operation, items };
}

/** Where a page of operations goes on: after this one, towards older ones. */
export interface OperationPosition {
  createdAt: string;
  id: string;
}

/** Bulk operations, newest first. */
export function listBulkOperations(
  database: TenantDatabase,
  { after, limit }: { after: OperationPosition | null; limit: number },
): Promise<StoredBulkOperation[]> {
  return database.read(sql`${OPERATION_COLUMNS}
    where ${after === null ? sql`true` : sql`(created_at, id) < (${after.createdAt}::timestamptz, ${after.id}::uuid)`}
    order by created_at desc, id desc
    limit ${limit}`);
}

/** Items of a bulk operation, by position; null where there is no such operation. */
export async function listBulkItems(
  database: TenantDatabase,
  page: { operationId: string; outcome: BulkOutcome | undefined; after: number; limit: number },
): Promise<StoredBulkItem[] | null> {
  const { operationId, outcome, after, limit } = page;
  const [[operation], items] = await database.readAll<[{ id: string }, StoredBulkItem]>([
    sql`select id from bulk_operations where id = ${operationId}`,
    sql`${ITEM_COLUMNS}
      where operation_id = ${operationId} and position > ${after}
        and ${outcome === undefined ? sql`true` : sql`outcome = ${outcome}`}
      order by position
      limit ${limit}`,
  ]);
  return operation === undefined ? null : items;
}

function operationById(id: string): SQL {
  return sql`${OPERATION_COLUMNS} where id = ${id}`;
}

const OPERATION_COLUMNS = sql`select id, actor_id as "actorId", actor_name as "actorName",
  target_status as "targetStatus", reason, duplicate_of as "duplicateOf",
  run_attached_workflows as "runAttachedWorkflows", state,
  requested, changed, refused, stale, failed, dispatched,
  iso(created_at) as "createdAt", iso(finished_at) as "finishedAt"
  from bulk_operations`;

const ITEM_COLUMNS = sql`select position, task_id as "taskId", planned_seq as "plannedSeq", outcome, code,
  from_label as "fromLabel", to_label as "toLabel", event_seq as "eventSeq", error
  from bulk_operation_items`;
