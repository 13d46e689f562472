import { type SQL, sql } from "drizzle-orm";
import type { DeliveryAttemptEnd } from "../../domain/webhooks/delivery-attempts.ts";
import type { DeliveryState, WebhookEvent } from "../../domain/webhooks/events.ts";
import { stateOf } from "../administration/admin-states.ts";
import {
  type Administered,
  type Administration,
  writeAdministration,
} from "../administration/write-administration.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { allOf, type FilterOf, matches } from "../sql/conditions.ts";
import { isWebhook, TARGET_JSON, type WebhookTarget } from "./webhooks.ts";

/** A delivery of one message to a webhook, as answers show it. */
export interface DeliveryRecord {
  id: string;
  event: WebhookEvent;
  state: DeliveryState;
  data: unknown;
  occurredAt: string;
  attempts: number;
  /** Null if no attempt is due. */
  nextAttemptAt: string | null;
  responseStatus: number | null;
  lastError: string | null;
  createdAt: string;
  deliveredAt: string | null;
}

/** A DeliveryRecord as JSON, from the alias d. */
const DELIVERY_JSON = sql`json_build_object('id', d.id, 'event', d.event, 'state', d.state, 'data', d.data::json,
  'occurredAt', iso(d.occurred_at), 'attempts', d.attempts,
  'nextAttemptAt', case when d.state = 'pending' then iso(d.next_attempt_at) end,
  'responseStatus', d.response_status, 'lastError', d.last_error, 'createdAt', iso(d.created_at),
  'deliveredAt', iso(d.delivered_at))`;

const DELIVERY_FILTERS = {
  state: (state: DeliveryState) => sql`d.state = ${state}`,
  event: (event: WebhookEvent) => sql`d.event = ${event}`,
  responseStatus: (status: number) => sql`d.response_status = ${status}`,
  createdAfter: (time: string) => sql`d.created_at > ${time}::timestamptz`,
  createdBefore: (time: string) => sql`d.created_at < ${time}::timestamptz`,
};

/** The condition that the delivery d matches a filter. */
export const matchesDelivery = (filter: DeliveryFilter): SQL => matches(DELIVERY_FILTERS, filter);

export type DeliveryFilter = FilterOf<typeof DELIVERY_FILTERS>;

/** Returns a page of a webhook's matching deliveries, newest first; null if there is no such webhook. */
export async function listDeliveries(
  database: TenantDatabase,
  { webhook, filter }: { webhook: string; filter: DeliveryFilter },
  { after, limit }: { after: string | null; limit: number },
): Promise<DeliveryRecord[] | null> {
  const condition = allOf(
    sql`d.webhook_id = w.id`,
    matchesDelivery(filter),
    after !== null && sql`d.id < ${after}`,
  );
  const [row] = await database.read<{ deliveries: DeliveryRecord[] }>(sql`
    select coalesce((select json_agg(${DELIVERY_JSON} order by d.id desc)
      from (select d.* from webhook_deliveries d where ${condition}
        order by d.id desc limit ${limit}) d), '[]') as deliveries
    from webhooks w where ${isWebhook(webhook)}`);
  return row?.deliveries ?? null;
}

/**
 * Schedules a delivery again with no attempts, whatever its state. Returns no row if the webhook has no such delivery.
 */
export function retryDelivery(
  database: TenantDatabase,
  { webhook, deliveryId }: { webhook: string; deliveryId: string },
  by: Administration,
): Promise<Administered<{ record: DeliveryRecord }>> {
  const { tenantId } = database;
  return writeAdministration(database, by, {
    subject: "webhook",
    before: sql`
  select ${stateOf("webhook", "w")} as state, d.state as delivery_state, d.attempts
  from webhooks w join webhook_deliveries d on d.tenant_id = w.tenant_id and d.webhook_id = w.id
  where w.tenant_id = ${tenantId} and ${isWebhook(webhook)} and d.id = ${deliveryId}`,
    change: sql`
  update webhook_deliveries d set state = 'pending', attempts = 0, next_attempt_at = now(), relay_at = now(),
    delivered_at = null, dead_reason = null
  from webhooks w
  where w.tenant_id = ${tenantId} and ${isWebhook(webhook)}
    and d.tenant_id = ${tenantId} and d.webhook_id = w.id and d.id = ${deliveryId}
  returning w.name as subject, ${stateOf("webhook", "w")} as state, ${DELIVERY_JSON} as record`,
    type: sql`'webhook_delivery_retried'`,
    details: sql`jsonb_build_object('deliveryId', ${deliveryId}::uuid, 'stateBefore', was.delivery_state)`,
    // A retry of a delivery that is still waiting for its first attempt changes nothing.
    alsoIf: sql`was.delivery_state <> 'pending' or was.attempts > 0`,
    result: sql`changed.record`,
    columns: sql`record`,
  });
}

/** A queue message counts as lost this long after it was due, and is sent again. */
const RELAY_LOST_AFTER = sql`interval '15 minutes'`;

/** Claims deliveries to put on the queue, and returns their ids. No other call gets them until they count as lost. */
export async function claimDeliveries(
  database: TenantDatabase,
  rowsMax: number,
): Promise<string[]> {
  const { tenantId } = database;
  const rows = await database.writeIdempotently<{ id: string }>(sql`
with due as materialized (
  select d.id from webhooks w cross join lateral (
    select d.id from webhook_deliveries d
    where d.tenant_id = w.tenant_id and d.webhook_id = w.id and d.state = 'pending' and d.relay_at <= now()
    order by d.relay_at, d.id limit ${rowsMax} for update skip locked
  ) d
  where w.tenant_id = ${tenantId} and w.enabled
  limit ${rowsMax}
)
update webhook_deliveries d set relay_at = now() + ${RELAY_LOST_AFTER}
from due where d.tenant_id = ${tenantId} and d.id = due.id
returning d.id`);
  return rows.map(({ id }) => id);
}

/** One attempt to send a delivery: the parts of the message body, and its target. */
export interface WebhookAttempt {
  event: WebhookEvent;
  data: string;
  occurredAt: string;
  /** The number of the attempt, from 1. */
  attempt: number;
  target: WebhookTarget;
}

/** The result of an attempt to claim a delivery for sending. */
export type DeliveryClaim =
  | { outcome: "begun"; delivery: WebhookAttempt }
  /** It is not due yet, or another consumer is sending it. */
  | { outcome: "later"; seconds: number }
  /** It is delivered or dead, or its webhook is disabled or deleted. */
  | { outcome: "settled" };

/** Longer than an attempt takes: name lookup and response together are limited to half a minute. */
const LEASE = sql`interval '1 minute'`;

/** Takes a lease on a delivery and counts the attempt. A repeated call by the same owner continues the same attempt. */
export async function beginDelivery(
  database: TenantDatabase,
  { deliveryId, owner }: DeliveryLease,
): Promise<DeliveryClaim> {
  const { tenantId } = database;
  const [row] = await database.writeIdempotently<{
    begun: WebhookAttempt | null;
    seconds: number;
  }>(sql`
with found as materialized (
  select d.*, ${TARGET_JSON} as target,
    case when d.lease_owner = ${owner} then 0
      else ceil(extract(epoch from greatest(d.next_attempt_at, d.lease_until) - clock_timestamp())) end as seconds
  from webhook_deliveries d join webhooks w on w.tenant_id = d.tenant_id and w.id = d.webhook_id
  where d.tenant_id = ${tenantId} and d.id = ${deliveryId} and d.state = 'pending' and w.enabled
  for update of d
),
begun as (
  update webhook_deliveries d set lease_owner = ${owner}, lease_until = now() + ${LEASE},
    attempts = case when found.lease_owner = ${owner} then d.attempts else d.attempts + 1 end
  from found where d.tenant_id = ${tenantId} and d.id = found.id and found.seconds <= 0
  returning json_build_object('event', d.event, 'data', d.data, 'occurredAt', iso(d.occurred_at),
    'attempt', d.attempts, 'target', found.target) as delivery
)
select (select delivery from begun) as begun, found.seconds::integer as seconds from found`);
  if (row === undefined) return { outcome: "settled" };
  const { begun, seconds } = row;
  return begun === null ? { outcome: "later", seconds } : { outcome: "begun", delivery: begun };
}

/** One attempt's lease on a delivery. */
export interface DeliveryLease {
  deliveryId: string;
  owner: string;
}

/** Records how an attempt ended, if it still holds the lease; otherwise a later attempt's result counts. */
export async function endDelivery(
  database: TenantDatabase,
  lease: DeliveryLease,
  end: DeliveryAttemptEnd,
): Promise<void> {
  await database.writeIdempotently(endOfLease(database.tenantId, lease, end));
}

/** The update that ends an attempt, under the conditions that the lease is still its own. */
export function endOfLease(
  tenantId: string,
  { deliveryId, owner }: DeliveryLease,
  end: DeliveryAttemptEnd,
): SQL {
  const { state, responseStatus } = end;
  const next = sql`now() + make_interval(secs => ${end.state === "pending" ? end.delaySeconds : 0})`;
  return sql`update webhook_deliveries set state = ${state}, response_status = ${responseStatus},
      attempts = attempts - ${end.state === "pending" && !end.isCounted ? 1 : 0},
      last_error = ${end.state === "delivered" ? null : end.lastError},
      dead_reason = ${end.state === "dead" ? end.reason : null},
      delivered_at = case when ${state} = 'delivered' then now() end,
      next_attempt_at = ${next}, relay_at = ${next} + ${RELAY_LOST_AFTER},
      lease_owner = null, lease_until = null
    where tenant_id = ${tenantId} and id = ${deliveryId} and lease_owner = ${owner} and state = 'pending'`;
}
