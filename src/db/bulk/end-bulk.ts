import { type SQL, sql } from "drizzle-orm";
import type { AnalyticsEvent, AnalyticsEventName } from "../../domain/analytics.ts";
import { TERMINAL_UNIFIED } from "../../domain/status/unified.ts";
import { changingOperation, operationsIn, type BulkOperationRecord } from "./bulk-operations.ts";
import type { Operation, TenantDatabase, Written } from "../connection/client.ts";
import { keepOrDrop } from "../ledger/operations.ts";
import { listed } from "../sql/listed.ts";
import type { Bound } from "../connection/prepared.ts";
import { enqueueDeliveries } from "../webhooks/webhook-outbox.ts";

const BULK_STATUS_TERMINAL: AnalyticsEventName = "admin_bulk_status_terminal";

const TERMINAL = listed(TERMINAL_UNIFIED);

/**
 * The CTEs that follow from the end of an operation, after one that is called `finished` and returns the operation as
 * it is now: they do nothing while it goes on. Whoever ends it, it is told once.
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
  select * from finished where state in ('completed', 'partial', 'failed', 'cancelled')
),
analysed as (
  insert into analytics_events (tenant_id, id, name, bulk_operation_id, properties)
  select ${tenantId}::uuid, new_id(), ${BULK_STATUS_TERMINAL}::text, id, jsonb_build_object(
    'targetStatus', target_status, 'state', state, 'requested', requested, 'changed', changed,
    'refused', refused, 'stale', stale, 'failed', failed, 'dispatched', dispatched,
    'runAttachedWorkflows', run_attached_workflows)
  from ended where target_status in (${TERMINAL}) and changed > 0
  on conflict do nothing
  returning name, properties
),
-- What was counted is counted no more: the first operation's event says when it was taken back.
taken_back as (
  update analytics_events a set reverted_at = clock_timestamp()
  from ended, lateral (${changingOperation(sql`ended.id`)}) undone
  where a.tenant_id = ${tenantId}::uuid and a.bulk_operation_id = undone.id and a.reverted_at is null
    and ended.action = 'revert' and ended.changed > 0
),
told as (
  ${enqueueDeliveries(tenantId, "bulk.finished", finishedRows)}
)`;
}

/** What the ending of an operation leaves to be told outside; the columns are those of `ENDING_COLUMNS`. */
export interface BulkEnding {
  hasDeliveries: boolean;
  analytics: AnalyticsEvent[];
}

export const ENDING_COLUMNS = sql`exists (select from told) as "hasDeliveries",
  coalesce((select json_agg(json_build_object('name', name, 'properties', properties)) from analysed), '[]')
    as analytics`;

/** Notes what is to be told now that the ending is committed. */
export function enqueueEnding({ outgoing }: TenantDatabase, ending: BulkEnding | undefined): void {
  outgoing.events ||= ending?.hasDeliveries === true;
  outgoing.analytics.push(...(ending?.analytics ?? []));
}

/** Ends an operation that somebody wants to end, between two chunks of whoever works on it. */
export async function endCancelled(database: TenantDatabase, operationId: string): Promise<void> {
  const { tenantId } = database;
  const [ending] = await database.writeIdempotently<BulkEnding>(sql`
with finished as (
  update bulk_operations b set state = 'cancelled', finished_at = clock_timestamp()
  where b.tenant_id = ${tenantId}::uuid and b.id = ${operationId}::uuid and b.state in ('queued', 'running')
  returning b.*
),${endingCtes(tenantId)}
select ${ENDING_COLUMNS}`);
  enqueueEnding(database, ending);
}

/**
 * Wants an operation to end: at once where nobody has begun with it, else whoever works on it finds the wish. The
 * operation as it is then is told, and kept for a repeat of the call; null where it has ended meanwhile.
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
    finished_at = case when b.state = 'queued' then clock_timestamp() end,
    cancel_requested_at = coalesce(b.cancel_requested_at, clock_timestamp())
  where b.tenant_id = ${tenantId}::uuid and b.id = ${operationId}::uuid and b.state in ('queued', 'running')
  returning b.*
),${endingCtes(tenantId)},
cancelled as materialized (${operationsIn(sql`finished`)}),
${keepOrDrop({ tenantId, operation }, { from: sql`cancelled c`, result: sql`row_to_json(c)` })}
select (select row_to_json(c) from cancelled c) as cancelled, ${ENDING_COLUMNS}`,
    ],
  );
  if (written.outcome === "written") enqueueEnding(database, written.rows[0]);
  return written;
}
