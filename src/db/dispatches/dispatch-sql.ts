import { type SQL, sql } from "drizzle-orm";
import { TIMED_OUT } from "../../domain/lifecycle/runs.ts";
import { ENDING_STATUSES, TAKING_BACK_STATUSES } from "../../domain/lifecycle/transitions.ts";
import { PIPELINES_ON_ENTRY } from "../../domain/lifecycle/attached.ts";
import { isOfVersionSql } from "./pipeline-sql.ts";
import { listed } from "../sql/listed.ts";

/**
 * Locks the task of a dispatch, in a statement of its own: what the next one reads of its steps and runs is what they
 * are, and nobody leaves the step meanwhile. Whoever changes a dispatch and its run gets the task's lock first, as
 * the one writer does.
 */
export function lockTaskOf(tenantId: string, dispatchId: string): SQL {
  return sql`select from tasks t
    where t.tenant_id = ${tenantId}::uuid and t.id = (select d.task_id from pipeline_dispatches d
      where d.tenant_id = ${tenantId}::uuid and d.id = ${dispatchId}::uuid)
    for no key update of t`;
}

/**
 * A dispatch (d) with its task (t), its step (ds) and the one that the task stands at (cs), its pipeline's settings (p)
 * and its run (w), where it has them.
 */
export const DISPATCH_JOINS: SQL = sql`join tasks t on t.tenant_id = d.tenant_id and t.id = d.task_id
  join steps ds on ds.tenant_id = d.tenant_id and ds.id = d.step_id
  join steps cs on cs.tenant_id = t.tenant_id and cs.id = t.current_step_id
  left join pipelines p on p.tenant_id = d.tenant_id and p.name = d.pipeline
  left join worker_runs w on w.tenant_id = d.tenant_id and w.dispatch_id = d.id`;

/** True if all steps of its version share this dispatch. */
export const IS_OF_VERSION: SQL = sql.raw(isOfVersionSql("d.pipeline"));

/** Whether its step stands where it asks for this pipeline. */
export const IS_STEP_WAITING: SQL = sql`(d.pipeline, ds.kind, ds.status) in (${sql.join(
  PIPELINES_ON_ENTRY.map(({ pipeline, kind, status }) => sql`(${pipeline}, ${kind}, ${status})`),
  sql`, `,
)})`;

/**
 * Whether what was asked for is no longer wanted, by what calls a dispatch back that nobody is delivering: its step was
 * left or ended; or, of a payment, the approval was taken back, at whatever stage of the version.
 */
export const IS_UNWANTED: SQL = sql`case when ${IS_OF_VERSION}
  then not ${IS_STEP_WAITING} or cs.version_id = d.version_id and cs.status in (${listed(TAKING_BACK_STATUSES)})
  else cs.id <> d.step_id or cs.status in (${listed(ENDING_STATUSES)}) end`;

/** Whether its run is over without that anybody reported on it: its deadline closed it. */
export const IS_RUN_CLOSED: SQL = sql`coalesce(w.state = 'FAILED' and w.error = ${TIMED_OUT}, false)`;

/** A live lease: somebody is delivering it at this moment, and nobody knows yet what will be answered. */
export const IS_LEASED: SQL = sql`coalesce(d.lease_until > clock_timestamp(), false)`;

/** A message is taken for lost when nothing was heard of it for so long beyond its time. */
export const HEARD_OF_WITHIN: SQL = sql`interval '15 minutes'`;

/** Whether nobody has begun with what a dispatch brought: its run waits for a worker that polls. */
export function isOffered(dispatch: SQL): SQL {
  return sql`(${dispatch}.state = 'delivered' and exists (select from worker_runs q
    where q.tenant_id = ${dispatch}.tenant_id and q.dispatch_id = ${dispatch}.id and q.offered and q.state = 'QUEUED'))`;
}

/** Whether the pipeline of the dispatch d would not be asked for again, where it was asked for. */
export const IS_STANDING: SQL = sql`case when ${IS_OF_VERSION} then d.state <> 'recalled'
  else d.state in ('pending', 'sent') or ${isOffered(sql`d`)} end`;
