import { sql } from "drizzle-orm";
import type { Role } from "../../domain/actor.ts";
import { bytes, fromHex } from "../sql/bytes.ts";
import { allOf } from "../sql/conditions.ts";
import type { Operation, TenantDatabase, Written } from "../connection/client.ts";
import { keepOrDrop } from "../ledger/operations.ts";

/** An API key as authentication reads it. */
export interface ApiKey {
  id: string;
  name: string;
  role: Role;
  digest: Uint8Array;
}

/** Returns the key with this digest; null if there is none or it was revoked. */
export async function findApiKey(
  database: TenantDatabase,
  digest: Uint8Array,
): Promise<ApiKey | null> {
  const [row] = await database.read<Omit<ApiKey, "digest"> & { digest: string }>(
    sql`select id, name, role, encode(digest, 'hex') as digest from api_keys
      where digest = ${bytes(digest)} and revoked_at is null`,
  );
  return row === undefined ? null : { ...row, digest: fromHex(row.digest) };
}

/** An API key as answers show it, without the key itself. */
export interface ApiKeyRecord {
  id: string;
  name: string;
  role: Role;
  lastFour: string;
  createdBy: string;
  createdAt: string;
  revokedAt: string | null;
  revokedBy: string | null;
}

/** An ApiKeyRecord as JSON, from the alias k. */
const API_KEY_JSON = sql`json_build_object('id', k.id, 'name', k.name, 'role', k.role, 'lastFour', k.last_four,
  'createdBy', k.created_by, 'createdAt', iso(k.created_at), 'revokedAt', iso(k.revoked_at),
  'revokedBy', k.revoked_by)`;

/** Stores a key. Only its digest is kept. */
export function storeApiKey(
  database: TenantDatabase,
  key: Pick<ApiKeyRecord, "id" | "name" | "role" | "lastFour" | "createdBy"> & {
    digestHex: string;
  },
  operation: Operation,
): Promise<Written<{ record: ApiKeyRecord }>> {
  const { tenantId } = database;
  return database.write(operation, [
    sql`
with created as (
  insert into api_keys as k (tenant_id, id, name, role, digest, last_four, created_by)
  values (${tenantId}, ${key.id}, ${key.name}, ${key.role}, decode(${key.digestHex}, 'hex'),
    ${key.lastFour}, ${key.createdBy})
  returning ${API_KEY_JSON} as record
),
${keepOrDrop({ tenantId, operation }, { from: sql`created`, result: sql`created.record` })}
select record from created`,
  ]);
}

/** Revokes a key. A key that was already revoked stays unchanged. Returns no row if there is no such key. */
export function revokeApiKey(
  database: TenantDatabase,
  { id, revokedBy }: { id: string; revokedBy: string },
  operation: Operation,
): Promise<Written<{ record: ApiKeyRecord }>> {
  const { tenantId } = database;
  return database.write(operation, [
    sql`
with revoked as (
  update api_keys k set revoked_at = coalesce(k.revoked_at, now()), revoked_by = coalesce(k.revoked_by, ${revokedBy})
  where k.tenant_id = ${tenantId} and k.id = ${id}
  returning ${API_KEY_JSON} as record
),
${keepOrDrop({ tenantId, operation }, { from: sql`revoked`, result: sql`revoked.record` })}
select record from revoked`,
  ]);
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
