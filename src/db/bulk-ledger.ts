import { type SQL, sql } from "drizzle-orm";
import type { Actor } from "../domain/actor.ts";
import type { BulkTarget } from "../domain/bulk/matrix.ts";
import type { GateState, StepStatus } from "../domain/lifecycle/statuses.ts";
import type { UnifiedStatus } from "../domain/status/unified.ts";

/** One task of a bulk operation, as planned. */
export interface LedgerItem {
  position: number;
  /** As it was asked for; an unknown id may be no UUID at all. */
  taskId: string;
  /** The task that was found under it. */
  id: string | null;
  plannedSeq: number | null;
  stepId: string | null;
  fromStatus: StepStatus | null;
  fromGate: GateState | null;
  fromLabel: UnifiedStatus | null;
  toLabel: BulkTarget;
  /** Decided beforehand (`refused`, `failed`); null lets the writer say `changed` or `stale`. */
  outcome: "refused" | "failed" | null;
  code: string | null;
  error: string | null;
}

/** The ledger's part of a bulk batch. */
export interface BulkRecord {
  id: string;
  /** The first batch that commits bears the operation and leaves every other item `pending`. */
  opening: {
    actor: Actor;
    targetStatus: BulkTarget;
    reason: string;
    duplicateOf: string | null;
    runAttachedWorkflows: boolean;
    requested: number;
    elsewhere: readonly LedgerItem[];
  } | null;
  /** The items that this batch closes. */
  items: readonly LedgerItem[];
}

/** Statements that come before the writer: the operation's row, and what later batches will close. */
export function openBulk(tenantId: string, { id, opening }: BulkRecord): SQL[] {
  if (opening === null) return [];
  const { actor, elsewhere } = opening;
  const row = sql`insert into bulk_operations (tenant_id, id, actor_id, actor_name, target_status, reason,
      duplicate_of, run_attached_workflows, state, requested, changed, refused, stale, failed, dispatched)
    values (${tenantId}, ${id}, ${actor.id}, ${actor.name}, ${opening.targetStatus}, ${opening.reason},
      ${opening.duplicateOf}, ${opening.runAttachedWorkflows}, 'running', ${opening.requested}, 0, 0, 0, 0, 0)`;
  if (elsewhere.length === 0) return [row];
  const pending = sql`insert into bulk_operation_items (tenant_id, operation_id, position, task_id,
      planned_seq, step_id, from_status, from_gate, outcome, from_label, to_label)
    select ${tenantId}::uuid, ${id}::uuid, position, task_id, planned_seq, step_id, from_status, from_gate,
      'pending', from_label, to_label
    from ${itemRows(elsewhere)}`;
  return [row, pending];
}

/**
 * The writer's CTEs for the ledger: an item is `changed` where its task has an event of this batch, and
 * `stale` where not. An outcome is written once: a repeat finds it and leaves it.
 */
export function closeItems(tenantId: string, { id, items }: BulkRecord): SQL {
  return sql`,
closed as (
  insert into bulk_operation_items (tenant_id, operation_id, position, task_id, planned_seq, step_id,
    from_status, from_gate, outcome, code, from_label, to_label, event_seq, error)
  select ${tenantId}::uuid, ${id}::uuid, i.position, i.task_id, i.planned_seq, i.step_id,
    i.from_status, i.from_gate,
    coalesce(i.outcome, case when n.task_id is null then 'stale' else 'changed' end),
    coalesce(i.code, case when n.task_id is null then 'stale' end),
    i.from_label, i.to_label, n.seq, i.error
  from ${itemRows(items)} left join newest n on n.task_id = i.id and i.outcome is null
  -- In one order for all: two calls may close the same items at once.
  order by i.position
  on conflict (tenant_id, operation_id, position) do update
    set outcome = excluded.outcome, code = excluded.code, event_seq = excluded.event_seq, error = excluded.error
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
    state = case
      when b.changed + b.refused + b.stale + b.failed + t.closed < b.requested then 'running'
      when b.stale + t.stale + b.failed + t.failed = 0 then 'completed'
      when b.changed + t.changed = 0 then 'failed'
      else 'partial' end,
    finished_at = case
      when b.changed + b.refused + b.stale + b.failed + t.closed = b.requested then clock_timestamp() end
  from tally t
  where b.tenant_id = ${tenantId}::uuid and b.id = ${id}::uuid
)`;
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
