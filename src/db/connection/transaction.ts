import { type SQL, sql } from "drizzle-orm";
import type { Bound } from "./prepared.ts";

// The statements that begin and end every transaction of a tenant, sent as text or prepared.

/** The statement timeout. */
export const STATEMENT_MS_MAX = 10_000;

/** Sets the tenant and the time limits for one transaction, because pooled connections keep no session state. */
export function scopeOf(tenantId: Bound<string>): SQL {
  return sql`${preparedScopeOf(tenantId)},
    set_config('statement_timeout', ${String(STATEMENT_MS_MAX)}, true)`;
}

/**
 * The scope inside a prepared statement. It sets no statement timeout, which has no effect on a statement that is
 * already running: the role's own timeout applies (scripts/stack/roles.ts).
 */
export function preparedScopeOf(tenantId: Bound<string>): SQL {
  return sql`select set_config('app.tenant_id', ${tenantId}::text, true),
    set_config('lock_timeout', '1000', true)`;
}

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
 * Deletes the operation of an expired key, so that the key is free before the sweep comes. Runs first if there is a
 * key.
 */
export function releaseKey({ actorId, route, key }: OperationKey): SQL {
  return sql`delete from operations
    where actor_id = ${actorId} and route = ${route} and key = ${key} and expires_at <= now()`;
}

/** Checks the deferred constraints, so that this statement reports a violation and not COMMIT. */
export const CHECK_CONSTRAINTS = sql`set constraints all immediate`;

/** Selects the stored operation of a call. Loads add it to their own query, in the same round trip. */
export function operationQuery({ id, actorId, route, key }: OperationKey): SQL {
  return sql`select id, fingerprint, result from operations
    where id = ${id} or (actor_id = ${actorId} and route = ${route} and key = ${key}
      and expires_at > now())`;
}

/** Like `operationQuery`; returns no row if the call has no key. */
export function keyQuery(call: OperationKey | null): SQL {
  return call === null || call.key === null
    ? sql`select null as id where false`
    : operationQuery(call);
}

/** The stored operation as a JSON value inside another query; null if there is none or the call has no key. */
export function storedJson(call: OperationKey | null): SQL {
  return sql`(select row_to_json(o) from (${keyQuery(call)}) o)`;
}
