import { type SQL, sql } from "drizzle-orm";
import type { Bound } from "../connection/prepared.ts";
import { tellWebhooks } from "../webhooks/webhook-outbox.ts";

/** Who is told as having moved a dispatch where nobody did by hand. */
export const DELIVERY_ACTOR = { id: "system", name: "Delivery" };

/** Who changed dispatches, in which call and why. */
interface LogSource {
  actor: Readonly<Record<"id" | "name", Bound<string>>>;
  /** Null if the change belongs to no operation. */
  operation: { id: Bound<string> } | null;
  /** An expression if each row of `changes` has its own. */
  reason: Bound<string | null>;
}

/**
 * The insert into `dispatch_events`, one row for each row of the query `changes`: id, from_state, to_state. The text
 * ends with the FROM clause, so that callers can append ORDER BY and RETURNING.
 */
export function logDispatches(
  tenantId: Bound<string>,
  { actor, operation, reason }: LogSource,
  changes: SQL,
): SQL {
  return sql`insert into dispatch_events (tenant_id, id, dispatch_id, from_state, to_state, actor_id, actor_name, reason,
    operation_id)
  select ${tenantId}::uuid, new_id(), id, from_state, to_state, ${actor.id}::text, ${actor.name}::text,
    ${reason}::text, ${operation?.id ?? null}::uuid
  from (${changes}) change`;
}

/** Whether a statement has put something into the outbox of webhooks: the column that tells it. */
export interface HasDeliveries {
  hasDeliveries: boolean;
}

/**
 * CTEs that log what became of dispatches, from a query of id, from_state, to_state, reason and ordinal, and tell
 * webhooks of those that are dead: `logged` and `told`.
 */
export function loggedCtes(tenantId: string, moves: SQL): SQL {
  const deaths = sql`
    select l.id as source, json_build_object('dispatchId', d.id, 'pipeline', d.pipeline, 'taskId', d.task_id,
      'reason', l.reason, 'at', iso(l.at)) as data
    from logged l join pipeline_dispatches d on d.tenant_id = ${tenantId}::uuid and d.id = l.dispatch_id
    where l.to_state = 'dead'`;
  const source = { actor: DELIVERY_ACTOR, operation: null, reason: sql`reason` };
  return sql`logged as (
  ${logDispatches(tenantId, source, moves)} order by ordinal
  returning id, dispatch_id, to_state, reason, at
),
told as (
  ${tellWebhooks(tenantId, "dispatch.dead", deaths)}
)`;
}
