import { type SQL, sql } from "drizzle-orm";
import type { StepSnapshot } from "../../domain/lifecycle/snapshot.ts";
import type { WorkerType } from "../../domain/lifecycle/statuses.ts";
import type { Operation, TenantDatabase, Written } from "../connection/client.ts";
import { keepOrDrop } from "../ledger/operations.ts";
import { notBefore } from "../sql/writer-clock.ts";
import { stepJson, TASK_MEMBERS, type TaskRecord } from "../tasks/task-json.ts";
import { RUN_JSON, type RunRecord } from "./worker-runs.ts";

/** A claimed run with its subject: its own version and step, which may no longer be the current ones of the task. */
export interface ClaimedRunRecord {
  run: RunRecord;
  task: TaskRecord;
  version: { id: string; number: number; contentHash: string };
  step: StepSnapshot;
}

/**
 * Claims runs that wait for a worker: those of the most urgent tasks first, then the oldest. Each run goes to one
 * caller, and runs that another call is claiming are skipped, so no call waits. A lease ends no later than the run's
 * deadline, because claims must not keep a run alive. If no run waits, the operation is dropped, and a repeat looks
 * again.
 */
export function claimRuns(
  database: TenantDatabase,
  { types, max, leaseSeconds }: { types: readonly WorkerType[]; max: number; leaseSeconds: number },
  { credentialName, operation }: { credentialName: string; operation: Operation },
): Promise<Written<{ claimed: ClaimedRunRecord[] }>> {
  const { tenantId } = database;
  // One index lookup per row: without statistics of the tables, Postgres plans joins as nested scans.
  const oneOf = (table: SQL, alias: SQL, id: SQL) =>
    sql`cross join lateral (select * from ${table} where tenant_id = ${tenantId}::uuid and id = ${id} limit 1) ${alias}`;
  return database.write(operation, [
    sql`
with
waiting as materialized (
  -- The sort covers all waiting runs. With more columns it would go to disk.
  select w.id, (select t.priority from tasks t where t.tenant_id = ${tenantId}::uuid and t.id = w.task_id) as priority
  from worker_runs w
  where w.tenant_id = ${tenantId}::uuid and w.offered and w.state = 'QUEUED'
    and w.type in (select json_array_elements_text(${JSON.stringify(types)}))
    and (w.lease_until is null or w.lease_until <= now()) and w.deadline_at > now()
  order by priority desc, w.id
  limit ${max}::integer
  for no key update of w skip locked
),
claimed as (
  update worker_runs w set
    lease_owner = ${credentialName}::text,
    lease_seconds = ${leaseSeconds}::integer,
    lease_until = least(now() + make_interval(secs => ${leaseSeconds}::integer), w.deadline_at),
    -- The previous holder sees by this number that the run was claimed again.
    attempt = case when w.lease_owner is null then w.attempt else w.attempt + 1 end,
    updated_at = ${notBefore(sql`w.updated_at`)}
  from waiting
  where w.tenant_id = ${tenantId}::uuid and w.id = waiting.id
  returning w.id, w.task_id, w.version_id, w.step_id, waiting.priority, ${RUN_JSON} as run
),
handed_out as materialized (
  select json_agg(json_build_object(
    'run', c.run,
    'task', json_build_object(${TASK_MEMBERS}),
    'version', json_build_object('id', own.id, 'number', own.number, 'contentHash', own.content_hash),
    'step', ${stepJson(sql`x`)}) order by c.priority desc, c.id) as runs
  from claimed c
    ${oneOf(sql`tasks`, sql`t`, sql`c.task_id`)}
    ${oneOf(sql`task_versions`, sql`v`, sql`t.active_version_id`)}
    ${oneOf(sql`steps`, sql`s`, sql`t.current_step_id`)}
    ${oneOf(sql`task_versions`, sql`own`, sql`c.version_id`)}
    ${oneOf(sql`steps`, sql`x`, sql`c.step_id`)}
),
${keepOrDrop(
  { tenantId, operation },
  {
    from: sql`handed_out`,
    result: sql`handed_out.runs`,
    when: { keepIf: sql`handed_out.runs is not null`, dropIf: sql`handed_out.runs is null` },
  },
)}
select coalesce(runs, '[]') as claimed from handed_out`,
  ]);
}
