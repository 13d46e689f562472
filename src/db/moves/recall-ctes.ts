import { type SQL, sql } from "drizzle-orm";
import type { Bound } from "../connection/prepared.ts";
import { IS_OF_VERSION } from "../dispatches/dispatch-sql.ts";
import type { MoveInput } from "./move-input.ts";
import { REAL_CLOCK } from "../sql/writer-clock.ts";

// The writer's CTEs that recall dispatches. They read from `newest`, the newest event of each task, and from `reached`,
// which also contains the tasks that change without an event.

/**
 * CTEs that recall open dispatches: those of a step that is left or ended, the payment of a version whose approval no
 * longer holds, and those of a change that is undone. A dispatch with a live lease is being delivered and can no
 * longer be recalled.
 */
export function recallCtes(
  tenantId: Bound<string>,
  input: Pick<MoveInput, "recalls" | "undone">,
): SQL {
  return sql`${undoneDispatches(tenantId, input.undone)}
left_behind as materialized (
  select d.id, d.task_id, d.state, n.at
  from json_to_recordset(${input.recalls}) as r(
      task_id uuid, step_id uuid, version_id uuid, attached boolean, payment boolean)
    join newest n using (task_id)
    join pipeline_dispatches d on d.task_id = r.task_id
  where d.tenant_id = ${tenantId}::uuid and d.state in ('pending', 'sent')
    and (d.lease_until is null or d.lease_until < ${REAL_CLOCK})
    and case when ${IS_OF_VERSION} then r.payment and d.version_id = r.version_id
      else r.attached and d.step_id = r.step_id end
  order by d.id
  for update of d
),
recallable as materialized (
  select id, task_id, state, at from left_behind
  union all select id, task_id, state, at from undone where ${IS_RECALLED}
),
recalled as (
  update pipeline_dispatches d set state = 'recalled', updated_at = greatest(d.updated_at, r.at)
  from recallable r
  where d.tenant_id = ${tenantId}::uuid and d.id = r.id
  returning d.task_id
)`;
}

/** Replaces these CTEs if no move recalls dispatches. */
export const NO_RECALLS = sql`undone as (select null::text as state, null::boolean as is_leased where false),
recallable as (
  select null::uuid as id, null::uuid as task_id, null::text as state, null::timestamptz as at where false
),
recalled as (select null::uuid as task_id where false)`;

/** Locks all dispatches of the undone changes, in any state, so that the counts are exact. */
function undoneDispatches(tenantId: Bound<string>, undone: Bound<string>): SQL {
  return sql`undone as materialized (
  select d.id, d.task_id, d.state, n.at, coalesce(d.lease_until >= ${REAL_CLOCK}, false) as is_leased
  from json_to_recordset(${undone}) as u(task_id uuid, seq integer, operation_id uuid)
    join reached n on n.task_id = u.task_id
    join pipeline_dispatches d on d.task_id = u.task_id
  where d.tenant_id = ${tenantId}::uuid
    and case when u.seq is null then d.bulk_operation_id = u.operation_id else d.cause_seq = u.seq end
  order by d.id
  for update of d
),`;
}

const IS_RECALLED = sql`state in ('pending', 'sent') and not is_leased`;

/** How many dispatches of the undone changes were recalled in time, and how many were already delivered. */
export const UNDONE_COUNTS = {
  recalled: sql`(select count(*) from undone where ${IS_RECALLED})`,
  alreadyDelivered: sql`(select count(*) from undone
    where state = 'delivered' or (state in ('pending', 'sent') and is_leased))`,
};
