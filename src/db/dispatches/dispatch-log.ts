import { type SQL, sql } from "drizzle-orm";
import { tellWebhooks } from "../webhooks/webhook-outbox.ts";

/** Who is told as having moved a dispatch where nobody did by hand. */
export const DELIVERY_ACTOR = { id: "system", name: "Delivery" };

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
  return sql`logged as (
  insert into dispatch_events (tenant_id, id, dispatch_id, from_state, to_state, actor_id, actor_name, reason)
  select ${tenantId}::uuid, new_id(), move.id, from_state, to_state, ${DELIVERY_ACTOR.id}, ${DELIVERY_ACTOR.name},
    reason
  from (${moves}) move order by ordinal
  returning id, dispatch_id, to_state, reason, at
),
told as (
  ${tellWebhooks(tenantId, "dispatch.dead", deaths)}
)`;
}
