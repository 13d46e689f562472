import { sql } from "drizzle-orm";
import type { Actor } from "../domain/actor.ts";
import type { RunChange } from "../domain/lifecycle/decision.ts";
import { isRunEnded } from "../domain/lifecycle/runs.ts";
import type { RunState, WorkerType } from "../domain/lifecycle/statuses.ts";
import type { TaskRef } from "../domain/task-ref.ts";
import type { Operation, TenantDatabase, Written } from "./client.ts";
import { runAllowance } from "./record-moves.ts";
import { isTask } from "./task-match.ts";

/** A worker run as every answer shows it. */
export interface RunView {
  id: string;
  taskId: string;
  versionId: string;
  stepId: string;
  type: WorkerType;
  state: RunState;
  attempt: number;
  externalRef: string | null;
  deadlineAt: string;
  result: unknown;
  error: string | null;
  /** What was reported after the end; nothing follows from it. */
  lateReport: { result: unknown; error: string | null; at: string } | null;
  createdAt: string;
  updatedAt: string;
}

/** A RunView, spelled by the database from the alias w. */
const RUN_JSON = sql`json_build_object('id', w.id, 'taskId', w.task_id, 'versionId', w.version_id,
  'stepId', w.step_id, 'type', w.type, 'state', w.state, 'attempt', w.attempt,
  'externalRef', w.external_ref, 'deadlineAt', iso(w.deadline_at), 'result', w.result, 'error', w.error,
  'lateReport', w.late_report, 'createdAt', iso(w.created_at), 'updatedAt', iso(w.updated_at))`;

/**
 * Opens a run on the task's current step, in one round trip. The task's row is locked meanwhile, so that the
 * pointer cannot leave the step under it. No row comes back where the task is unknown, and no run where it is
 * archived.
 */
export function createRun(
  database: TenantDatabase,
  run: { id: string; task: TaskRef; type: WorkerType; externalRef?: string | undefined },
  { actor, operation }: { actor: Actor; operation: Operation },
): Promise<Written<{ run: RunView | null }>> {
  const { tenantId } = database;
  return database.write(operation, [
    sql`
with
task as materialized (
  select t.id, t.active_version_id, t.current_step_id, t.archived_at from tasks t
  where t.tenant_id = ${tenantId}::uuid and ${isTask(run.task)}
  for no key update
),
created as (
  insert into worker_runs as w (tenant_id, id, task_id, version_id, step_id, type, state, external_ref,
    deadline_at, created_by)
  select ${tenantId}::uuid, ${run.id}::uuid, id, active_version_id, current_step_id, ${run.type}::text, 'QUEUED',
    ${run.externalRef ?? null}::text, now() + ${runAllowance(sql`${run.type}::text`)}, ${actor.id}::text
  from task where archived_at is null
  returning ${RUN_JSON} as run
),
stored as (
  update operations o set result = created.run from created
  where o.tenant_id = ${tenantId}::uuid and o.id = ${operation.id}::uuid
),
dropped as (
  delete from operations o
  where o.tenant_id = ${tenantId}::uuid and o.id = ${operation.id}::uuid and not exists (select from created)
)
select (select run from created) as run from task`,
  ]);
}

/**
 * Records a report that writes no event: a late one, a repeated one, or one of a run that no label depends on. A
 * run that has ended keeps its end, and what comes after is kept beside it. Where the run is no longer in the
 * state in which it was found, no row comes back and nothing is kept.
 */
export function recordRunReport(
  database: TenantDatabase,
  { report, from }: { report: RunChange; from: RunState },
  { operation, result }: { operation: Operation; result: unknown },
): Promise<Written<{ id: string }>> {
  const { tenantId } = database;
  const told = JSON.stringify(report.result ?? null);
  const change = isRunEnded(from)
    ? sql`late_report = jsonb_build_object('result', ${told}::jsonb, 'error', ${report.error}::text, 'at', iso(now()))`
    : sql`state = ${report.state}, result = coalesce(nullif(${told}::jsonb, 'null'), w.result),
      error = coalesce(${report.error}::text, w.error),
      deadline_at = case when ${report.state} = 'RUNNING' then now() + ${runAllowance(sql`w.type`)} else w.deadline_at end`;
  return database.write(operation, [
    sql`
with
reported as (
  update worker_runs w set ${change}, updated_at = now()
  where w.tenant_id = ${tenantId}::uuid and w.id = ${report.id}::uuid and w.state = ${from}
  returning w.id
),
stored as (
  update operations o set result = ${JSON.stringify(result)}::json
  where o.tenant_id = ${tenantId}::uuid and o.id = ${operation.id}::uuid and exists (select from reported)
),
dropped as (
  delete from operations o
  where o.tenant_id = ${tenantId}::uuid and o.id = ${operation.id}::uuid and not exists (select from reported)
)
select id from reported`,
  ]);
}

/** A page of runs, newest first, that match every filter that is given. */
export async function listRuns(
  database: TenantDatabase,
  filter: {
    task?: TaskRef | undefined;
    stepId?: string | undefined;
    type?: WorkerType | undefined;
    state?: RunState | undefined;
  },
  { limit, after }: { limit: number; after: string | null },
): Promise<RunView[]> {
  const { task, stepId, type, state } = filter;
  const conditions = [
    task && isTask(task),
    stepId && sql`w.step_id = ${stepId}`,
    type && sql`w.type = ${type}`,
    state && sql`w.state = ${state}`,
    after && sql`w.id < ${after}`,
  ].filter((condition) => condition !== undefined && condition !== null);
  const rows = await database.read<{ run: RunView }>(sql`
    select ${RUN_JSON} as run
    from worker_runs w join tasks t on t.tenant_id = w.tenant_id and t.id = w.task_id
    where ${sql.join([sql`true`, ...conditions], sql` and `)}
    order by w.id desc limit ${limit}`);
  return rows.map(({ run }) => run);
}
