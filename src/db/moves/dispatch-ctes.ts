import { type SQL, sql } from "drizzle-orm";
import { logDispatches } from "../dispatches/dispatch-log.ts";
import { isOffered } from "../dispatches/dispatch-sql.ts";
import type { StepSourceInputs } from "../history/event-ctes.ts";
import type { Bound } from "../connection/prepared.ts";

// The writer's CTEs that create dispatches and log them. They read from `reached`: the newest event of each task, and the
// tasks that change without an event.

/**
 * The CTE that creates dispatches. Unique indexes prevent a second payment and a second open dispatch. The condition
 * prevents a dispatch whose step already has an offered run. Runs are offered only under the task's lock, so the
 * condition misses none.
 */
export function dispatchCte(
  tenantId: Bound<string>,
  dispatches: Bound<string>,
  { bulk }: StepSourceInputs,
): SQL {
  return sql`dispatched as (
  insert into pipeline_dispatches (tenant_id, id, pipeline, task_id, version_id, step_id, cause_seq,
    by_hand, bulk_operation_id, created_at, updated_at)
  select ${tenantId}::uuid, a.id, a.pipeline, a.task_id, a.version_id, a.step_id, n.seq,
    n.is_silent, ${bulk?.id ?? null}::uuid, n.at, n.at
  from json_to_recordset(${dispatches}) as a(
      id uuid, pipeline text, task_id uuid, version_id uuid, step_id uuid)
    join reached n using (task_id)
  where not exists (select from pipeline_dispatches d where d.tenant_id = ${tenantId}::uuid and d.task_id = a.task_id
    and d.step_id = a.step_id and d.pipeline = a.pipeline and ${isOffered(sql`d`)})
  order by a.task_id
  on conflict do nothing
  returning id, pipeline, task_id, created_at
)`;
}

/** Replaces this CTE if no move creates dispatches. */
export const NO_DISPATCHES = sql`dispatched as (
  select null::uuid as id, null::text as pipeline, null::uuid as task_id, null::timestamptz as created_at where false
)`;

/** The CTE that logs the created and recalled dispatches. */
export function dispatchLogCte(
  tenantId: Bound<string>,
  { actor, operation, bulk }: StepSourceInputs & { bulk: { reason: string } | null },
): SQL {
  const changes = sql`
    select id, null as from_state, 'pending' as to_state, created_at as since from dispatched
    union all
    select id, state, 'recalled', at from recallable
  `;
  return sql`dispatch_log as (
  ${logDispatches(tenantId, { actor, operation, reason: bulk?.reason ?? null }, changes)}
),`;
}
