import { type SQL, sql } from "drizzle-orm";
import type { Actor } from "../../domain/actor.ts";
import type { DispatchState } from "../../domain/pipelines/states.ts";
import type { Operation, TenantDatabase, Written } from "../connection/client.ts";
import { keepOrDrop } from "../ledger/operations.ts";
import { logDispatches } from "./dispatch-log.ts";
import {
  DISPATCH_JOINS,
  IS_LEASED,
  IS_OF_VERSION,
  IS_RUN_CLOSED,
  IS_UNWANTED,
  isOffered,
  lockTaskOf,
} from "./dispatch-sql.ts";
import { DISPATCH_JSON, type DispatchRecord } from "./read-dispatches.ts";
import { notBefore } from "../sql/writer-clock.ts";

/** The facts that the change was checked against and, if it was allowed, the changed dispatch. */
export interface ChangedDispatch {
  state: DispatchState;
  isLeased: boolean;
  isUnwanted: boolean;
  isArchived: boolean;
  /** Another open dispatch of the same pipeline and step. */
  rivalId: string | null;
  /** Null if nothing was changed. */
  changed: DispatchRecord | null;
}

interface Change {
  dispatchId: string;
  reason: string;
}

interface By {
  actor: Actor;
  operation: Operation;
}

/**
 * Puts a dead dispatch back into the outbox with no attempts, if it is still wanted. It keeps its run. The run of a
 * payment may have timed out, because a version has only one dispatch for it and no one can request another. Returns no
 * row if there is no such dispatch.
 */
export function retryDispatch(
  database: TenantDatabase,
  change: Change,
  by: By,
): Promise<Written<ChangedDispatch>> {
  return changeDispatch(database, change, by, {
    to: "pending",
    isAllowed: sql`f.state = 'dead' and not f.is_unwanted and not f.is_archived and f.rival_id is null
      and (f.is_owed or coalesce(f.run_state = 'QUEUED', true))`,
    set: sql`attempts = 0, last_error = null, not_before = null, next_attempt_at = now()`,
    effects: sql``,
  });
}

/**
 * Recalls a dispatch that is neither delivered nor being delivered, and cancels the queued run of an earlier attempt.
 * Returns no row if there is no such dispatch.
 */
export function recallDispatch(
  database: TenantDatabase,
  change: Change,
  by: By,
): Promise<Written<ChangedDispatch>> {
  return changeDispatch(database, change, by, {
    to: "recalled",
    isAllowed: sql`f.state in ('pending', 'sent') and not f.is_leased and coalesce(f.run_state = 'QUEUED', true)`,
    set: sql`not_before = null`,
    effects: sql`,
cancelled as (
  update worker_runs w set state = 'CANCELLED', updated_at = ${notBefore(sql`w.updated_at`)}
  from allowed l where w.tenant_id = ${database.tenantId}::uuid and w.dispatch_id = l.id and w.state = 'QUEUED'
)`,
  });
}

/**
 * Checks and changes under the locks of the task and the dispatch, so that the returned facts are those of the check.
 */
function changeDispatch(
  database: TenantDatabase,
  { dispatchId, reason }: Change,
  { actor, operation }: By,
  { to, isAllowed, set, effects }: { to: DispatchState; isAllowed: SQL; set: SQL; effects: SQL },
): Promise<Written<ChangedDispatch>> {
  const { tenantId } = database;
  return database.write(operation, [
    lockTaskOf(tenantId, dispatchId),
    sql`
with
found as materialized (
  select d.id, d.state, w.id as run_id, w.state as run_state,
    ${IS_OF_VERSION} and ${IS_RUN_CLOSED} as is_owed, t.archived_at is not null as is_archived,
    ${IS_LEASED} as is_leased, ${IS_UNWANTED} as is_unwanted,
    (select o.id from pipeline_dispatches o
      where o.tenant_id = d.tenant_id and o.step_id = d.step_id and o.pipeline = d.pipeline and o.id <> d.id
        and (o.state in ('pending', 'sent') or ${isOffered(sql`o`)}) limit 1) as rival_id
  from pipeline_dispatches d ${DISPATCH_JOINS}
  where d.tenant_id = ${tenantId}::uuid and d.id = ${dispatchId}::uuid
  for no key update of d
),
allowed as (select f.* from found f where ${isAllowed}),
changed as (
  update pipeline_dispatches d set state = ${to}, lease_owner = null, lease_until = null,
    updated_at = ${notBefore(sql`d.updated_at`)}, ${set}
  from allowed l where d.tenant_id = ${tenantId}::uuid and d.id = l.id
  returning d.*, l.run_id
),
logged as (
  ${logDispatches(
    tenantId,
    { actor, operation, reason },
    sql`select id, state as from_state, ${to}::text as to_state, null::timestamptz as since from allowed`,
  )}
)${effects},
answer as materialized (
  select ${DISPATCH_JSON} as dispatch from changed d cross join lateral (select d.run_id as id) w
),
${keepOrDrop({ tenantId, operation }, { from: sql`answer`, result: sql`answer.dispatch` })}
select state, is_leased as "isLeased", is_unwanted as "isUnwanted", is_archived as "isArchived",
  rival_id as "rivalId", (select dispatch from answer) as changed
from found`,
  ]);
}
