import { type SQL, sql } from "drizzle-orm";
import type { Bound } from "./prepared.ts";

// What every transaction of a tenant begins and ends with, whether its statements are sent or prepared.

/** What a statement is given up after. */
export const STATEMENT_MS_MAX = 10_000;

/** Row security and time limits hold for this transaction alone: pooled connections keep no session state. */
export function scopeOf(tenantId: Bound<string>): SQL {
  return sql`${preparedScopeOf(tenantId)},
    set_config('statement_timeout', ${String(STATEMENT_MS_MAX)}, true)`;
}

/**
 * The same within a prepared statement, which is under way by then: of its time the role's own limit holds
 * (scripts/stack/roles.ts).
 */
export function preparedScopeOf(tenantId: Bound<string>): SQL {
  return sql`select set_config('app.tenant_id', ${tenantId}::text, true),
    set_config('lock_timeout', '1000', true)`;
}

/** What the row of an operation is found by. */
export interface OperationKey {
  id: Bound<string>;
  actorId: Bound<string>;
  route: Bound<string>;
  key: Bound<string | null>;
}

/** Before any lock, and without ON CONFLICT: a repeat stops here and reads what the first one stored. */
export function insertOperation(
  tenantId: Bound<string>,
  { id, actorId, route, key, fingerprint }: OperationKey & { fingerprint: Bound<string> },
): SQL {
  return sql`insert into operations (tenant_id, id, actor_id, route, key, fingerprint)
    values (${tenantId}, ${id}, ${actorId}, ${route}, ${key}, ${fingerprint})`;
}

/** Before that, where the call has a key: one that has run out is free again, whether or not its row was swept. */
export function releaseKey({ actorId, route, key }: OperationKey): SQL {
  return sql`delete from operations
    where actor_id = ${actorId} and route = ${route} and key = ${key} and expires_at <= now()`;
}

/** Deferred keys are checked here, so that a breach is this statement's error and not COMMIT's. */
export const CHECK_PROMISES = sql`set constraints all immediate`;

/** What a repeat looks for; `load` puts it beside its own query, in the same round trip. */
export function operationQuery({ id, actorId, route, key }: OperationKey): SQL {
  return sql`select id, fingerprint, result from operations
    where id = ${id} or (actor_id = ${actorId} and route = ${route} and key = ${key}
      and expires_at > now())`;
}

/** The same for a call that may have no key, and then finds nothing. */
export function keyQuery(call: OperationKey | null): SQL {
  return call === null || call.key === null
    ? sql`select null as id where false`
    : operationQuery(call);
}

/** The same as a value within another query: null where nothing is stored, or where the call has no key. */
export function storedJson(call: OperationKey | null): SQL {
  return sql`(select row_to_json(o) from (${keyQuery(call)}) o)`;
}
