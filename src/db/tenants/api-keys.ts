import { type SQL, sql } from "drizzle-orm";
import type { KeyKind, Role } from "../../domain/actor.ts";
import type { TenantKind } from "../../domain/tenant-kind.ts";
import { keyEnded, lastAdminKey, tooManyKeys } from "../../domain/refusals.ts";
import { bytes, fromHex } from "../sql/bytes.ts";
import { allOf } from "../sql/conditions.ts";
import { stateOf } from "../administration/admin-states.ts";
import {
  type Administered,
  type Administration,
  writeAdministration,
} from "../administration/write-administration.ts";
import type { TenantDatabase } from "../connection/client.ts";

/** An API key as authentication reads it. */
export interface ApiKey {
  id: string;
  name: string;
  role: Role;
  /** Whose key it is; null for a program's. */
  personId: string | null;
  /** The kind of the tenant that the key belongs to. */
  tenantKind: TenantKind;
  digest: Uint8Array;
  /** When it stops working; null if never. */
  expiresAt: string | null;
  /** Whether its use has to be noted. */
  isUseDue: boolean;
}

/** How often the use of a key is noted. */
const USE_INTERVAL = sql`interval '1 hour'`;

/** The condition that the key with the alias k works: it is neither revoked nor expired. */
export const IS_LIVE = sql`k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())`;

/** Returns the key with this digest; null if there is none, or it was revoked or has expired. */
export async function findApiKey(
  database: TenantDatabase,
  digest: Uint8Array,
): Promise<ApiKey | null> {
  const [row] = await database.read<Omit<ApiKey, "digest"> & { digest: string }>(
    sql`select k.id, k.name, k.role, k.person_id as "personId", tenant_kind() as "tenantKind",
        encode(k.digest, 'hex') as digest, iso(k.expires_at) as "expiresAt",
        not exists (select from api_key_uses u where u.tenant_id = k.tenant_id and u.key_id = k.id
          and u.last_used_at > now() - ${USE_INTERVAL}) as "isUseDue"
      from api_keys k where k.digest = ${bytes(digest)} and ${IS_LIVE}`,
  );
  return row === undefined ? null : { ...row, digest: fromHex(row.digest) };
}

/** An API key as answers show it, without the key itself. */
export interface ApiKeyRecord {
  id: string;
  name: string;
  role: Role;
  kind: KeyKind;
  /** Whose key it is; null for a program's. */
  personId: string | null;
  lastFour: string;
  /** The key that it was rotated from. */
  replaces: string | null;
  createdBy: string;
  createdAt: string;
  /** When it stops working by itself; null if never. */
  expiresAt: string | null;
  /** When it was last used, to the hour; null if never. */
  lastUsedAt: string | null;
  revokedAt: string | null;
  revokedBy: string | null;
}

/** An ApiKeyRecord as JSON, from the alias k. */
const API_KEY_JSON = sql`json_build_object('id', k.id, 'name', k.name, 'role', k.role, 'kind', k.kind,
  'personId', k.person_id, 'lastFour', k.last_four, 'replaces', k.replaces, 'createdBy', k.created_by, 'createdAt', iso(k.created_at),
  'expiresAt', iso(k.expires_at), 'lastUsedAt', (select iso(u.last_used_at) from api_key_uses u
    where u.tenant_id = k.tenant_id and u.key_id = k.id),
  'revokedAt', iso(k.revoked_at), 'revokedBy', k.revoked_by)`;

/** How many keys of a tenant's programs can work at the same time. */
export const LIVE_KEYS_MAX = 100;
/** With the keys that a rotation has replaced and that still work for a while. */
const LIVE_KEYS_WITH_OVERLAP_MAX = 2 * LIVE_KEYS_MAX;

/** The number of the tenant's machine keys that work. */
const liveKeys = (tenantId: string) =>
  sql`(select count(*) from api_keys k where k.tenant_id = ${tenantId} and k.kind = 'machine' and ${IS_LIVE})`;

/**
 * The condition that without the key k the tenant still has an admin key until `until`: revoking or rotating a key must
 * not bring forward the time from which no admin key works. The lock on administration makes the answer final.
 */
const isAdminUntil = (until: SQL) => sql`exists (select from api_keys o
  where o.tenant_id = k.tenant_id and o.id <> k.id and o.role = 'admin' and o.revoked_at is null
    and coalesce(o.expires_at, 'infinity') >= coalesce(${until}, 'infinity'))`;

/** What is stored of a new key's secret. */
export interface KeySecret {
  digestHex: string;
  lastFour: string;
}

/** Stores a key of a program, or of a person who is active. Only its digest is kept. */
export function storeApiKey(
  database: TenantDatabase,
  key: Pick<ApiKeyRecord, "id" | "name" | "role" | "personId" | "expiresAt" | "createdBy"> &
    KeySecret,
  by: Administration,
): Promise<Administered<{ record: ApiKeyRecord }>> {
  const { tenantId } = database;
  const isMachine = sql`${key.personId}::uuid is null`;
  const isUncapped = sql`(not ${isMachine} or ${liveKeys(tenantId)} < ${LIVE_KEYS_MAX}::integer)`;
  return writeAdministration(database, by, {
    subject: "key",
    before: sql`select null::jsonb as state where false`,
    change: sql`
  insert into api_keys as k (tenant_id, id, name, role, kind, person_id, digest, last_four, expires_at, created_by)
  select ${tenantId}::uuid, ${key.id}::uuid, ${key.name}::text, ${key.role}::text,
    case when ${isMachine} then 'machine' else 'person' end, ${key.personId}::uuid,
    decode(${key.digestHex}::text, 'hex'), ${key.lastFour}::text, ${key.expiresAt}::timestamptz, ${key.createdBy}::text
  where ${isUncapped} and (${isMachine} or exists (select from people p
    where p.tenant_id = ${tenantId} and p.id = ${key.personId}::uuid and p.active))
  returning k.id::text as subject, ${stateOf("key", "k")} as state, ${API_KEY_JSON} as record`,
    type: sql`'key_created'`,
    refusals: [{ when: sql`not ${isUncapped}`, refusal: tooManyKeys(LIVE_KEYS_MAX) }],
    result: sql`changed.record`,
    columns: sql`record`,
  });
}

/**
 * Revokes a key. A key that was already revoked stays unchanged. Refuses to revoke the admin key that works longest.
 * Returns no row if there is no such key.
 */
export function revokeApiKey(
  database: TenantDatabase,
  { id, revokedBy }: { id: string; revokedBy: string },
  by: Administration,
): Promise<Administered<{ record: ApiKeyRecord }>> {
  const { tenantId } = database;
  return writeAdministration(database, by, {
    subject: "key",
    before: sql`
  select ${stateOf("key", "k")} as state from api_keys k where k.tenant_id = ${tenantId} and k.id = ${id}`,
    change: sql`
  update api_keys k set revoked_at = coalesce(k.revoked_at, now()), revoked_by = coalesce(k.revoked_by, ${revokedBy})
  where k.tenant_id = ${tenantId} and k.id = ${id}
    and (k.role <> 'admin' or not (${IS_LIVE}) or ${isAdminUntil(sql`k.expires_at`)})
  returning k.id::text as subject, ${stateOf("key", "k")} as state, ${API_KEY_JSON} as record`,
    type: sql`'key_revoked'`,
    refusals: [{ when: sql`was.state is not null`, refusal: lastAdminKey() }],
    result: sql`changed.record`,
    columns: sql`record`,
  });
}

/** A rotation: the new key's id and secret, and how long the old key still works. */
export interface KeyRotation extends KeySecret {
  successorId: string;
  overlapSeconds: number;
  /** When the new key expires. Undefined: it gets the lifetime of the old one. */
  expiresAt: string | null | undefined;
  rotatedBy: string;
}

/** A new key, and when the key that it replaces stops working. */
export interface RotatedKey {
  record: ApiKeyRecord;
  overlapUntil: string;
}

/** The first rotation of the key of the alias k, which set the end that it has now. Its event has the end before it. */
const FIRST_ROTATION = sql`(select e.payload::jsonb as payload from admin_events e
  where e.tenant_id = k.tenant_id and e.subject_kind = 'key' and e.subject_id = k.id::text and e.type = 'key_rotated'
  order by e.seq limit 1)`;

/**
 * Replaces a key by a new one with the same name, role and kind. The old key works until the overlap is over, or until
 * an earlier end that it already had. A further rotation, by someone who lost the answer or at the same time, changes
 * neither the end that was promised first nor the lifetime of the new key. Refuses a key that has ended. Returns no row
 * if there is no such key.
 */
export function rotateApiKey(
  database: TenantDatabase,
  id: string,
  { successorId, digestHex, lastFour, overlapSeconds, expiresAt, rotatedBy }: KeyRotation,
  by: Administration,
): Promise<Administered<RotatedKey>> {
  const { tenantId } = database;
  const successorEnd =
    expiresAt === undefined
      ? sql`(select case when own.ends_at is not null then least(now() + (own.ends_at - k.created_at), '9999-01-01T00:00:00Z') end
      from (select case when count(*) = 0 then k.expires_at
        else max((first.payload #>> '{before,expiresAt}')::timestamptz) end as ends_at from ${FIRST_ROTATION} first) own)`
      : sql`${expiresAt}::timestamptz`;
  const isUncapped = sql`(k.kind <> 'machine' or ${liveKeys(tenantId)} < ${LIVE_KEYS_WITH_OVERLAP_MAX}::integer)`;
  // The new key may only end before the old one would have if another admin key works at least as long.
  const keepsAdmin = sql`(k.role <> 'admin' or coalesce(${successorEnd}, 'infinity') >= coalesce(k.expires_at, 'infinity')
      or ${isAdminUntil(sql`k.expires_at`)})`;
  return writeAdministration(database, by, {
    subject: "key",
    before: sql`
  select ${stateOf("key", "k")} as state, ${IS_LIVE} as is_live, ${isUncapped} as is_uncapped,
    ${successorEnd} as successor_end
  from api_keys k where k.tenant_id = ${tenantId} and k.id = ${id}`,
    change: sql`
  update api_keys k set expires_at = case when exists ${FIRST_ROTATION} then k.expires_at
    else least(k.expires_at, now() + make_interval(secs => ${overlapSeconds}::integer)) end
  where k.tenant_id = ${tenantId} and k.id = ${id} and ${IS_LIVE} and ${isUncapped} and ${keepsAdmin}
  returning k.id::text as subject, ${stateOf("key", "k")} as state, k.*`,
    effects: sql`,
successor as (
  insert into api_keys as k (tenant_id, id, name, role, kind, person_id, digest, last_four, replaces, expires_at, created_by)
  select changed.tenant_id, ${successorId}::uuid, changed.name, changed.role, changed.kind, changed.person_id,
    decode(${digestHex}::text, 'hex'), ${lastFour}::text, changed.id, was.successor_end, ${rotatedBy}::text
  from changed, was
  returning ${stateOf("key", "k")} as state, ${API_KEY_JSON} as record
)`,
    type: sql`'key_rotated'`,
    details: sql`jsonb_build_object('successor', (select state from successor))`,
    // The old key may already end within the overlap.
    alsoIf: sql`true`,
    refusals: [
      { when: sql`not was.is_live`, refusal: keyEnded() },
      { when: sql`not was.is_uncapped`, refusal: tooManyKeys(LIVE_KEYS_WITH_OVERLAP_MAX) },
      { when: sql`was.is_live`, refusal: lastAdminKey() },
    ],
    result: sql`json_build_object('record', (select record from successor), 'overlapUntil', iso(changed.expires_at))`,
    columns: sql`(select record from successor) as record, iso(changed.expires_at) as "overlapUntil"`,
  });
}

/**
 * Notes that a key was used, unless that was noted within the last hour. Runs after the answer and blocks no call.
 */
export async function recordKeyUse(database: TenantDatabase, keyId: string): Promise<void> {
  await database.writeIdempotently(sql`
    insert into api_key_uses as u (tenant_id, key_id, last_used_at) values (${database.tenantId}, ${keyId}, now())
    on conflict (tenant_id, key_id) do update set last_used_at = excluded.last_used_at
    where u.last_used_at <= now() - ${USE_INTERVAL}`);
}

/** Returns the role of a key that still works; null if it has ended. */
export async function findKeyRole(database: TenantDatabase, keyId: string): Promise<Role | null> {
  const [row] = await database.read<{ role: Role }>(
    sql`select k.role from api_keys k where k.id = ${keyId} and ${IS_LIVE}`,
  );
  return row?.role ?? null;
}

/** Returns a page of keys, newest first. */
export async function listApiKeys(
  database: TenantDatabase,
  { after, limit }: { after: string | null; limit: number },
): Promise<ApiKeyRecord[]> {
  const rows = await database.read<{ record: ApiKeyRecord }>(sql`
    select ${API_KEY_JSON} as record from api_keys k
    where ${allOf(after !== null && sql`k.id < ${after}`)}
    order by k.id desc limit ${limit}`);
  return rows.map(({ record }) => record);
}
