import { type SQL, sql } from "drizzle-orm";
import type { Bound } from "../connection/prepared.ts";
import { TIMED_OUT } from "../../domain/lifecycle/runs.ts";
import { ENDING_STATUSES, REVOKING_STATUSES } from "../../domain/lifecycle/transitions.ts";
import { PIPELINES_ON_ENTRY } from "../../domain/lifecycle/attached.ts";
import { isOfVersionSql } from "./pipeline-sql.ts";
import { listed } from "../sql/listed.ts";

/**
 * Locks the task of a dispatch. A separate statement, so that the next one reads the final state of its steps and runs,
 * and the task stays at its step. Every change of a dispatch and its run locks the task first, as the writer of moves
 * does.
 */
export function lockTaskOf(tenantId: Bound<string>, dispatchId: Bound<string>): SQL {
  return sql`select from tasks t
    where t.tenant_id = ${tenantId}::uuid and t.id = (select d.task_id from pipeline_dispatches d
      where d.tenant_id = ${tenantId}::uuid and d.id = ${dispatchId}::uuid)
    for no key update of t`;
}

/** Locks the tasks of several dispatches, in id order like every lock of several tasks. */
export function lockTasksOf(tenantId: string, dispatchIds: readonly string[]): SQL {
  return sql`select from tasks t
    where t.tenant_id = ${tenantId}::uuid and t.id in (select d.task_id from pipeline_dispatches d
      where d.tenant_id = ${tenantId}::uuid and d.id = any (${`{${dispatchIds.join()}}`}::uuid[]))
    order by t.id for no key update of t`;
}

/**
 * Joins to a dispatch (d) its task (t), its step (ds), the task's current step (cs) and, if they exist, the settings of
 * its pipeline (p) and its run (w).
 */
export const DISPATCH_JOINS: SQL = sql`join tasks t on t.tenant_id = d.tenant_id and t.id = d.task_id
  join steps ds on ds.tenant_id = d.tenant_id and ds.id = d.step_id
  join steps cs on cs.tenant_id = t.tenant_id and cs.id = t.current_step_id
  left join pipelines p on p.tenant_id = d.tenant_id and p.name = d.pipeline
  left join worker_runs w on w.tenant_id = d.tenant_id and w.dispatch_id = d.id`;

/** True if all steps of its version share this dispatch. */
export const IS_OF_VERSION: SQL = sql.raw(isOfVersionSql("d.pipeline"));

/** Whether the dispatch's step is in a status that requests this pipeline. */
export const IS_STEP_WAITING: SQL = sql`(d.pipeline, ds.kind, ds.status) in (${sql.join(
  PIPELINES_ON_ENTRY.map(({ pipeline, kind, status }) => sql`(${pipeline}, ${kind}, ${status})`),
  sql`, `,
)})`;

/**
 * Whether the dispatch is no longer wanted: the task has left its step, or the step has ended. A dispatch of a version
 * is unwanted if the approval was revoked at any stage of the version. The same changes recall open dispatches.
 */
export const IS_UNWANTED: SQL = sql`case when ${IS_OF_VERSION}
  then not ${IS_STEP_WAITING} or cs.version_id = d.version_id and cs.status in (${listed(REVOKING_STATUSES)})
  else cs.id <> d.step_id or cs.status in (${listed(ENDING_STATUSES)}) end`;

/** Whether the run timed out: its deadline passed before any report. */
export const IS_RUN_CLOSED: SQL = sql`coalesce(w.state = 'FAILED' and w.error = ${TIMED_OUT}, false)`;

/** Whether the dispatch has a live lease: a consumer is delivering it, and the response is not known yet. */
export const IS_LEASED: SQL = sql`coalesce(d.lease_until > clock_timestamp(), false)`;

/** A queue message counts as lost this long after it was due, and is sent again. */
export const MESSAGE_LOST_AFTER: SQL = sql`interval '15 minutes'`;

/** Whether the dispatch's run is offered and waits for a worker that polls. */
export function isOffered(dispatch: SQL): SQL {
  return sql`(${dispatch}.state = 'delivered' and exists (select from worker_runs q
    where q.tenant_id = ${dispatch}.tenant_id and q.dispatch_id = ${dispatch}.id and q.offered and q.state = 'QUEUED'))`;
}

/** Whether the dispatch d prevents another one for the same step or version. */
export const PREVENTS_ANOTHER: SQL = sql`case when ${IS_OF_VERSION} then d.state <> 'recalled'
  else d.state in ('pending', 'sent') or ${isOffered(sql`d`)} end`;
