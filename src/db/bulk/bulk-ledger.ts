import { type SQL, sql } from "drizzle-orm";
import type { Actor } from "../../domain/actor.ts";
import { type BulkOperationIntent, encodeIntent } from "../../domain/bulk/intent.ts";
import type { GateState, StepStatus } from "../../domain/lifecycle/statuses.ts";
import type { UnifiedStatus } from "../../domain/status/unified.ts";
import { REGISTRY_VERSION } from "../../domain/registry-version.ts";
import { endingCtes } from "./end-bulk.ts";
import type { Bound } from "../connection/prepared.ts";
import { notBefore } from "../sql/writer-clock.ts";

/** One task of a bulk operation, as planned. */
export interface LedgerItem {
  position: number;
  /** The id in the request, which may not be a UUID. */
  taskId: string;
  /** The id of the task; null if there is no such task. */
  id: string | null;
  plannedSeq: number | null;
  stepId: string | null;
  fromStatus: StepStatus | null;
  fromGate: GateState | null;
  fromLabel: UnifiedStatus | null;
  toLabel: UnifiedStatus | null;
  /** Null if the writer decides between `changed` and `stale`. */
  outcome: "refused" | "stale" | "failed" | null;
  code: string | null;
  error: string | null;
}

/** The request that opens a bulk operation. */
export interface BulkOpening {
  actor: Actor;
  requestId: string;
  intent: BulkOperationIntent;
  reason: string;
  duplicateOf: string | null;
  runAttachedWorkflows: boolean;
  /** The operation that this one retries or reverts. */
  parentId: string | null;
}

/** One batch of a bulk operation. */
export interface BulkBatch {
  id: string;
  reason: string;
  /** Set for the first batch, which inserts the operation and the items of later batches (`elsewhere`) as `pending`. */
  opening: (BulkOpening & { requested: number; elsewhere: readonly LedgerItem[] }) | null;
  /** The items that get their outcome in this batch. */
  items: readonly LedgerItem[];
}

/**
 * The statements before the writer's. The first batch inserts the operation and the pending items. A later batch locks
 * the operation before any task, so that it sees whether the operation was cancelled.
 */
export function openBulk(tenantId: string, { id, opening }: BulkBatch): SQL[] {
  if (opening === null) {
    return [
      sql`update bulk_operations set state = 'running', progress_at = clock_timestamp()
        where tenant_id = ${tenantId}::uuid and id = ${id}::uuid and state in ('queued', 'running')`,
    ];
  }
  const { requested, elsewhere } = opening;
  const counts = { requested, refused: 0, stale: 0 };
  const opened = insertBulkOperation(tenantId, { id, opening, state: "running", counts });
  if (elsewhere.length === 0) return opened;
  const pending = sql`insert into bulk_operation_items (tenant_id, operation_id, position, task_id,
      planned_seq, step_id, from_status, from_gate, outcome, from_label, to_label)
    select ${tenantId}::uuid, ${id}::uuid, position, task_id, planned_seq, step_id, from_status, from_gate,
      'pending', from_label, to_label
    from ${itemRows(elsewhere)}`;
  return [...opened, pending];
}

/** The unique index that a second revert of the same operation violates, even if the two are concurrent. */
export const REVERTED_ONCE = "bulk_operations_reverted_once";

/** The trigger that refuses a retry of an operation that was reverted, even if the two are concurrent. */
export const RETRIED = "bulk_operations_retried";

/**
 * The insert of the operation. For a revert, also the update that marks the reverted operation; a unique index allows
 * only one revert of each operation.
 */
export function insertBulkOperation(
  tenantId: string,
  row: {
    id: string;
    opening: BulkOpening;
    state: "queued" | "running";
    counts: { requested: number; refused: number; stale: number };
  },
): SQL[] {
  const { id, opening, state, counts } = row;
  const { actor, parentId } = opening;
  const { targetStatus, action, changes: edit, toKind } = encodeIntent(opening.intent);
  const changes = edit === null ? null : JSON.stringify(edit);
  const operation = sql`insert into bulk_operations (tenant_id, id, actor_id, actor_name, actor_kind, actor_role,
      request_id, registry_version, target_status, action, changes, to_kind, reason, duplicate_of, run_attached_workflows,
      parent_id, state, requested, changed, refused, stale, failed, dispatched)
    values (${tenantId}, ${id}, ${actor.id}, ${actor.name}, ${actor.kind}, ${actor.role},
      ${opening.requestId}, ${REGISTRY_VERSION}, ${targetStatus}, ${action}, ${changes}::jsonb, ${toKind},
      ${opening.reason}, ${opening.duplicateOf}, ${opening.runAttachedWorkflows},
      ${parentId}, ${state}, ${counts.requested}, 0, ${counts.refused}, ${counts.stale}, 0, 0)`;
  if (action !== "revert") return [operation];
  // A retry of a revert has that revert as its parent, which is not marked as reverted.
  const marked = sql`update bulk_operations set reverted_by = ${id}::uuid
    where tenant_id = ${tenantId}::uuid and id = ${parentId}::uuid and action is distinct from 'revert'`;
  return [operation, marked];
}

/** The condition that the operation is still running. */
export function isBulkOpen(tenantId: Bound<string>, { id }: BulkBatch): SQL {
  return sql`exists (select from bulk_operations b
    where b.tenant_id = ${tenantId}::uuid and b.id = ${id}::uuid and b.state = 'running')`;
}

/**
 * The writer's CTEs that close the items of a batch and count them. An item is `changed` if the batch had an effect on
 * its task, and otherwise `stale`. An outcome is final: a repeat does not overwrite it.
 */
export function closeItems(
  tenantId: Bound<string>,
  batch: BulkBatch,
  undone: { recalled: SQL; alreadyDelivered: SQL },
): SQL {
  const { id, items } = batch;
  return sql`,
closed as (
  insert into bulk_operation_items (tenant_id, operation_id, position, task_id, planned_seq, step_id,
    from_status, from_gate, outcome, code, from_label, to_label, event_seq, error)
  select ${tenantId}::uuid, ${id}::uuid, i.position, i.task_id, i.planned_seq, coalesce(n.step_id, i.step_id),
    i.from_status, i.from_gate,
    coalesce(i.outcome, case when n.task_id is null then 'stale' else 'changed' end),
    coalesce(i.code, case when n.task_id is null then 'stale' end),
    i.from_label, i.to_label, n.seq, i.error
  from ${itemRows(items)} left join effect n on n.task_id = i.id and i.outcome is null
  where ${isBulkOpen(tenantId, batch)}
  -- The same order in every call, because two calls may close the same items concurrently.
  order by i.position
  on conflict (tenant_id, operation_id, position) do update
    set outcome = excluded.outcome, code = excluded.code, event_seq = excluded.event_seq, error = excluded.error,
      step_id = excluded.step_id, from_status = excluded.from_status, from_gate = excluded.from_gate,
      from_label = excluded.from_label, to_label = excluded.to_label
    where bulk_operation_items.outcome = 'pending'
  returning outcome
),
tally as materialized (
  select count(*) filter (where outcome = 'changed') as changed,
    count(*) filter (where outcome = 'refused') as refused,
    count(*) filter (where outcome = 'stale') as stale,
    count(*) filter (where outcome = 'failed') as failed,
    count(*) as closed
  from closed
),
finished as (
  update bulk_operations b set
    changed = b.changed + t.changed, refused = b.refused + t.refused,
    stale = b.stale + t.stale, failed = b.failed + t.failed,
    dispatched = b.dispatched + (select count(*) from dispatched),
    recalled = b.recalled + ${undone.recalled}, already_delivered = b.already_delivered + ${undone.alreadyDelivered},
    progress_at = clock_timestamp(),
    state = case
      when b.changed + b.refused + b.stale + b.failed + t.closed < b.requested then 'running'
      when b.stale + t.stale + b.failed + t.failed = 0
        then case when b.refused + t.refused = b.requested then 'refused' else 'completed' end
      when b.changed + t.changed = 0 then 'failed'
      else 'partial' end,
    finished_at = case
      when b.changed + b.refused + b.stale + b.failed + t.closed = b.requested then ${notBefore(sql`b.created_at`)} end
  from tally t
  where b.tenant_id = ${tenantId}::uuid and b.id = ${id}::uuid and b.state = 'running'
  returning b.*
),${endingCtes(tenantId)}`;
}

function itemRows(items: readonly LedgerItem[]): SQL {
  const rows = items.map((item) => ({
    position: item.position,
    task_id: item.taskId,
    id: item.id,
    planned_seq: item.plannedSeq,
    step_id: item.stepId,
    from_status: item.fromStatus,
    from_gate: item.fromGate,
    from_label: item.fromLabel,
    to_label: item.toLabel,
    outcome: item.outcome,
    code: item.code,
    error: item.error,
  }));
  return sql`json_to_recordset(${JSON.stringify(rows)}) as i(position integer, task_id text, id uuid,
    planned_seq integer, step_id uuid, from_status text, from_gate text, from_label text, to_label text,
    outcome text, code text, error text)`;
}
