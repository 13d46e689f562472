import { type SQL, sql } from "drizzle-orm";
import type { StepSnapshot } from "../domain/lifecycle/snapshot.ts";
import type { Pipeline, WorkerType } from "../domain/lifecycle/statuses.ts";
import type { DeliveryEnd } from "../domain/pipelines/delivery.ts";
import { fromHex } from "./bytes.ts";
import type { TenantDatabase } from "./client.ts";
import { DISPATCH_JOINS, HEARD_OF_WITHIN, IS_LEASED, IS_LEFT, lockTaskOf } from "./dispatch-sql.ts";
import { runAllowance } from "./record-moves.ts";
import { stepJson, TASK_JOINS, TASK_MEMBERS, type TaskRecord } from "./task-json.ts";

/** What an endpoint is told of a dispatch, and where it is. */
export interface BegunDelivery {
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
export type FoundDispatch =
  | { outcome: "begun"; delivery: BegunDelivery }
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
): Promise<FoundDispatch> {
  const { tenantId } = database;
  const [row] = await database.writeIdempotently<BeginRow>(
    lockTaskOf(tenantId, attempt.dispatchId),
    beginStatement(tenantId, attempt),
  );
  if (row?.outcome === "later") return { outcome: "later", seconds: row.seconds };
  const begun = row?.delivery ?? null;
  if (begun === null) return { outcome: "settled" };
  const { secrets, ...delivery } = begun;
  return { outcome: "begun", delivery: { ...delivery, secrets: secrets.map(fromHex) } };
}

interface BeginRow {
  outcome: string;
  seconds: number;
  delivery: (Omit<BegunDelivery, "secrets"> & { secrets: string[] }) | null;
}

/**
 * What becomes of a dispatch by looking at it, in this order. A run that somebody reports on was asked for by this
 * dispatch, even if nothing is known of the answer; one that was cancelled is wanted by nobody.
 */
function outcomeFor(owner: string): SQL {
  return sql`case
    when d.state not in ('pending', 'sent') then 'settled'
    when d.lease_owner = ${owner}::uuid then 'begun'
    when ${IS_LEASED} or d.not_before > clock_timestamp() then 'later'
    when w.state in ('RUNNING', 'SUCCEEDED') or w.state = 'FAILED' and w.error is distinct from 'timed_out' then 'taken'
    when w.state = 'CANCELLED' or ${IS_LEFT} then 'left'
    when w.state = 'FAILED' then 'late'
    when p.endpoint is null then 'offered'
    else 'begun' end`;
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
    array_remove(array[encode(p.secret, 'hex'),
      case when p.previous_secret_until > now() then encode(p.previous_secret, 'hex') end], null) as secrets,
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
    ('left', 'recalled', 'Its step was left.'),
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
logged as (
  ${logOf(
    tenantId,
    sql`
    select id, state as from_state, 'sent' as to_state, null as reason, 1 as ordinal from becomes
      where state = 'pending' and to_state in ('sent', 'delivered')
    union all
    select id, case to_state when 'delivered' then 'sent' else state end, to_state, reason, 2 from becomes
      where to_state <> 'sent'`,
  )}
),
opened as (
  insert into worker_runs (tenant_id, id, task_id, version_id, step_id, type, state, dispatch_id, offered,
    deadline_at, created_by)
  select ${tenantId}::uuid, ${runId}::uuid, task_id, version_id, step_id, upper(pipeline), 'QUEUED', id,
    outcome = 'offered', clock_timestamp() + allowance, ${DELIVERY_ACTOR.id}
  from becomes where outcome in ('begun', 'offered') and run_id is null
  returning id, type, attempt, deadline_at
),
-- Its worker's time begins when it is asked; a run that nobody wants any more is not waited for.
kept as (
  update worker_runs w set updated_at = now(), offered = b.outcome = 'offered',
    state = case b.outcome when 'left' then 'CANCELLED' else w.state end,
    deadline_at = case b.outcome when 'left' then w.deadline_at else clock_timestamp() + b.allowance end
  from becomes b
  where w.tenant_id = ${tenantId}::uuid and w.id = b.run_id and w.state = 'QUEUED'
    and b.outcome in ('begun', 'offered', 'left')
  returning w.id, w.type, w.attempt, w.deadline_at
),
run as (select * from opened union all select * from kept)
select f.outcome, greatest(1, ceil(extract(epoch from
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

/** Who is told as having moved a dispatch where nobody did by hand. */
const DELIVERY_ACTOR = { id: "system", name: "Delivery" };

/** Rows of the log, from a query of id, from_state, to_state, reason and ordinal. */
function logOf(tenantId: string, rows: SQL): SQL {
  return sql`insert into dispatch_events
    (tenant_id, id, dispatch_id, from_state, to_state, actor_id, actor_name, reason)
  select ${tenantId}::uuid, new_id(), change.id, from_state, to_state, ${DELIVERY_ACTOR.id},
    ${DELIVERY_ACTOR.name}, reason
  from (${rows}) change order by ordinal`;
}

/**
 * Writes how an attempt ended, where the lease is still its own: what another one found out since then stands. The
 * deadline of a run whose worker could not be asked begins with the next attempt.
 */
export async function endDispatch(
  database: TenantDatabase,
  { dispatchId, owner }: { dispatchId: string; owner: string },
  end: DeliveryEnd,
): Promise<void> {
  const { tenantId } = database;
  const delay = sql`make_interval(secs => ${end.state === "sent" ? end.delaySeconds : 0}::integer)`;
  await database.writeIdempotently(
    lockTaskOf(tenantId, dispatchId),
    sql`
with
mine as materialized (
  select d.id, d.state from pipeline_dispatches d
  where d.tenant_id = ${tenantId}::uuid and d.id = ${dispatchId}::uuid and d.lease_owner = ${owner}::uuid
    and d.state = 'sent'
  for no key update
),
ended as (
  update pipeline_dispatches d set state = ${end.state}, lease_owner = null, lease_until = null,
    last_error = ${toldError(end)}::text, updated_at = now(),
    not_before = ${end.state === "sent" ? sql`clock_timestamp() + ${delay}` : sql`null`},
    next_attempt_at = clock_timestamp() + ${delay} + ${HEARD_OF_WITHIN}
  from mine where d.tenant_id = ${tenantId}::uuid and d.id = mine.id
),
put_off as (
  update worker_runs w set updated_at = now(),
    deadline_at = greatest(w.deadline_at, clock_timestamp() + ${delay} + ${runAllowance(sql`w.type`)})
  from mine
  where w.tenant_id = ${tenantId}::uuid and w.dispatch_id = mine.id and w.state = 'QUEUED'
    and ${end.state} <> 'delivered'
)
${logOf(
  tenantId,
  sql`
    select id, state as from_state, ${end.state}::text as to_state,
      ${end.state === "dead" ? end.reason : null}::text as reason, 1 as ordinal
    from mine where ${end.state} <> 'sent'`,
)}`,
  );
}

/** What the row keeps of an attempt; of one that nothing follows, the reason first. */
function toldError(end: DeliveryEnd): string | null {
  if (end.state === "delivered") return null;
  return end.state === "dead" ? `${end.reason}: ${end.error}` : end.error;
}

/**
 * Says that a dispatch is dead whose message the queue gave up, unless somebody is at it, or another message about
 * it is on its way.
 */
export async function giveUpDispatch(
  database: TenantDatabase,
  dispatchId: string,
  reason: string,
): Promise<void> {
  const { tenantId } = database;
  await database.writeIdempotently(
    lockTaskOf(tenantId, dispatchId),
    sql`
with
given_up as materialized (
  select d.id, d.state from pipeline_dispatches d
  where d.tenant_id = ${tenantId}::uuid and d.id = ${dispatchId}::uuid and d.state = 'sent'
    and not ${IS_LEASED} and coalesce(d.not_before < clock_timestamp(), true)
  for no key update
),
dead as (
  update pipeline_dispatches d set state = 'dead', lease_owner = null, lease_until = null, updated_at = now(),
    last_error = ${reason} || coalesce(': ' || d.last_error, '')
  from given_up where d.tenant_id = ${tenantId}::uuid and d.id = given_up.id
)
${logOf(
  tenantId,
  sql`
    select id, state as from_state, 'dead' as to_state, ${reason}::text as reason, 1 as ordinal from given_up`,
)}`,
  );
}
