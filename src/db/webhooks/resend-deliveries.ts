import { type SQL, sql } from "drizzle-orm";
import type { Batch } from "../../domain/delivery/batch.ts";
import { stateOf } from "../administration/admin-states.ts";
import {
  type Administered,
  type Administration,
  writeAdministration,
} from "../administration/write-administration.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { batchJson, WOULD_CHANGE } from "../sql/batch.ts";
import { allOf } from "../sql/conditions.ts";
import { type DeliveryFilter, matchesDelivery } from "./webhook-deliveries.ts";
import { isWebhook } from "./webhooks.ts";

/** Why a delivery is not sent again: an attempt is in progress, or it still waits for its first one. */
export type ResendRefusal = "being_sent" | "waiting";

/** Which deliveries of a webhook to send again. */
export interface Resend {
  webhook: string;
  filter: DeliveryFilter;
  /** The id after which the call begins. */
  after?: string | undefined;
  limit: number;
}

/** Returns what `resendDeliveries` would do; null if there is no such webhook. */
export async function previewResend(
  database: TenantDatabase,
  resend: Resend,
): Promise<Batch<ResendRefusal> | null> {
  const [row] = await database.read<{ batch: Batch<ResendRefusal> }>(sql`
with webhook as materialized (
  select w.tenant_id, w.id as webhook_id from webhooks w where ${isWebhook(resend.webhook)}
),
${examined(resend, sql``)}
select ${batchJson(WOULD_CHANGE)} as batch from webhook`);
  return row?.batch ?? null;
}

/**
 * Schedules the oldest deliveries that match with no attempts, in one statement and with one administrative event. Returns
 * no row if there is no such webhook.
 */
export function resendDeliveries(
  database: TenantDatabase,
  resend: Resend,
  by: Administration,
): Promise<Administered<{ batch: Batch<ResendRefusal> }>> {
  const { tenantId } = database;
  const batch = batchJson(sql`(select count(*) from resent)`);
  return writeAdministration(database, by, {
    subject: "webhook",
    before: sql`select ${stateOf("webhook", "w")} as state from webhooks w
  where w.tenant_id = ${tenantId} and ${isWebhook(resend.webhook)}`,
    change: sql`
  select w.tenant_id, w.id as webhook_id, w.name as subject, ${stateOf("webhook", "w")} as state from webhooks w
  where w.tenant_id = ${tenantId} and ${isWebhook(resend.webhook)}`,
    effects: sql`,
webhook as materialized (select tenant_id, webhook_id from changed),
${examined(resend, sql`for update of d`)},
resent as (
  update webhook_deliveries d set state = 'pending', attempts = 0, next_attempt_at = now(), relay_at = now(),
    delivered_at = null, dead_reason = null
  from judged j where d.tenant_id = ${tenantId}::uuid and d.id = j.id and j.refusal is null
  returning d.id
)`,
    type: sql`'webhook_deliveries_retried'`,
    details: sql`jsonb_build_object('filter', ${JSON.stringify(resend.filter)}::jsonb,
      'count', (select count(*) from resent))`,
    // The state of the webhook does not show it.
    alsoIf: sql`exists (select from resent)`,
    result: batch,
    columns: sql`${batch} as batch`,
  });
}

/**
 * The CTEs `matching`, `examined` and `judged`, which read the CTE `webhook`: how many deliveries match, the oldest of
 * them, and why not to send one.
 */
function examined({ filter, after, limit }: Resend, lock: SQL): SQL {
  const matched = sql`from webhook join webhook_deliveries d
    on d.tenant_id = webhook.tenant_id and d.webhook_id = webhook.webhook_id
  where ${allOf(matchesDelivery(filter), after !== undefined && sql`d.id > ${after}::uuid`)}`;
  return sql`matching as materialized (select count(*) as count ${matched}),
examined as materialized (
  select d.id, d.state, d.attempts, coalesce(d.lease_until > clock_timestamp(), false) as is_leased ${matched}
  order by d.id limit ${limit}::integer ${lock}
),
judged as materialized (
  select id, case when state = 'pending' and is_leased then 'being_sent'
    when state = 'pending' and attempts = 0 then 'waiting' end as refusal
  from examined
)`;
}
