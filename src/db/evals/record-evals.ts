import { type SQL, sql } from "drizzle-orm";
import type { EvalDecision } from "../../domain/evals/decision.ts";
import type { TenantDatabase, Written } from "../connection/client.ts";
import { keepOrDrop } from "../ledger/operations.ts";
import {
  changeRows,
  evalEventRows,
  insightRows,
  openingRows,
  trialChangeRows,
  trialRows,
} from "./eval-decision-rows.ts";
import { EVAL_JSON, type EvalRecord, TRIAL_JSON, type TrialRecord } from "./eval-json.ts";
import {
  chainedEvalEvents,
  type EventSource,
  insertedEvalEvents,
  NO_HEAD,
} from "../history/event-ctes.ts";
import { lockTasks } from "../tasks/lock-tasks.ts";

/** Who changes evals, and what a repeat of the call will be answered. */
export interface EvalCall extends EventSource {
  /** Stored as it is beside the rows that were written; the answer is rendered from both. */
  answer: unknown;
  /** Whether the rows themselves are told: an evaluation over many tasks can do without. */
  tellsRows: boolean;
}

/** What the statement wrote: the evals and trials as they are now. */
export interface RecordedEvals {
  /** How many evals were changed or opened: all of the call's, or none where one of them had moved on. */
  changed: number;
  evals: EvalRecord[];
  /** In the order in which the decisions name them. */
  trials: TrialRecord[];
}

/** What the ledger keeps of a call, and what its answer is rendered from. */
export interface StoredEvals<Answer> extends RecordedEvals {
  answer: Answer;
}

/**
 * The one writer of evals and trials: records any number of decisions in one round trip, all of them or none. Many
 * machines report to one eval at once, so it is not the eval's event_seq that guards a decision but what the decision
 * looked at: the eval's status, the slots that it fills, the trial that it changes, the task that it opens an eval on.
 * Where one of them is another by now nothing is written and the operation leaves no trace, so that a later try is
 * judged afresh.
 */
export function recordEvals(
  database: TenantDatabase,
  decisions: readonly EvalDecision[],
  call: EvalCall,
): Promise<Written<RecordedEvals>> {
  const { tenantId } = database;
  const input = evalInput(decisions);
  return database.write(call.operation, [
    // A call that opens an eval sees the evals that other calls opened on the task before, and whether it is archived.
    ...(input.openings === "[]" ? [] : [lockTasks(tenantId, input.openings)]),
    lockEvals(tenantId, input.changes),
    evalStatement(tenantId, { input, count: decisions.length, call }),
  ]);
}

/**
 * In id order, after the tasks. A statement sees what was there when it began: so the locks are got in one before,
 * and whatever the next one reads of these evals and their trials stays as it is.
 */
function lockEvals(tenantId: string, changes: string): SQL {
  return sql`select from evals e
    where e.tenant_id = ${tenantId}::uuid
      and e.id in (select eval_id from json_to_recordset(${changes}) as c(eval_id uuid))
    order by e.id for no key update of e`;
}

/** As for tasks, the events come first, and every later write reads from the rows that their insert returned. */
function evalStatement(
  tenantId: string,
  { input, count, call }: { input: EvalInput; count: number; call: EvalCall },
): SQL {
  const { actor, operation } = call;
  return sql`
with
new_trial as materialized (
  select * from json_to_recordset(${input.trials}) as n(position integer, id uuid, eval_id uuid, k smallint,
    model text, model_revision text, agent text, provider text, status text, score double precision, error text,
    output_data_id uuid)
),
trial_change as materialized (
  select * from json_to_recordset(${input.trialChanges}) as c(id uuid, eval_id uuid, seen_seq integer,
    status text, score double precision, error text, output_data_id uuid, retract_reason text)
),
opening as materialized (
  select o.* from json_to_recordset(${input.openings}) as o(
      eval_id uuid, task_id uuid, version_id uuid, name text, k smallint, is_only boolean)
    cross join lateral (
      select from tasks where tenant_id = ${tenantId}::uuid and id = o.task_id and archived_at is null offset 0) here
  where not o.is_only or not exists (
    select from evals e where e.tenant_id = ${tenantId}::uuid and e.task_id = o.task_id
      and e.version_id = o.version_id and e.name = o.name and e.status <> 'cancelled')
),
-- What stands in the way of a decision: one look for each trial, whatever the planner knows of their number.
obstacle as materialized (
  select from new_trial n cross join lateral (
    select from trials where tenant_id = ${tenantId}::uuid and eval_id = n.eval_id and k = n.k and model = n.model
      and retracted_at is null offset 0) taken
  union all
  select from trial_change c cross join lateral (
    select from trials where tenant_id = ${tenantId}::uuid and id = c.id and event_seq <> c.seen_seq offset 0) moved
),
held as materialized (
  select e.id as eval_id, e.task_id, e.event_seq, e.event_head, e.updated_at
  from json_to_recordset(${input.changes}) as c(eval_id uuid, seen_status text)
    join evals e on e.tenant_id = ${tenantId}::uuid and e.id = c.eval_id and e.status = c.seen_status
  union all
  select o.eval_id, o.task_id, 0, ${NO_HEAD}, '-infinity' from opening o
),
event as materialized (
  select h.event_head, h.event_seq + e.ordinal as seq,
    -- A scalar subquery, so that the clock is read once: the events of a call have one time.
    greatest((select clock_timestamp()), h.updated_at) as at, h.task_id, e.*
  from json_to_recordset(${input.events}) as e(
      eval_id uuid, ordinal integer, trial_id uuid, type text, from_status text, to_status text,
      reason text, payload text)
    join held h using (eval_id)
  where (select count(*) from held) = ${count}::integer and not exists (select from obstacle)
),
${chainedEvalEvents(tenantId, call)},
written as (
  ${insertedEvalEvents(tenantId, call)}
),
newest as materialized (
  select distinct on (eval_id) * from written order by eval_id, seq desc
),
opened as (
  insert into evals (tenant_id, id, task_id, version_id, name, k, status, event_seq, event_head,
    created_by, created_at, updated_at)
  select ${tenantId}::uuid, o.eval_id, o.task_id, o.version_id, o.name, o.k, n.to_status, n.seq, n.hash,
    ${actor.id}::text, n.at, n.at
  from opening o join newest n using (eval_id)
  returning *
),
moved as (
  update evals e set status = n.to_status, event_seq = n.seq, event_head = n.hash, updated_at = n.at
  from newest n
  where e.tenant_id = ${tenantId}::uuid and e.id = n.eval_id
  returning e.*
),
recorded as (
  insert into trials (tenant_id, id, eval_id, task_id, k, model, model_revision, agent, provider,
    status, score, error, output_data_id, event_seq, created_by, created_at)
  select ${tenantId}::uuid, n.id, n.eval_id, w.task_id, n.k, n.model, n.model_revision, n.agent, n.provider,
    n.status, n.score, n.error, n.output_data_id, w.seq, ${actor.id}::text, w.at
  from new_trial n join written w on w.eval_id = n.eval_id and w.type = 'trials_recorded'
  order by n.position
  returning *
),
changed as (
  update trials x set status = c.status, score = c.score, error = c.error, output_data_id = c.output_data_id,
    retracted_at = case when c.retract_reason is not null then w.at end,
    retracted_by = case when c.retract_reason is not null then ${actor.id}::text end,
    retract_reason = c.retract_reason,
    event_seq = w.seq
  from trial_change c join written w on w.eval_id = c.eval_id and w.trial_id = c.id
  where x.tenant_id = ${tenantId}::uuid and x.id = c.id
  returning x.*
),
learnt as (
  insert into insights (tenant_id, id, task_id, eval_id, trial_id, kind, model, model_revision, agent, provider,
    status, usage, created_by, created_at, updated_at)
  select ${tenantId}::uuid, i.id, n.task_id, n.eval_id, i.trial_id, 'trial', i.model, i.model_revision, i.agent,
    i.provider, i.status, i.usage, ${actor.id}::text, n.at, n.at
  from json_to_recordset(${input.insights}) as i(id uuid, eval_id uuid, trial_id uuid, model text,
      model_revision text, agent text, provider text, status text, usage jsonb)
    join newest n using (eval_id)
),
outcome as materialized (
  select (select count(*)::integer from newest) as changed,
    ${call.tellsRows ? TOLD_ROWS : sql`'[]'::json as evals, '[]'::json as trials`}
),
${keepOrDrop(
  { tenantId, operation },
  {
    from: sql`outcome`,
    result: sql`json_build_object('answer', ${JSON.stringify(call.answer) ?? "null"}::json,
    'changed', outcome.changed, 'evals', outcome.evals, 'trials', outcome.trials)`,
    when: { keepIf: sql`outcome.changed > 0`, dropIf: sql`outcome.changed = 0` },
  },
)}
select changed, evals, trials from outcome`;
}

const TOLD_ROWS = sql`
    coalesce((select json_agg(${EVAL_JSON} order by e.id)
      from (select * from opened union all select * from moved) e
        join task_versions v on v.tenant_id = e.tenant_id and v.id = e.version_id), '[]') as evals,
    coalesce((select json_agg(${TRIAL_JSON} order by n.position)
      from (select * from recorded union all select * from changed) x
        left join new_trial n on n.id = x.id), '[]') as trials`;

type EvalInput = ReturnType<typeof evalInput>;

/** The decisions as the statement's inputs: one JSON array for each kind of row. */
function evalInput(decisions: readonly EvalDecision[]) {
  const json = (rowsOf: (decision: EvalDecision) => readonly object[]) =>
    JSON.stringify(decisions.flatMap(rowsOf));
  return {
    changes: json(changeRows),
    openings: json(openingRows),
    events: json(evalEventRows),
    trials: json(trialRows),
    trialChanges: json(trialChangeRows),
    insights: json(insightRows),
  };
}
