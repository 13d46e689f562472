import { sql } from "drizzle-orm";
import type { DispatchAttemptEnd } from "../../domain/pipelines/dispatch-attempts.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { logCtes, type HasDeliveries } from "./dispatch-log.ts";
import { MESSAGE_LOST_AFTER, IS_LEASED, lockTaskOf } from "./dispatch-sql.ts";
import { runAllowance } from "../runs/run-guards.ts";
import { notBefore } from "../sql/writer-clock.ts";

/**
 * Records how an attempt ended, if it still holds the lease; otherwise a later attempt's result counts. If the attempt
 * failed, the deadline of the queued run is extended, so that its time counts from the next attempt.
 */
export async function endDispatch(
  database: TenantDatabase,
  { dispatchId, owner }: { dispatchId: string; owner: string },
  end: DispatchAttemptEnd,
): Promise<void> {
  const { tenantId } = database;
  const changes = sql`
    select id, state as from_state, ${end.state}::text as to_state, null::timestamptz as since,
      ${end.state === "dead" ? end.reason : null}::text as reason, 1 as ordinal
    from own where ${end.state} <> 'sent'`;
  const delay = sql`make_interval(secs => ${end.state === "sent" ? end.delaySeconds : 0}::integer)`;
  const [row] = await database.writeIdempotently<HasDeliveries>(
    lockTaskOf(tenantId, dispatchId),
    sql`
with
own as materialized (
  select d.id, d.state from pipeline_dispatches d
  where d.tenant_id = ${tenantId}::uuid and d.id = ${dispatchId}::uuid and d.lease_owner = ${owner}::uuid
    and d.state = 'sent'
  for no key update
),
ended as (
  update pipeline_dispatches d set state = ${end.state}, lease_owner = null, lease_until = null,
    last_error = ${endError(end)}::text, dead_reason = ${end.state === "dead" ? end.reason : null}::text,
    updated_at = ${notBefore(sql`d.updated_at`)},
    attempts = d.attempts - ${end.state === "sent" && !end.isCounted ? 1 : 0},
    not_before = ${end.state === "sent" ? sql`clock_timestamp() + ${delay}` : sql`null`},
    next_attempt_at = clock_timestamp() + ${delay} + ${MESSAGE_LOST_AFTER}
  from own where d.tenant_id = ${tenantId}::uuid and d.id = own.id
),
put_off as (
  update worker_runs w set updated_at = ${notBefore(sql`w.updated_at`)},
    deadline_at = greatest(w.deadline_at, clock_timestamp() + ${delay} + ${runAllowance(sql`w.type`)})
  from own
  where w.tenant_id = ${tenantId}::uuid and w.dispatch_id = own.id and w.state = 'QUEUED'
    and ${end.state} <> 'delivered'
),
${logCtes(tenantId, changes)}
select exists (select from notified) as "hasDeliveries"`,
  );
  database.outgoing.events ||= row?.hasDeliveries === true;
}

/** The stored error of an attempt, preceded by the reason if the dispatch is dead. */
function endError(end: DispatchAttemptEnd): string | null {
  if (end.state === "delivered") return null;
  return end.state === "dead" ? `${end.reason}: ${end.error}` : end.error;
}

/**
 * Marks a dispatch as dead after the queue gave up on its message, unless it is being delivered or another message for
 * it is scheduled.
 */
export async function giveUpDispatch(
  database: TenantDatabase,
  dispatchId: string,
  reason: string,
): Promise<void> {
  const { tenantId } = database;
  const changes = sql`
    select id, state as from_state, 'dead' as to_state, null::timestamptz as since, ${reason}::text as reason, 1 as ordinal
    from given_up`;
  const [row] = await database.writeIdempotently<HasDeliveries>(
    lockTaskOf(tenantId, dispatchId),
    sql`
with
given_up as materialized (
  select d.id, d.state from pipeline_dispatches d
  where d.tenant_id = ${tenantId}::uuid and d.id = ${dispatchId}::uuid and d.state = 'sent'
    and not ${IS_LEASED} and coalesce(d.not_before < clock_timestamp(), true)
  for no key update
),
dead as (
  update pipeline_dispatches d set state = 'dead', lease_owner = null, lease_until = null,
    updated_at = ${notBefore(sql`d.updated_at`)},
    last_error = ${reason} || coalesce(': ' || d.last_error, ''), dead_reason = ${reason}
  from given_up where d.tenant_id = ${tenantId}::uuid and d.id = given_up.id
),
${logCtes(tenantId, changes)}
select exists (select from notified) as "hasDeliveries"`,
  );
  database.outgoing.events ||= row?.hasDeliveries === true;
}
