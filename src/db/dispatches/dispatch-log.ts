import { type SQL, sql } from "drizzle-orm";
import type { Bound } from "../connection/prepared.ts";
import { WRITER_CLOCK } from "../sql/writer-clock.ts";
import { enqueueDeliveries } from "../webhooks/webhook-outbox.ts";

/** The actor of changes that no person made. */
export const DELIVERY_ACTOR = { id: "system", name: "Delivery" };

/** Who changed the dispatches, in which operation, and why. */
interface LogSource {
  actor: Readonly<Record<"id" | "name", Bound<string>>>;
  /** Null if the change belongs to no operation. */
  operation: { id: Bound<string> } | null;
  /** An expression if each row of `changes` has its own. */
  reason: Bound<string | null>;
}

/**
 * The insert into `dispatch_events`, one row for each row of the query `changes`: id, from_state, to_state, since. An
 * entry has the time `since`, or the writers' clock if that is null, and is not dated before the dispatch's previous entry. The text ends with the
 * FROM clause, so that callers can append ORDER BY and RETURNING.
 */
export function logDispatches(
  tenantId: Bound<string>,
  { actor, operation, reason }: LogSource,
  changes: SQL,
): SQL {
  const last = sql`(select l.at from dispatch_events l
      where l.tenant_id = ${tenantId}::uuid and l.dispatch_id = change.id order by l.position desc limit 1)`;
  return sql`insert into dispatch_events (tenant_id, id, dispatch_id, from_state, to_state, actor_id, actor_name, reason,
    operation_id, at)
  select ${tenantId}::uuid, new_id(), id, from_state, to_state, ${actor.id}::text, ${actor.name}::text,
    ${reason}::text, ${operation?.id ?? null}::uuid, greatest(coalesce(change.since, ${WRITER_CLOCK}), ${last})
  from (${changes}) change`;
}

/** The column that shows whether a statement enqueued webhook deliveries. */
export interface HasDeliveries {
  hasDeliveries: boolean;
}

/**
 * The CTEs `logged` and `notified`: they log changes of dispatches and enqueue a webhook delivery for each dead one.
 * `changes` is a query of id, from_state, to_state, since, reason and ordinal.
 */
export function logCtes(tenantId: Bound<string>, changes: SQL): SQL {
  const dead = sql`
    select l.id as source, json_build_object('dispatchId', d.id, 'pipeline', d.pipeline, 'taskId', d.task_id,
      'reason', l.reason, 'at', iso(l.at)) as data
    from logged l join pipeline_dispatches d on d.tenant_id = ${tenantId}::uuid and d.id = l.dispatch_id
    where l.to_state = 'dead'`;
  const source = { actor: DELIVERY_ACTOR, operation: null, reason: sql`reason` };
  return sql`logged as (
  ${logDispatches(tenantId, source, changes)} order by ordinal
  returning id, dispatch_id, to_state, reason, at
),
notified as (
  ${enqueueDeliveries(tenantId, "dispatch.dead", dead)}
)`;
}
