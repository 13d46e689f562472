import { type SQL, sql } from "drizzle-orm";
import type { WebhookEvent } from "../../domain/webhooks/events.ts";
import { bytes, fromHex } from "../sql/bytes.ts";
import { allOf } from "../sql/conditions.ts";
import type { Operation, TenantDatabase, Written } from "../connection/client.ts";
import {
  keptUntil,
  previousSecretMember,
  type SecretRotation,
  signingSecrets,
  type StoredWithSecret,
  writeWithSecret,
} from "./signing-secrets.ts";
import { LISTENS_TO_TASKS } from "./webhook-outbox.ts";

/** What is told of a webhook: never its secret. */
export interface WebhookRecord {
  name: string;
  url: string;
  events: WebhookEvent[];
  enabled: boolean;
  /** Until then two secrets sign; null where there is one. */
  previousSecretUntil: string | null;
  createdAt: string;
  updatedAt: string;
}

/** A WebhookRecord, spelled by the database from the alias w. */
const WEBHOOK_JSON = sql`json_build_object('name', w.name, 'url', w.url, 'events', w.events, 'enabled', w.enabled,
  ${previousSecretMember(sql`w`)},
  'createdAt', iso(w.created_at), 'updatedAt', iso(w.updated_at))`;

/** The condition that the webhook of the alias w is the one of this name. */
export const isWebhook = (name: string) => sql`w.name = ${name} and w.deleted_at is null`;

export interface WebhookSettings {
  name: string;
  url: string;
  events: readonly WebhookEvent[];
  enabled: boolean;
}

/**
 * Makes a webhook, or gives one other settings; its secret is the one that was made only where it is new. One that begins to
 * listen to tasks hears of what is committed from now on, and of nothing before. What waits for one that is enabled again
 * or led elsewhere waits no longer.
 */
export function storeWebhook(
  database: TenantDatabase,
  { name, url, events, enabled }: WebhookSettings,
  { id, made }: { id: string; made: Uint8Array },
  operation: Operation,
): Promise<Written<StoredWithSecret<WebhookRecord>>> {
  const { tenantId } = database;
  const keptWhere = (condition: SQL, column: SQL) =>
    sql`${column} = case when ${condition} then w.${column} else excluded.${column} end`;
  const isThere = sql`w.deleted_at is null`;
  const isSame = sql`${isThere} and (w.url, w.events, w.enabled) = (excluded.url, excluded.events, excluded.enabled)`;
  return writeWithSecret(
    database,
    operation,
    sql`
  insert into webhooks as w (tenant_id, id, name, url, events, enabled, secret,
    position_txid, position_feed_id, heard_nothing_of)
  values (${tenantId}, ${id}, ${name}, ${url}, ${`{${events.join()}}`}::text[], ${enabled}, ${bytes(made)},
    pg_snapshot_xmin(pg_current_snapshot()), 0, pg_current_snapshot())
  on conflict (tenant_id, name) do update set
    url = excluded.url, events = excluded.events, enabled = excluded.enabled, deleted_at = null,
    ${keptWhere(isThere, sql`id`)}, ${keptWhere(isThere, sql`secret`)}, ${keptWhere(isThere, sql`created_at`)},
    ${keptWhere(isSame, sql`updated_at`)},
    ${keptWhere(LISTENS_TO_TASKS, sql`position_txid`)}, ${keptWhere(LISTENS_TO_TASKS, sql`position_feed_id`)},
    ${keptWhere(LISTENS_TO_TASKS, sql`heard_nothing_of`)}
  returning ${WEBHOOK_JSON} as record, w.id = ${id} as "isSecretMade"`,
    // `before` is the row as it was: a statement does not see what it writes.
    sql`,
woken as (
  update webhook_deliveries d set next_attempt_at = now(), relay_at = now()
  from webhooks before
  where before.tenant_id = ${tenantId} and before.name = ${name} and before.deleted_at is null
    and ${enabled} and (not before.enabled or before.url <> ${url})
    and d.tenant_id = ${tenantId} and d.webhook_id = before.id and d.state = 'pending'
)`,
  );
}

/** Gives a webhook another secret, beside which the one before signs for some hours; no row where there is none. */
export function rotateSecretOfWebhook(
  database: TenantDatabase,
  name: string,
  { made, keptHours }: SecretRotation,
  operation: Operation,
): Promise<Written<StoredWithSecret<WebhookRecord>>> {
  return writeWithSecret(
    database,
    operation,
    sql`
  update webhooks w set secret = ${bytes(made)}, previous_secret = w.secret, updated_at = now(),
    previous_secret_until = ${keptUntil(keptHours)}
  where w.tenant_id = ${database.tenantId} and ${isWebhook(name)}
  returning ${WEBHOOK_JSON} as record, true as "isSecretMade"`,
  );
}

/**
 * Takes a webhook away with its secrets, and gives up what it was still to be told. One that was taken away before
 * stays as it is; no row where there never was one.
 */
export function deleteWebhook(
  database: TenantDatabase,
  name: string,
  operation: Operation,
): Promise<Written<StoredWithSecret<WebhookRecord>>> {
  const { tenantId } = database;
  return writeWithSecret(
    database,
    operation,
    sql`
  update webhooks w set enabled = false, secret = '', previous_secret = null, previous_secret_until = null,
    updated_at = coalesce(w.deleted_at, now()), deleted_at = coalesce(w.deleted_at, now())
  where w.tenant_id = ${tenantId} and w.name = ${name}
  returning ${WEBHOOK_JSON} as record, false as "isSecretMade", w.id`,
    sql`,
stopped as (
  update webhook_deliveries d set state = 'dead', last_error = 'The webhook was deleted.'
  from changed where d.tenant_id = ${tenantId} and d.webhook_id = changed.id and d.state = 'pending'
)`,
  );
}

/** A page of webhooks by name. */
export async function listWebhooks(
  database: TenantDatabase,
  { after, limit }: { after: string | null; limit: number },
): Promise<WebhookRecord[]> {
  const rows = await database.read<{ record: WebhookRecord }>(sql`
    select ${WEBHOOK_JSON} as record from webhooks w
    where ${allOf(sql`w.deleted_at is null`, after !== null && sql`w.name > ${after}`)}
    order by w.name limit ${limit}`);
  return rows.map(({ record }) => record);
}

/** Where a webhook is called, and what signs its messages. */
export interface WebhookTarget {
  url: string;
  secrets: Uint8Array[];
}

/** A WebhookTarget of the alias w, its secrets in hex. */
export const TARGET_JSON = sql`json_build_object('url', w.url, 'secrets', ${signingSecrets(sql`w`)})`;

/** What TARGET_JSON spells. */
export function readTarget({ url, secrets }: { url: string; secrets: string[] }): WebhookTarget {
  return { url, secrets: secrets.map(fromHex) };
}

/** Where a webhook is called; null where there is none. */
export async function findWebhookTarget(
  database: TenantDatabase,
  name: string,
): Promise<WebhookTarget | null> {
  const [row] = await database.read<{ target: { url: string; secrets: string[] } }>(
    sql`select ${TARGET_JSON} as target from webhooks w where ${isWebhook(name)}`,
  );
  return row === undefined ? null : readTarget(row.target);
}
