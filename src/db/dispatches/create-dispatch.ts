import { sql } from "drizzle-orm";
import type { Actor } from "../../domain/actor.ts";
import type { Operation, TenantDatabase, Written } from "../connection/client.ts";
import { keepOrDrop } from "../ledger/operations.ts";
import { notBefore } from "../sql/writer-clock.ts";
import { logDispatches } from "./dispatch-log.ts";
import { IS_OF_VERSION, isOffered, PREVENTS_ANOTHER } from "./dispatch-sql.ts";

/**
 * Puts a manual dispatch into the outbox for the task's current step, if the task is still at the given seq. If a
 * dispatch is already open, or the payment was already requested, returns that one's id instead.
 */
export async function createDispatch(
  database: TenantDatabase,
  dispatch: { id: string; pipeline: string; taskId: string; eventSeq: number; reason: string },
  { actor, operation }: { actor: Actor; operation: Operation },
): Promise<Written<{ created: boolean; open: string | null }>> {
  const { tenantId } = database;
  const { id, pipeline } = dispatch;
  const result = JSON.stringify({ id, pipeline, state: "pending" });
  const written = await database.write<{ created: boolean; open: string | null }>(operation, [
    // A statement sees only what was committed when it began, so lock before looking for an open dispatch.
    sql`select from tasks where tenant_id = ${tenantId}::uuid and id = ${dispatch.taskId}::uuid for no key update`,
    sql`
with
task as materialized (
  select id, active_version_id, current_step_id, event_seq, ${notBefore(sql`updated_at`)} as now from tasks
  where tenant_id = ${tenantId}::uuid and id = ${dispatch.taskId}::uuid and event_seq = ${dispatch.eventSeq}::integer
),
created as (
  insert into pipeline_dispatches (tenant_id, id, pipeline, task_id, version_id, step_id, cause_seq, by_hand,
    created_at, updated_at)
  select ${tenantId}::uuid, ${id}::uuid, ${pipeline}::text, t.id, active_version_id, current_step_id, event_seq, true,
    t.now, t.now
  from task t
  where not exists (select from pipeline_dispatches d where d.tenant_id = ${tenantId}::uuid and d.task_id = t.id
    and d.step_id = t.current_step_id and d.pipeline = ${pipeline}::text and ${isOffered(sql`d`)})
  on conflict do nothing
  returning id, created_at
),
logged as (
  ${logDispatches(
    tenantId,
    { actor, operation, reason: dispatch.reason },
    sql`select id, null as from_state, 'pending' as to_state, created_at as since from created`,
  )}
),
${keepOrDrop({ tenantId, operation }, { from: sql`created`, result: sql`${result}::json` })}
select exists (select from created) as created,
  (select d.id from task t join pipeline_dispatches d on d.tenant_id = ${tenantId}::uuid and d.task_id = t.id
   where d.pipeline = ${pipeline}::text and ${PREVENTS_ANOTHER} and case when ${IS_OF_VERSION}
     then d.version_id = t.active_version_id else d.step_id = t.current_step_id end
   limit 1) as open`,
  ]);
  database.outgoing.dispatches ||=
    written.outcome === "written" && written.rows[0]?.created === true;
  return written;
}
