import { type SQL, sql } from "drizzle-orm";
import type { ActorKind, Role } from "../../domain/actor.ts";
import type { IntentColumns } from "../../domain/bulk/intent.ts";
import type { BulkOutcome } from "../../domain/bulk/outcomes.ts";
import type { OperationState } from "../../domain/bulk/states.ts";
import type { UnifiedStatus } from "../../domain/status/unified.ts";
import type { Operation, OperationRecord, TenantDatabase } from "../connection/client.ts";
import { allOf } from "../sql/conditions.ts";
import { keyQuery } from "../connection/stored-operation.ts";

/** A bulk operation as it is stored. */
export interface BulkOperationRecord extends IntentColumns {
  id: string;
  actorId: string;
  actorName: string;
  actorKind: ActorKind;
  actorRole: Role;
  requestId: string;
  /** The version of the rule tables that it was planned with. */
  registryVersion: number;
  reason: string;
  duplicateOf: string | null;
  runAttachedWorkflows: boolean;
  parentId: string | null;
  revertedBy: string | null;
  state: OperationState;
  requested: number;
  changed: number;
  refused: number;
  stale: number;
  failed: number;
  dispatched: number;
  recalled: number;
  alreadyDelivered: number;
  cancelRequestedAt: string | null;
  createdAt: string;
  progressAt: string;
  finishedAt: string | null;
}

/** One task of a bulk operation, with its outcome. */
export interface BulkItemRecord {
  position: number;
  taskId: string;
  /** The task's seq when it was planned; null if there was no such task. */
  plannedSeq: number | null;
  outcome: BulkOutcome;
  code: string | null;
  fromLabel: UnifiedStatus | null;
  toLabel: UnifiedStatus | null;
  eventSeq: number | null;
  error: string | null;
}

/**
 * Returns a bulk operation (undefined if the tenant has none with this id), and the operation that an earlier call with
 * the same key stored.
 */
export async function findBulkOperation(
  database: TenantDatabase,
  id: string,
  call: Operation | null = null,
): Promise<{ found: BulkOperationRecord | undefined; stored: OperationRecord | null }> {
  const [[found], [stored = null]] = await database.readAll<[BulkOperationRecord, OperationRecord]>(
    [operationById(id), keyQuery(call)],
  );
  return { found, stored };
}

/**
 * Returns a bulk operation with all of its items, by position; undefined if there is none. Answers are built from this.
 */
export async function findBulkLedger(
  database: TenantDatabase,
  id: string,
): Promise<{ operation: BulkOperationRecord; items: BulkItemRecord[] } | undefined> {
  const [[operation], items] = await database.readAll<[BulkOperationRecord, BulkItemRecord]>([
    operationById(id),
    sql`${ITEM_COLUMNS} where operation_id = ${id} order by position`,
  ]);
  return operation && { operation, items };
}

/** The operation after which a page begins. */
export interface OperationPosition {
  createdAt: string;
  id: string;
}

/** Returns a page of bulk operations, newest first. */
export function listBulkOperations(
  database: TenantDatabase,
  { after, limit }: { after: OperationPosition | null; limit: number },
): Promise<BulkOperationRecord[]> {
  return database.read(sql`${operationsIn(sql`bulk_operations`)}
    where ${allOf(after !== null && sql`(created_at, id) < (${after.createdAt}::timestamptz, ${after.id}::uuid)`)}
    order by created_at desc, id desc
    limit ${limit}`);
}

export function operationById(id: string): SQL {
  return sql`${operationsIn(sql`bulk_operations`)} where id = ${id}`;
}

/**
 * Selects id and action of the operation that made the changes: the given one or, for a revert or a retried revert, the
 * one that it reverts.
 */
export function changingOperation(id: SQL): SQL {
  return sql`with recursive up as (
    select id, parent_id, action from bulk_operations where id = ${id}
    union all
    select p.id, p.parent_id, p.action from up join bulk_operations p on p.id = up.parent_id
    where up.action = 'revert')
  select id, action from up where action is distinct from 'revert'`;
}

/** Selects BulkOperationRecords from the table, or from a CTE that returns its rows. */
export function operationsIn(source: SQL): SQL {
  return sql`${OPERATION_COLUMNS} from ${source}`;
}

const OPERATION_COLUMNS = sql`select id, actor_id as "actorId", actor_name as "actorName",
  actor_kind as "actorKind", actor_role as "actorRole", request_id as "requestId",
  registry_version as "registryVersion", target_status as "targetStatus", action, changes,
  to_kind as "toKind", reason,
  duplicate_of as "duplicateOf", run_attached_workflows as "runAttachedWorkflows",
  parent_id as "parentId", reverted_by as "revertedBy", state,
  requested, changed, refused, stale, failed, dispatched, recalled, already_delivered as "alreadyDelivered",
  iso(cancel_requested_at) as "cancelRequestedAt", iso(created_at) as "createdAt",
  iso(progress_at) as "progressAt", iso(finished_at) as "finishedAt"`;

const ITEM_COLUMNS = sql`select position, task_id as "taskId", planned_seq as "plannedSeq", outcome, code,
  from_label as "fromLabel", to_label as "toLabel", event_seq as "eventSeq", error
  from bulk_operation_items`;
