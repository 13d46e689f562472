import { type SQL, sql } from "drizzle-orm";
import type { Bound } from "./prepared.ts";

// The row of `operations` with which every write begins: inserting it, and finding what an earlier call stored in it.

/** Identifies an operation's row. */
export interface OperationKey {
  id: Bound<string>;
  actorId: Bound<string>;
  route: Bound<string>;
  key: Bound<string | null>;
}

/**
 * Inserts the operation before any lock is taken. There is no ON CONFLICT: a repeat fails here and reads the stored
 * result.
 */
export function insertOperation(
  tenantId: Bound<string>,
  { id, actorId, route, key, fingerprint }: OperationKey & { fingerprint: Bound<string> },
): SQL {
  return sql`insert into operations (tenant_id, id, actor_id, route, key, fingerprint)
    values (${tenantId}, ${id}, ${actorId}, ${route}, ${key}, ${fingerprint})`;
}

/**
 * Deletes the operation of an expired key, so that the key is free before the sweep runs. Runs first if there is a
 * key.
 */
export function releaseKey({ actorId, route, key }: OperationKey): SQL {
  return sql`delete from operations
    where actor_id = ${actorId} and route = ${route} and key = ${key} and expires_at <= now()`;
}

/** Selects the stored operation of a call. Loads add it to their own query, in the same round trip. */
export function operationQuery({ id, actorId, route, key }: OperationKey): SQL {
  return sql`select id, fingerprint, result from operations
    where id = ${id} or (actor_id = ${actorId} and route = ${route} and key = ${key}
      and expires_at > now())`;
}

/** Like `operationQuery`, for reads: without a key, no earlier call can have stored anything. */
export function keyQuery(call: OperationKey | null): SQL {
  return call === null || call.key === null
    ? sql`select null as id where false`
    : operationQuery(call);
}

/** The stored operation as a JSON value inside another query; null if there is none or the call has no key. */
export function storedJson(call: OperationKey | null): SQL {
  return sql`(select row_to_json(o) from (${keyQuery(call)}) o)`;
}
