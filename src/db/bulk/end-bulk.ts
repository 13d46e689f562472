import { type SQL, sql } from "drizzle-orm";
import type { AnalyticsEvent, AnalyticsEventName } from "../../domain/analytics.ts";
import { BULK_END_STATES } from "../../domain/bulk/outcomes.ts";
import { TERMINAL_UNIFIED } from "../../domain/status/unified.ts";
import { changingOperation, operationsIn, type BulkOperationRecord } from "./bulk-operations.ts";
import type { Operation, TenantDatabase, Written } from "../connection/client.ts";
import { keepOrDrop } from "../ledger/operations.ts";
import { listed } from "../sql/listed.ts";
import type { Bound } from "../connection/prepared.ts";
import { enqueueDeliveries } from "../webhooks/webhook-outbox.ts";
import { notBefore } from "../sql/writer-clock.ts";

const BULK_STATUS_TERMINAL: AnalyticsEventName = "admin_bulk_status_terminal";

const TERMINAL = listed(TERMINAL_UNIFIED);

/**
 * The CTEs for the side effects of an operation's end. They read the CTE `finished`, which returns the operation as it
 * is now, and do nothing while it is running. Each side effect happens once, whichever statement ends the operation.
 */
export function endingCtes(tenantId: Bound<string>): SQL {
  const finishedRows = sql`
    select b.id as source, json_build_object(
      'operationId', b.id, 'targetStatus', b.target_status, 'action', b.action, 'reason', b.reason,
      'actor', json_build_object('id', b.actor_id, 'name', b.actor_name), 'state', b.state,
      'counts', json_build_object('requested', b.requested, 'changed', b.changed, 'refused', b.refused,
        'stale', b.stale, 'failed', b.failed),
      'dispatched', b.dispatched, 'recalled', b.recalled, 'alreadyDelivered', b.already_delivered,
      'parentId', b.parent_id, 'createdAt', iso(b.created_at), 'finishedAt', iso(b.finished_at)) as data
    from ended b`;
  return sql`
ended as materialized (
  select * from finished where state in (${listed(BULK_END_STATES)})
),
analytics as (
  insert into analytics_events (tenant_id, id, name, bulk_operation_id, properties)
  select ${tenantId}::uuid, new_id(), ${BULK_STATUS_TERMINAL}::text, id, jsonb_build_object(
    'targetStatus', target_status, 'state', state, 'requested', requested, 'changed', changed,
    'refused', refused, 'stale', stale, 'failed', failed, 'dispatched', dispatched,
    'runAttachedWorkflows', run_attached_workflows)
  from ended where target_status in (${TERMINAL}) and changed > 0
  on conflict do nothing
  returning name, properties
),
-- A reverted operation no longer counts: mark its product event.
reverted as (
  update analytics_events a set reverted_at = ${notBefore(sql`a.at`)}
  from ended, lateral (${changingOperation(sql`ended.id`)}) undone
  where a.tenant_id = ${tenantId}::uuid and a.bulk_operation_id = undone.id and a.reverted_at is null
    and ended.action = 'revert' and ended.changed > 0
),
notified as (
  ${enqueueDeliveries(tenantId, "bulk.finished", finishedRows)}
)`;
}

/** The side effects outside the database of an operation's end: the columns of ENDING_COLUMNS. */
export interface BulkEnding {
  hasDeliveries: boolean;
  analytics: AnalyticsEvent[];
}

export const ENDING_COLUMNS = sql`exists (select from notified) as "hasDeliveries",
  coalesce((select json_agg(json_build_object('name', name, 'properties', properties)) from analytics), '[]')
    as analytics`;

/** Adds the side effects of a committed end to the outgoing ones. */
export function enqueueEnding({ outgoing }: TenantDatabase, ending: BulkEnding | undefined): void {
  outgoing.events ||= ending?.hasDeliveries === true;
  outgoing.analytics.push(...(ending?.analytics ?? []));
}

/** Ends an operation whose cancellation was requested. The consumer calls this between two batches. */
export async function endCancelled(database: TenantDatabase, operationId: string): Promise<void> {
  const { tenantId } = database;
  const [ending] = await database.writeIdempotently<BulkEnding>(sql`
with finished as (
  update bulk_operations b set state = 'cancelled', finished_at = ${notBefore(sql`b.created_at`)}
  where b.tenant_id = ${tenantId}::uuid and b.id = ${operationId}::uuid and b.state in ('queued', 'running')
  returning b.*
),${endingCtes(tenantId)}
select ${ENDING_COLUMNS}`);
  enqueueEnding(database, ending);
}

/**
 * Cancels an operation. A queued one ends immediately; a running one gets a cancellation request, which the consumer
 * finds after the current batch, and is enqueued in case it has no consumer any more. Returns the operation as it is
 * then; null if it has already ended.
 */
export async function requestCancel(
  database: TenantDatabase,
  operationId: string,
  operation: Operation,
): Promise<Written<{ cancelled: BulkOperationRecord | null }>> {
  const { tenantId } = database;
  const written = await database.write<{ cancelled: BulkOperationRecord | null } & BulkEnding>(
    operation,
    [
      sql`
with finished as (
  update bulk_operations b set
    state = case when b.state = 'queued' then 'cancelled' else b.state end,
    finished_at = case when b.state = 'queued' then ${notBefore(sql`b.created_at`)} end,
    cancel_requested_at = coalesce(b.cancel_requested_at, ${notBefore(sql`b.created_at`)})
  where b.tenant_id = ${tenantId}::uuid and b.id = ${operationId}::uuid and b.state in ('queued', 'running')
  returning b.*
),${endingCtes(tenantId)},
cancelled as materialized (${operationsIn(sql`finished`)}),
${keepOrDrop({ tenantId, operation }, { from: sql`cancelled c`, result: sql`row_to_json(c)` })}
select (select row_to_json(c) from cancelled c) as cancelled, ${ENDING_COLUMNS}`,
    ],
  );
  if (written.outcome === "written") {
    const [row] = written.rows;
    enqueueEnding(database, row);
    if (row?.cancelled?.state === "running") database.outgoing.operations.push(operationId);
  }
  return written;
}
