import { type SQL, sql } from "drizzle-orm";
import type { Actor } from "../../domain/actor.ts";
import type { RunChange } from "../../domain/lifecycle/decision.ts";
import { isRunEnded } from "../../domain/lifecycle/runs.ts";
import type { ReviewOutcome, RunState, WorkerType } from "../../domain/lifecycle/statuses.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { Database, Operation, TenantDatabase, Written } from "../connection/client.ts";
import { keepOrDrop } from "../ledger/operations.ts";
import { LATE_JSON, type LateReportRecord } from "./late-reports.ts";
import { type GuardedRun, guardRow, IS_UNCHANGED, runAllowance } from "./run-guards.ts";
import { bytesOf, type Chunk, readChunkById } from "../sql/chunks.ts";
import { type FilterOf, matches } from "../sql/conditions.ts";
import { isOfTask, isTask } from "../tasks/task-match.ts";
import { notBefore } from "../sql/writer-clock.ts";

/** A worker run as answers show it. */
export interface RunRecord {
  id: string;
  taskId: string;
  versionId: string;
  stepId: string;
  type: WorkerType;
  state: RunState;
  /** How often the run was claimed. A claim after an expired lease begins the next attempt. */
  attempt: number;
  /** Whether workers that poll can claim it. */
  offered: boolean;
  /** When the worker's exclusive claim ends; null if the run is not claimed, and after the worker's first report. */
  leaseUntil: string | null;
  externalRef: string | null;
  /** The run fails if no report arrives by then. */
  deadlineAt: string;
  /** What the quality check found. Null if the run reported none, and for runs that ended before it was kept. */
  verdict: ReviewOutcome | null;
  result: unknown;
  error: string | null;
  /** The number of reports that arrived after the run had ended. They have no effect. */
  lateReports: number;
  /** The last of them. */
  lateReport: LateReportRecord | null;
  createdAt: string;
  updatedAt: string;
}

/** Only a run that has ended has late reports, and most lists are of open runs. */
const IS_ENDED = sql`w.state not in ('QUEUED', 'RUNNING')`;

const COUNT_OF_LATE = sql`(select count(*)::integer from run_late_reports l
    where l.tenant_id = w.tenant_id and l.run_id = w.id)`;

const LAST_LATE = sql`from run_late_reports l
    where l.tenant_id = w.tenant_id and l.run_id = w.id order by l.id desc limit 1`;

/** A RunRecord as JSON, from the alias w. */
export const RUN_JSON = sql`json_build_object('id', w.id, 'taskId', w.task_id, 'versionId', w.version_id,
  'stepId', w.step_id, 'type', w.type, 'state', w.state, 'attempt', w.attempt, 'offered', w.offered,
  'leaseUntil', case when w.state = 'QUEUED' then iso(w.lease_until) end, 'externalRef', w.external_ref, 'deadlineAt', iso(w.deadline_at), 'verdict', w.verdict, 'result', w.result,
  'error', w.error, 'lateReports', case when ${IS_ENDED} then ${COUNT_OF_LATE} else 0 end,
  'lateReport', case when ${IS_ENDED} then (select ${LATE_JSON} ${LAST_LATE}) end, 'createdAt', iso(w.created_at), 'updatedAt', iso(w.updated_at))`;

/**
 * Creates a run on the task's current step, in one round trip. The lock on the task keeps it at that step. Returns no
 * row if there is no such task, and a row without a run if the task is archived.
 */
export function createRun(
  database: TenantDatabase,
  run: { id: string; task: TaskRef; type: WorkerType; externalRef?: string | undefined },
  { actor, operation }: { actor: Actor; operation: Operation },
): Promise<Written<{ run: RunRecord | null }>> {
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
${keepOrDrop({ tenantId, operation }, { from: sql`created`, result: sql`created.run` })}
select (select run from created) as run from task`,
  ]);
}

/**
 * Records a report that writes no event: a repeated one, or one for a run that no label depends on. It renews the
 * deadline and, if the run is still queued, its holder's lease. Returns no row and stores nothing if the run has changed.
 */
export function recordRunReport(
  database: TenantDatabase,
  { report, found }: { report: RunChange; found: GuardedRun },
  { operation, result }: { operation: Operation; result: unknown },
): Promise<Written<{ id: string }>> {
  const { tenantId } = database;
  const reportedResult = JSON.stringify(report.result ?? null);
  return database.write(operation, [
    sql`
with
reported as (
  update worker_runs w set state = ${report.state}, verdict = ${report.verdict}::text,
    result = coalesce(nullif(${reportedResult}::jsonb, 'null'), w.result),
    error = coalesce(${report.error}::text, w.error), updated_at = ${notBefore(sql`w.updated_at`)}
    ${renewed(report.state)}
  from json_to_record(${JSON.stringify(guardRow(found))}) as f(id uuid, state text, attempt integer, is_overdue boolean)
  where w.tenant_id = ${tenantId}::uuid and w.id = f.id and ${IS_UNCHANGED}
  returning w.id
),
${keepOrDrop({ tenantId, operation }, { from: sql`reported`, result: sql`${JSON.stringify(result)}::json` })}
select id from reported`,
  ]);
}

/** The assignments that renew the deadline and, while the run is queued, the lease. */
function renewed(state: RunState): SQL {
  const deadline = sql`now() + ${runAllowance(sql`w.type`)}`;
  if (isRunEnded(state)) return sql``;
  const lease = sql`, lease_until = case when w.lease_owner is not null
        then least(now() + make_interval(secs => w.lease_seconds), ${deadline}) end`;
  return sql`, deadline_at = ${deadline} ${state === "QUEUED" ? lease : sql``}`;
}

/**
 * Ends overdue runs whose end has no other effect, many in one statement, and returns how many. A run that has changed
 * is skipped. The call is idempotent.
 */
export async function endOverdueRuns(
  database: TenantDatabase,
  ends: readonly { report: RunChange; found: GuardedRun }[],
): Promise<number> {
  if (ends.length === 0) return 0;
  const rows = ends.map(({ report: { state, error }, found }) => ({
    ...guardRow({ ...found, isOverdue: true }),
    to_state: state,
    error,
  }));
  const ended = await database.writeIdempotently<{ id: string }>(sql`
with
-- In id order, like every lock of several runs.
locked as materialized (
  select w.id, f.to_state, f.error
  from json_to_recordset(${JSON.stringify(rows)}) as f(
      id uuid, state text, attempt integer, is_overdue boolean, to_state text, error text)
    join worker_runs w on w.id = f.id and ${IS_UNCHANGED}
  where w.tenant_id = ${database.tenantId}::uuid
  order by w.id
  for no key update of w
)
update worker_runs w set state = l.to_state, error = coalesce(l.error, w.error), updated_at = ${notBefore(sql`w.updated_at`)}
from locked l
where w.tenant_id = ${database.tenantId}::uuid and w.id = l.id
returning w.id`);
  return ended.length;
}

/** A run and its tenant. */
export interface RunRef {
  tenantId: string;
  id: string;
}

/** Returns overdue runs of every tenant, the most overdue first. */
export function findLateRuns(database: Database, rowsMax: number): Promise<RunRef[]> {
  return database.acrossTenants<RunRef>(sql`
    select tenant_id as "tenantId", id from late_runs(${rowsMax}::integer)`);
}

const RUN_FILTERS = {
  task: (task: TaskRef) => isOfTask(sql`w.task_id`, task),
  stepId: (id: string) => sql`w.step_id = ${id}`,
  type: (type: WorkerType) => sql`w.type = ${type}`,
  state: (state: RunState) => sql`w.state = ${state}`,
};

export type RunFilter = FilterOf<typeof RUN_FILTERS>;

/** Returns a page of the matching runs, newest first. It ends early if their results are large. */
export function listRuns(
  database: TenantDatabase,
  filter: RunFilter,
  { limit, after }: { limit: number; after: string | null },
): Promise<Chunk<RunRecord, string>> {
  const source = {
    table: sql`worker_runs`,
    alias: sql`w`,
    bytes: bytesOf(
      sql`w.result::text`,
      sql`w.error`,
      sql`(select concat(l.result, l.error) ${LAST_LATE})`,
    ),
    condition: matches(RUN_FILTERS, filter),
    row: RUN_JSON,
  };
  return readChunkById(database, source, after, { limit, newestFirst: true });
}
