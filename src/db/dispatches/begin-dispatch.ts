import { type SQL, sql } from "drizzle-orm";
import type { StepSnapshot } from "../../domain/lifecycle/snapshot.ts";
import type { Pipeline } from "../../domain/pipelines/pipelines.ts";
import type { WorkerType } from "../../domain/lifecycle/statuses.ts";
import type { TenantDatabase } from "../connection/client.ts";
import type { PreparedIdempotentWrite } from "../connection/prepared.ts";
import { DELIVERY_ACTOR, logCtes, type HasDeliveries } from "./dispatch-log.ts";
import {
  DISPATCH_JOINS,
  MESSAGE_LOST_AFTER,
  IS_LEASED,
  IS_RUN_CLOSED,
  IS_STEP_WAITING,
  IS_UNWANTED,
  lockTaskOf,
} from "./dispatch-sql.ts";
import { workerTypeSql } from "./pipeline-sql.ts";
import { runAllowance } from "../runs/run-guards.ts";
import { signingSecrets, type StoredSecrets } from "../webhooks/signing-secrets.ts";
import { stepJson, TASK_JOINS, TASK_MEMBERS, type TaskRecord } from "../tasks/task-json.ts";
import { notBefore } from "../sql/writer-clock.ts";

/** One delivery attempt: the endpoint and what is sent to it. */
export interface DispatchAttempt {
  endpoint: string;
  secrets: StoredSecrets;
  timeoutSeconds: number;
  /** The number of the attempt, from 1. */
  attempt: number;
  pipeline: Pipeline;
  run: { id: string; type: WorkerType; attempt: number; deadlineAt: string };
  task: TaskRecord;
  version: { id: string; number: number; contentHash: string };
  step: StepSnapshot;
}

/** The result of an attempt to claim a dispatch for delivery. */
export type DispatchClaim =
  | { outcome: "begun"; delivery: DispatchAttempt }
  /** It is not due yet, or another consumer is delivering it. */
  | { outcome: "later"; seconds: number }
  /** There is nothing to send: the dispatch was settled before, or this call settled it. */
  | { outcome: "settled" };

/** The lease's time beyond the endpoint's timeout. A lease that ends during an attempt would send the message twice. */
const LEASE_MARGIN_SECONDS = 30;

/**
 * Begins an attempt. It creates the run, takes the lease and counts the attempt in one transaction, so that a duplicate
 * message for the dispatch finds the lease. A repeated call by the same owner continues the same attempt. If the
 * pipeline has no endpoint, the run is offered to workers that poll, and the dispatch counts as delivered.
 */
export async function beginDispatch(
  database: TenantDatabase,
  attempt: { dispatchId: string; owner: string; runId: string },
): Promise<DispatchClaim> {
  const [row] = await database.writePreparedIdempotently<BeginRow, keyof typeof BEGIN_INPUTS>(
    BEGIN_DISPATCH,
    { dispatch_id: attempt.dispatchId, owner: attempt.owner, run_id: attempt.runId },
  );
  database.outgoing.events ||= row?.hasDeliveries === true;
  if (row?.outcome === "later") return { outcome: "later", seconds: row.seconds };
  const delivery = row?.delivery ?? null;
  return delivery === null ? { outcome: "settled" } : { outcome: "begun", delivery };
}

interface BeginRow extends HasDeliveries {
  outcome: string;
  seconds: number;
  delivery: DispatchAttempt | null;
}

const BEGIN_INPUTS = { dispatch_id: "uuid", owner: "uuid", run_id: "uuid" } as const;

/** Begins an attempt. Prepared, because planning it takes five times as long as running it. */
export const BEGIN_DISPATCH: PreparedIdempotentWrite<keyof typeof BEGIN_INPUTS> = {
  name: "begin_dispatch",
  writes: false,
  inputs: BEGIN_INPUTS,
  columns: `outcome text, "hasDeliveries" boolean, seconds integer, delivery json`,
  body: ({ tenant_id: tenantId, dispatch_id: dispatchId, owner, run_id: runId }) => [
    lockTaskOf(tenantId, dispatchId),
    releaseStatement(tenantId, dispatchId),
    beginStatement(tenantId, { dispatchId, owner, runId }),
  ],
};

/**
 * The outcome of the claim; the first matching condition decides. If a worker has reported on the run, the dispatch was
 * delivered, even if the endpoint's response got lost. A cancelled run is no longer wanted.
 */
function outcomeFor(owner: SQL): SQL {
  return sql`case
    when d.state not in ('pending', 'sent') then 'settled'
    when d.lease_owner = ${owner}::uuid then 'begun'
    when ${IS_EARLY} then 'later'
    when w.state in ('RUNNING', 'SUCCEEDED') or w.state = 'FAILED' and not ${IS_RUN_CLOSED} then 'taken'
    when w.state = 'CANCELLED' or ${IS_UNWANTED} then 'unwanted'
    when w.state = 'FAILED' then 'late'
    when p.endpoint is null then 'offered'
    else 'begun' end`;
}

const IS_EARLY = sql`(${IS_LEASED} or coalesce(d.not_before > clock_timestamp(), false))`;

/**
 * Detaches a run that timed out before any report, if the step waits for a run again: this dispatch prevents another
 * one, so it has to create another run. A separate statement, because a dispatch can have only one run.
 */
function releaseStatement(tenantId: SQL, dispatchId: SQL): SQL {
  // Find the run by its dispatch first, which is one index lookup: the plan of a join would depend on row estimates.
  return sql`update worker_runs r set dispatch_id = null, updated_at = ${notBefore(sql`r.updated_at`)}
    where r.tenant_id = ${tenantId}::uuid and r.dispatch_id = ${dispatchId}::uuid and r.state = 'FAILED'
      and exists (
        select from pipeline_dispatches d ${DISPATCH_JOINS}
        where d.tenant_id = r.tenant_id and d.id = r.dispatch_id and d.state in ('pending', 'sent')
          and not ${IS_EARLY} and ${IS_RUN_CLOSED} and ${IS_STEP_WAITING} and not ${IS_UNWANTED}
        offset 0)`;
}

function beginStatement(
  tenantId: SQL,
  { dispatchId, owner, runId }: Readonly<Record<"dispatchId" | "owner" | "runId", SQL>>,
): SQL {
  return sql`
with
found as materialized (
  select d.*, coalesce(d.lease_owner = ${owner}::uuid, false) as is_again, w.id as run_id, p.endpoint,
    coalesce(p.timeout_seconds, 10) as timeout_seconds, ${runAllowance(sql`d.pipeline`)} as allowance,
    ${signingSecrets("pipeline", sql`p`)} as secrets,
    ${outcomeFor(owner)} as outcome
  from pipeline_dispatches d ${DISPATCH_JOINS}
  where d.tenant_id = ${tenantId}::uuid and d.id = ${dispatchId}::uuid
  for no key update of d
),
becomes as materialized (
  select f.*, b.to_state, b.reason
  from found f join (values
    ('begun', 'sent', null),
    ('offered', 'delivered', 'The pipeline has no endpoint. The run waits for a worker that polls.'),
    ('taken', 'delivered', 'A worker reported on the run.'),
    ('unwanted', 'recalled', 'The dispatch is no longer wanted.'),
    ('late', 'dead', 'run_timed_out')
  ) b(outcome, to_state, reason) using (outcome)
),
changed as (
  update pipeline_dispatches d set state = b.to_state, updated_at = ${notBefore(sql`d.updated_at`)},
    attempts = d.attempts + case when b.outcome = 'begun' and not b.is_again then 1 else 0 end,
    lease_owner = case when b.outcome = 'begun' then ${owner}::uuid end,
    lease_until = case when b.outcome = 'begun'
      then clock_timestamp() + make_interval(secs => b.timeout_seconds + ${LEASE_MARGIN_SECONDS}) end,
    not_before = null,
    next_attempt_at = clock_timestamp() + ${MESSAGE_LOST_AFTER},
    dead_reason = case b.to_state when 'dead' then b.reason end,
    last_error = case b.to_state when 'dead' then b.reason || coalesce(': ' || d.last_error, '') else d.last_error end
  from becomes b where d.tenant_id = ${tenantId}::uuid and d.id = b.id
  returning d.attempts
),
${logCtes(tenantId, MOVES)},
opened as (
  insert into worker_runs (tenant_id, id, task_id, version_id, step_id, type, state, dispatch_id, offered,
    deadline_at, created_by)
  select ${tenantId}::uuid, ${runId}::uuid, task_id, version_id, step_id, ${sql.raw(workerTypeSql("pipeline"))}, 'QUEUED', id,
    outcome = 'offered', clock_timestamp() + allowance, ${DELIVERY_ACTOR.id}
  from becomes where outcome in ('begun', 'offered') and run_id is null
  returning id, type, attempt, deadline_at
),
-- The deadline counts from the latest attempt. An unwanted run is cancelled.
kept as (
  update worker_runs w set updated_at = ${notBefore(sql`w.updated_at`)}, offered = b.outcome = 'offered',
    state = case b.outcome when 'unwanted' then 'CANCELLED' else w.state end,
    deadline_at = case b.outcome when 'unwanted' then w.deadline_at else clock_timestamp() + b.allowance end
  from becomes b
  where w.tenant_id = ${tenantId}::uuid and w.id = b.run_id and w.state = 'QUEUED'
    and b.outcome in ('begun', 'offered', 'unwanted')
  returning w.id, w.type, w.attempt, w.deadline_at
),
run as (select * from opened union all select * from kept)
select f.outcome, exists (select from notified) as "hasDeliveries", greatest(1, ceil(extract(epoch from
    greatest(f.lease_until, f.not_before) - clock_timestamp())))::integer as seconds,
  (select json_build_object('endpoint', f.endpoint, 'secrets', f.secrets, 'timeoutSeconds', f.timeout_seconds,
      'attempt', (select attempts from changed), 'pipeline', f.pipeline,
      'run', (select json_build_object('id', id, 'type', type, 'attempt', attempt, 'deadlineAt', iso(deadline_at))
        from run),
      'task', json_build_object(${TASK_MEMBERS}),
      'version', json_build_object('id', dv.id, 'number', dv.number, 'contentHash', dv.content_hash),
      'step', ${stepJson(sql`ds`)})
    from tasks t ${TASK_JOINS}
      join task_versions dv on dv.tenant_id = t.tenant_id and dv.id = f.version_id
      join steps ds on ds.tenant_id = t.tenant_id and ds.id = f.step_id
    where f.outcome = 'begun' and t.tenant_id = ${tenantId}::uuid and t.id = f.task_id) as delivery
from found f`;
}

/** The rows of the log. A dispatch that goes from pending to delivered also gets the row for sent. */
const MOVES = sql`
    select id, state as from_state, 'sent' as to_state, null::timestamptz as since, null as reason, 1 as ordinal
      from becomes
      where state = 'pending' and to_state in ('sent', 'delivered')
    union all
    select id, case to_state when 'delivered' then 'sent' else state end, to_state, null, reason, 2 from becomes
      where to_state <> 'sent'`;
