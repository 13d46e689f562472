import { type SQL, sql } from "drizzle-orm";
import type { WebhookEvent } from "../../domain/webhooks/events.ts";
import { allOf } from "../sql/conditions.ts";
import type { Administered, Administration } from "../administration/write-administration.ts";
import type { TenantDatabase } from "../connection/client.ts";
import {
  canAddSecret,
  latestEnd,
  type NewSecret,
  type SecretWrite,
  signingSecrets,
  type StoredSecrets,
  writeWithSecret,
} from "./signing-secrets.ts";
import { KEEPS_PLACE } from "./webhook-outbox.ts";

/** A webhook as answers show it, without its secret. */
export interface WebhookRecord {
  name: string;
  url: string;
  events: WebhookEvent[];
  enabled: boolean;
  /** When its endpoint answered that it is gone, which disabled it; null if it is not disabled for that. */
  goneAt: string | null;
  /** When the last of the replaced secrets stops signing; null if none of them signs. */
  previousSecretUntil: string | null;
  createdAt: string;
  updatedAt: string;
}

/** A WebhookRecord as JSON, from an alias of webhooks. */
const webhookJson = (
  w: SQL,
  previousSecretUntil: SQL,
) => sql`json_build_object('name', ${w}.name, 'url', ${w}.url,
  'events', ${w}.events, 'enabled', ${w}.enabled, 'goneAt', iso(${w}.gone_at),
  'previousSecretUntil', iso(${previousSecretUntil}),
  'createdAt', iso(${w}.created_at), 'updatedAt', iso(${w}.updated_at))`;

const changedJson = (previousSecretUntil: SQL) => webhookJson(sql`changed`, previousSecretUntil);

/** The condition that the alias w is the named webhook, and not deleted. */
export const isWebhook = (name: string) => sql`w.name = ${name} and w.deleted_at is null`;

export interface WebhookSettings {
  name: string;
  url: string;
  events: readonly WebhookEvent[];
  enabled: boolean;
}

/**
 * Creates a webhook with the given secret, or updates the settings of one and keeps its secret. A webhook that starts
 * to listen to tasks gets the events that are committed from now on, and none before. One that was switched off goes on
 * where it was. If it is enabled again or its URL changes, its pending deliveries become due.
 */
export function storeWebhook(
  database: TenantDatabase,
  { name, url, events, enabled }: WebhookSettings,
  { id, secret }: { id: string; secret: NewSecret },
  by: Administration,
): Promise<Administered<SecretWrite<WebhookRecord>>> {
  const { tenantId } = database;
  const keepIf = (condition: SQL, column: SQL) =>
    sql`${column} = case when ${condition} then w.${column} else excluded.${column} end`;
  const exists = sql`w.deleted_at is null`;
  const isSame = sql`${exists} and (w.url, w.events, w.enabled) = (excluded.url, excluded.events, excluded.enabled)`;
  return writeWithSecret(database, by, {
    owner: { kind: "webhook", name },
    change: sql`
  insert into webhooks as w (tenant_id, id, name, url, events, enabled, position_txid, position_feed_id,
    heard_nothing_of)
  values (${tenantId}, ${id}, ${name}, ${url}, ${`{${events.join()}}`}::text[], ${enabled},
    pg_snapshot_xmin(pg_current_snapshot()), 0, pg_current_snapshot())
  on conflict (tenant_id, name) do update set
    url = excluded.url, events = excluded.events, enabled = excluded.enabled, deleted_at = null, secret = null,
    gone_at = case when ${exists} and not excluded.enabled and w.url = excluded.url then w.gone_at end,
    ${keepIf(exists, sql`id`)}, ${keepIf(exists, sql`created_at`)},
    ${keepIf(isSame, sql`updated_at`)},
    ${keepIf(KEEPS_PLACE, sql`position_txid`)}, ${keepIf(KEEPS_PLACE, sql`position_feed_id`)},
    ${keepIf(KEEPS_PLACE, sql`heard_nothing_of`)}
  where ${canAddSecret(sql`w`, sql`false`)}
  returning w.*, w.id = ${id} as adds_secret`,
    type: sql`case when changed.adds_secret then 'webhook_created' else 'webhook_changed' end`,
    recordJson: changedJson,
    secret,
    // `before` is the row as it was, because a statement does not see its own writes.
    effects: sql`,
rescheduled as (
  update webhook_deliveries d set next_attempt_at = now(), relay_at = now()
  from changed, webhooks before
  where before.tenant_id = ${tenantId} and before.name = ${name} and before.deleted_at is null
    and ${enabled} and (not before.enabled or before.url <> ${url})
    and d.tenant_id = ${tenantId} and d.webhook_id = before.id and d.state = 'pending'
)`,
  });
}

/**
 * Replaces a webhook's secret. The secrets before it also sign until their promised time. Writes nothing if there is no
 * webhook.
 */
export function rotateSecretOfWebhook(
  database: TenantDatabase,
  name: string,
  secret: NewSecret,
  by: Administration,
): Promise<Administered<SecretWrite<WebhookRecord>>> {
  return writeWithSecret(database, by, {
    owner: { kind: "webhook", name },
    change: sql`
  update webhooks w set updated_at = now()
  where w.tenant_id = ${database.tenantId} and ${isWebhook(name)} and ${canAddSecret(sql`w`, sql`true`)}
  returning w.*, true as adds_secret`,
    type: sql`'webhook_secret_rotated'`,
    recordJson: changedJson,
    secret,
  });
}

/**
 * Deletes a webhook and its secrets, and marks its pending deliveries as dead. A webhook that was already deleted stays
 * unchanged. Writes nothing if there never was one.
 */
export function deleteWebhook(
  database: TenantDatabase,
  name: string,
  by: Administration,
): Promise<Administered<SecretWrite<WebhookRecord>>> {
  const { tenantId } = database;
  return writeWithSecret(database, by, {
    owner: { kind: "webhook", name },
    change: sql`
  update webhooks w set enabled = false, gone_at = null, secret = null, previous_secret = null, previous_secret_until = null,
    updated_at = coalesce(w.deleted_at, now()), deleted_at = coalesce(w.deleted_at, now())
  where w.tenant_id = ${tenantId} and w.name = ${name}
  returning w.*, false as adds_secret`,
    type: sql`'webhook_deleted'`,
    recordJson: changedJson,
    secret: null,
    effects: sql`,
stopped as (
  update webhook_deliveries d set state = 'dead', last_error = 'The webhook was deleted.',
    dead_reason = 'webhook_deleted'
  from changed where d.tenant_id = ${tenantId} and d.webhook_id = changed.id and d.state = 'pending'
)`,
  });
}

/** Returns a page of webhooks by name. */
export async function listWebhooks(
  database: TenantDatabase,
  { after, limit }: { after: string | null; limit: number },
): Promise<WebhookRecord[]> {
  const rows = await database.read<{ record: WebhookRecord }>(sql`
    select ${webhookJson(sql`w`, latestEnd("webhook", sql`w`))} as record from webhooks w
    where ${allOf(sql`w.deleted_at is null`, after !== null && sql`w.name > ${after}`)}
    order by w.name limit ${limit}`);
  return rows.map(({ record }) => record);
}

/** The URL of a webhook and the secrets that sign its messages. */
export interface WebhookTarget {
  name: string;
  updatedAt: string;
  url: string;
  secrets: StoredSecrets;
}

/** A WebhookTarget as JSON, from the alias w. */
export const TARGET_JSON = sql`json_build_object('name', w.name, 'updatedAt', iso(w.updated_at), 'url', w.url,
  'secrets', ${signingSecrets("webhook", sql`w`)})`;

/** Returns a webhook's target; null if there is no such webhook. */
export async function findWebhookTarget(
  database: TenantDatabase,
  name: string,
): Promise<WebhookTarget | null> {
  const [row] = await database.read<{ target: WebhookTarget }>(
    sql`select ${TARGET_JSON} as target from webhooks w where ${isWebhook(name)}`,
  );
  return row?.target ?? null;
}
