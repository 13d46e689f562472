import { sql } from "drizzle-orm";
import type { Actor } from "../../domain/actor.ts";
import type { DeliveryAttemptEnd } from "../../domain/webhooks/delivery-attempts.ts";
import { stateOf } from "../administration/admin-states.ts";
import { lockAdministration, recordedEvent } from "../administration/write-administration.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { type DeliveryLease, endOfLease } from "./webhook-deliveries.ts";

/** The service itself, in the history of administration. */
const DELIVERY: Actor = { id: "system", name: "Delivery", kind: "system", role: "service" };

type Gone = Extract<DeliveryAttemptEnd, { state: "pending" }> & {
  /** When the webhook was last changed before its endpoint was called. */
  calledAt: string;
};

/**
 * Records that an endpoint is gone, if the attempt still holds the lease: the delivery waits, and its webhook is switched
 * off, with an administrative event. A webhook that was changed since the call stays as it is, because the answer may be
 * about its old address, or older than its being switched on again.
 */
export async function switchOffWebhook(
  database: TenantDatabase,
  lease: DeliveryLease,
  end: Gone,
): Promise<void> {
  const { tenantId } = database;
  const { deliveryId, owner } = lease;
  const by = {
    actor: DELIVERY,
    reason: end.lastError,
    // No caller asked for it, so the lease of the attempt identifies it.
    operation: { id: owner },
    requestId: deliveryId,
  };
  await database.writeIdempotently(
    lockAdministration(),
    sql`
with
own as materialized (
  select d.webhook_id from webhook_deliveries d
  where d.tenant_id = ${tenantId}::uuid and d.id = ${deliveryId}::uuid and d.lease_owner = ${owner}::uuid
    and d.state = 'pending'
  for update
),
was as materialized (
  select ${stateOf("webhook", "w")} as state
  from own join webhooks w on w.tenant_id = ${tenantId}::uuid and w.id = own.webhook_id
),
changed as (
  update webhooks w set enabled = false, gone_at = now(), updated_at = now()
  from own
  where w.tenant_id = ${tenantId}::uuid and w.id = own.webhook_id and w.enabled
    and w.updated_at = ${end.calledAt}::timestamptz
  returning w.name, ${stateOf("webhook", "w")} as state
),
ended as (
  ${endOfLease(tenantId, lease, end)}
),
${recordedEvent(tenantId, by, {
  subject: "webhook",
  type: sql`'webhook_switched_off'`,
  details: sql`jsonb_build_object('deliveryId', ${deliveryId}::uuid, 'responseStatus', ${end.responseStatus}::integer)`,
  id: sql`changed.name`,
  state: sql`changed.state`,
})}
select from own`,
  );
}
