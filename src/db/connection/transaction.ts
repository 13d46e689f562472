import { type SQL, sql } from "drizzle-orm";
import type { Bound } from "./prepared.ts";

// The statements that begin and end every transaction of a tenant, sent as text or prepared.

/** The statement timeout. */
export const STATEMENT_MS_MAX = 10_000;

/**
 * Sets the tenant and the time limits for one transaction, because pooled connections keep no session state. With
 * `plannedAt`, also the time of what it writes; it has an effect only in a demo tenant with a simulated clock.
 */
export function scopeOf(tenantId: Bound<string>, plannedAt: string | null = null): SQL {
  const planned =
    plannedAt === null ? sql`` : sql`, set_config('app.planned_at', ${plannedAt}, true)`;
  return sql`${preparedScopeOf(tenantId)},
    set_config('statement_timeout', ${String(STATEMENT_MS_MAX)}, true)${planned}`;
}

/**
 * The scope inside a prepared statement. It sets no statement timeout, which has no effect on a statement that is
 * already running: the role's own timeout applies (scripts/stack/roles.ts).
 */
export function preparedScopeOf(tenantId: Bound<string>): SQL {
  return sql`select set_config('app.tenant_id', ${tenantId}::text, true),
    set_config('lock_timeout', '1000', true)`;
}

/** Checks the deferred constraints, so that this statement reports a violation and not COMMIT. */
export const CHECK_CONSTRAINTS = sql`set constraints all immediate`;

/** Defers them again after CHECK_CONSTRAINTS, for the next call in the same transaction. */
export const DEFER_CONSTRAINTS = sql`set constraints all deferred`;
