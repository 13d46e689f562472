import { type SQL, sql } from "drizzle-orm";
import type { StepSnapshot } from "../../domain/lifecycle/snapshot.ts";
import type { Pipeline } from "../../domain/pipelines/pipelines.ts";
import type { WorkerType } from "../../domain/lifecycle/statuses.ts";
import { fromHex } from "../sql/bytes.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { DELIVERY_ACTOR, loggedCtes, type HasDeliveries } from "./dispatch-log.ts";
import {
  DISPATCH_JOINS,
  HEARD_OF_WITHIN,
  IS_LEASED,
  IS_RUN_CLOSED,
  IS_STEP_WAITING,
  IS_UNWANTED,
  lockTaskOf,
} from "./dispatch-sql.ts";
import { workerTypeSql } from "./pipeline-sql.ts";
import { runAllowance } from "../runs/run-guards.ts";
import { signingSecrets } from "../webhooks/signing-secrets.ts";
import { stepJson, TASK_JOINS, TASK_MEMBERS, type TaskRecord } from "../tasks/task-json.ts";

/** What an endpoint is told of a dispatch, and where it is. */
export interface DispatchAttempt {
  endpoint: string;
  /** The one of now, and the one before it while it is kept. */
  secrets: Uint8Array[];
  timeoutSeconds: number;
  /** Which attempt this is, the first being 1. */
  attempt: number;
  pipeline: Pipeline;
  run: { id: string; type: WorkerType; attempt: number; deadlineAt: string };
  task: TaskRecord;
  version: { id: string; number: number; contentHash: string };
  step: StepSnapshot;
}

/** A dispatch as somebody who wants to deliver it finds it. */
export type DispatchClaim =
  | { outcome: "begun"; delivery: DispatchAttempt }
  /** Its time has not come, or somebody is delivering it. */
  | { outcome: "later"; seconds: number }
  /** There is nothing to send: it was over before, or is now. */
  | { outcome: "settled" };

/** Beyond the endpoint's own time: what an attempt takes besides. A lease that ends sooner doubles the message. */
const LEASE_MARGIN_SECONDS = 30;

/**
 * Begins an attempt: makes the run, takes the lease and counts, all in one transaction, so that a second message
 * about the dispatch finds that it came before. The same owner may ask twice: it is one attempt. Where nobody is to
 * be called the run is offered to workers that poll, and the dispatch is delivered.
 */
export async function beginDispatch(
  database: TenantDatabase,
  attempt: { dispatchId: string; owner: string; runId: string },
): Promise<DispatchClaim> {
  const { tenantId } = database;
  const [row] = await database.writeIdempotently<BeginRow>(
    lockTaskOf(tenantId, attempt.dispatchId),
    releaseStatement(tenantId, attempt.dispatchId),
    beginStatement(tenantId, attempt),
  );
  database.outgoing.events ||= row?.hasDeliveries === true;
  if (row?.outcome === "later") return { outcome: "later", seconds: row.seconds };
  const begun = row?.delivery ?? null;
  if (begun === null) return { outcome: "settled" };
  const { secrets, ...delivery } = begun;
  return { outcome: "begun", delivery: { ...delivery, secrets: secrets.map(fromHex) } };
}

interface BeginRow extends HasDeliveries {
  outcome: string;
  seconds: number;
  delivery: (Omit<DispatchAttempt, "secrets"> & { secrets: string[] }) | null;
}

/**
 * What becomes of a dispatch by looking at it, in this order. A run that somebody reports on was asked for by this
 * dispatch, even if nothing is known of the answer; one that was cancelled is wanted by nobody.
 */
function outcomeFor(owner: string): SQL {
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
 * Lets go of a run that its deadline closed before its worker was heard of, where the step waits for one again: this
 * dispatch stood in the way of another one, and is to make another run. In a statement of its own, since a run is
 * unique by its dispatch.
 */
function releaseStatement(tenantId: string, dispatchId: string): SQL {
  // By its dispatch first, which is one look: a join would be planned by a guess of how many runs there are.
  return sql`update worker_runs r set dispatch_id = null, updated_at = now()
    where r.tenant_id = ${tenantId}::uuid and r.dispatch_id = ${dispatchId}::uuid and r.state = 'FAILED'
      and exists (
        select from pipeline_dispatches d ${DISPATCH_JOINS}
        where d.tenant_id = r.tenant_id and d.id = r.dispatch_id and d.state in ('pending', 'sent')
          and not ${IS_EARLY} and ${IS_RUN_CLOSED} and ${IS_STEP_WAITING} and not ${IS_UNWANTED}
        offset 0)`;
}

function beginStatement(
  tenantId: string,
  { dispatchId, owner, runId }: { dispatchId: string; owner: string; runId: string },
): SQL {
  return sql`
with
found as materialized (
  select d.*, coalesce(d.lease_owner = ${owner}::uuid, false) as is_again, w.id as run_id, p.endpoint,
    coalesce(p.timeout_seconds, 10) as timeout_seconds, ${runAllowance(sql`d.pipeline`)} as allowance,
    ${signingSecrets(sql`p`)} as secrets,
    ${outcomeFor(owner)} as outcome
  from pipeline_dispatches d ${DISPATCH_JOINS}
  where d.tenant_id = ${tenantId}::uuid and d.id = ${dispatchId}::uuid
  for no key update of d
),
becomes as materialized (
  select f.*, b.to_state, b.reason
  from found f join (values
    ('begun', 'sent', null),
    ('offered', 'delivered', 'It has no endpoint: its run waits for a worker that polls.'),
    ('taken', 'delivered', 'Its run was reported on.'),
    ('unwanted', 'recalled', 'What it was for is no longer wanted.'),
    ('late', 'dead', 'run_timed_out')
  ) b(outcome, to_state, reason) using (outcome)
),
changed as (
  update pipeline_dispatches d set state = b.to_state, updated_at = now(),
    attempts = d.attempts + case when b.outcome = 'begun' and not b.is_again then 1 else 0 end,
    lease_owner = case when b.outcome = 'begun' then ${owner}::uuid end,
    lease_until = case when b.outcome = 'begun'
      then clock_timestamp() + make_interval(secs => b.timeout_seconds + ${LEASE_MARGIN_SECONDS}) end,
    not_before = null,
    next_attempt_at = clock_timestamp() + ${HEARD_OF_WITHIN},
    last_error = case b.to_state when 'dead' then b.reason || coalesce(': ' || d.last_error, '') else d.last_error end
  from becomes b where d.tenant_id = ${tenantId}::uuid and d.id = b.id
  returning d.attempts
),
${loggedCtes(tenantId, MOVES)},
opened as (
  insert into worker_runs (tenant_id, id, task_id, version_id, step_id, type, state, dispatch_id, offered,
    deadline_at, created_by)
  select ${tenantId}::uuid, ${runId}::uuid, task_id, version_id, step_id, ${sql.raw(workerTypeSql("pipeline"))}, 'QUEUED', id,
    outcome = 'offered', clock_timestamp() + allowance, ${DELIVERY_ACTOR.id}
  from becomes where outcome in ('begun', 'offered') and run_id is null
  returning id, type, attempt, deadline_at
),
-- Its worker's time begins when it is asked; a run that nobody wants any more is not waited for.
kept as (
  update worker_runs w set updated_at = now(), offered = b.outcome = 'offered',
    state = case b.outcome when 'unwanted' then 'CANCELLED' else w.state end,
    deadline_at = case b.outcome when 'unwanted' then w.deadline_at else clock_timestamp() + b.allowance end
  from becomes b
  where w.tenant_id = ${tenantId}::uuid and w.id = b.run_id and w.state = 'QUEUED'
    and b.outcome in ('begun', 'offered', 'unwanted')
  returning w.id, w.type, w.attempt, w.deadline_at
),
run as (select * from opened union all select * from kept)
select f.outcome, exists (select from told) as "hasDeliveries", greatest(1, ceil(extract(epoch from
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

/** The log's rows: one that is delivered without having been sent was both. */
const MOVES = sql`
    select id, state as from_state, 'sent' as to_state, null as reason, 1 as ordinal from becomes
      where state = 'pending' and to_state in ('sent', 'delivered')
    union all
    select id, case to_state when 'delivered' then 'sent' else state end, to_state, reason, 2 from becomes
      where to_state <> 'sent'`;
