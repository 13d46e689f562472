import { type SQL, sql } from "drizzle-orm";
import type { TenantDatabase, Written } from "../connection/client.ts";
import { keepOrDrop } from "../ledger/operations.ts";
import {
  changeRows,
  evalEventRows,
  insightRows,
  openingRows,
  type PlannedEvalDecision,
  raisedKs,
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
import { IS_LIVE, isOnSlot, slotOf } from "./live.ts";
import { notBefore } from "../sql/writer-clock.ts";
import { lockTasks } from "../tasks/lock-tasks.ts";

/** Who changes the evals, and what a retry of the call returns. */
export interface EvalCall extends EventSource {
  /** Stored verbatim with the written rows. The response is rendered from both. */
  answer: unknown;
  /** Whether to return and store the written rows. An evaluation of many tasks does not need them. */
  returnsRows: boolean;
}

/** The evals and trials as the statement left them. */
export interface RecordedEvals {
  /** How many evals were changed or opened: all of the call's, or 0 if the state of one had changed meanwhile. */
  changed: number;
  evals: EvalRecord[];
  /** In the order of the decisions. */
  trials: TrialRecord[];
}

/** What the ledger stores of a call. The response is rendered from it. */
export interface StoredEvals<Answer> extends RecordedEvals {
  answer: Answer;
}

/**
 * The only writer of evals and trials. Records any number of decisions in one round trip, all of them or none.
 *
 * Many workers report to one eval concurrently, so the eval's event_seq does not guard a decision. What the decision
 * read does: the eval's status, its k if that rises, the slots that it fills, the trial that it changes, the task that it
 * opens an eval on. If one of these has changed, nothing is written and the operation is dropped, so that a retry decides again.
 */
export function recordEvals(
  database: TenantDatabase,
  decisions: readonly PlannedEvalDecision[],
  call: EvalCall,
): Promise<Written<RecordedEvals>> {
  const { tenantId } = database;
  const input = evalInput(decisions);
  return database.write(call.operation, [
    // With the tasks locked, the statement sees evals that other calls have opened on them, and if they are archived.
    ...(input.openings === "[]" ? [] : [lockTasks(tenantId, input.openings)]),
    lockEvals(tenantId, input.changes),
    evalStatement(tenantId, { input, count: decisions.length, call }),
  ]);
}

/**
 * Locks the evals in id order, after the tasks. A statement reads the snapshot taken when it begins, so the locks are
 * taken in a statement of their own. The next one reads these evals and their trials as they stay.
 */
function lockEvals(tenantId: string, changes: string): SQL {
  return sql`select from evals e
    where e.tenant_id = ${tenantId}::uuid
      and e.id in (select eval_id from json_to_recordset(${changes}) as c(eval_id uuid))
    order by e.id for no key update of e`;
}

/** As for tasks, the events are inserted first. Every later write reads the rows that this insert returned. */
function evalStatement(
  tenantId: string,
  { input, count, call }: { input: EvalInput; count: number; call: EvalCall },
): SQL {
  const { actor, operation } = call;
  return sql`
with
trial_change as materialized (
  select * from json_to_recordset(${input.trialChanges}) as c(id uuid, eval_id uuid, seen_seq integer,
    status text, score double precision, error text, output_data_id uuid, retract_reason text)
),
opening as materialized (
  select o.* from json_to_recordset(${input.openings}) as o(
      eval_id uuid, task_id uuid, version_id uuid, name text, k smallint, slot_by text[])
    cross join lateral (
      select from tasks where tenant_id = ${tenantId}::uuid and id = o.task_id and archived_at is null offset 0) here
  where not exists (
    select from evals e where e.tenant_id = ${tenantId}::uuid and e.version_id = o.version_id and e.name = o.name
      and ${IS_LIVE})
),
held as materialized (
  select e.id as eval_id, e.task_id, e.event_seq, e.event_head, e.updated_at
  from json_to_recordset(${input.changes}) as c(eval_id uuid, seen_status text, seen_k smallint)
    join evals e on e.tenant_id = ${tenantId}::uuid and e.id = c.eval_id and e.status = c.seen_status
      and e.k = coalesce(c.seen_k, e.k)
  union all
  select o.eval_id, o.task_id, 0, ${NO_HEAD}, '-infinity' from opening o
),
new_trial as materialized (
  select n.*, ${slotOf(sql`n.slot_by`, sql`n`)} as slot
  from json_to_recordset(${input.trials}) as n(position integer, id uuid, eval_id uuid, slot_by text[], k smallint,
    model text, model_revision text, agent text, agent_revision text, provider text, status text,
    score double precision, error text, output_data_id uuid)
),
-- Taken slots and changed trials. One index lookup per trial, no matter how many trials the planner expects.
obstacle as materialized (
  select from new_trial n cross join lateral (
    select from trials x where tenant_id = ${tenantId}::uuid and eval_id = n.eval_id and k = n.k and model = n.model
      and ${isOnSlot(sql`n`)} and retracted_at is null offset 0) taken
  union all
  select from trial_change c cross join lateral (
    select from trials where tenant_id = ${tenantId}::uuid and id = c.id and event_seq <> c.seen_seq offset 0) moved
),
event as materialized (
  select h.event_head, h.event_seq + e.ordinal as seq,
    ${notBefore(sql`h.updated_at`, sql`e.planned_at`)} as at, h.task_id, e.*
  from json_to_recordset(${input.events}) as e(
      eval_id uuid, ordinal integer, trial_id uuid, type text, from_status text, to_status text,
      reason text, payload text, planned_at timestamptz)
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
  insert into evals (tenant_id, id, task_id, version_id, name, k, slot_by, status, event_seq, event_head,
    created_by, created_at, updated_at)
  select ${tenantId}::uuid, o.eval_id, o.task_id, o.version_id, o.name, o.k, o.slot_by, n.to_status, n.seq, n.hash,
    ${actor.id}::text, n.at, n.at
  from opening o join newest n using (eval_id)
  returning *
),
moved as (
  update evals e set k = coalesce((${input.raised}::jsonb ->> e.id::text)::smallint, e.k), status = n.to_status,
    event_seq = n.seq, event_head = n.hash, updated_at = n.at
  from newest n
  where e.tenant_id = ${tenantId}::uuid and e.id = n.eval_id
  returning e.*
),
recorded as (
  insert into trials (tenant_id, id, eval_id, task_id, k, model, model_revision, agent, agent_revision, provider, slot,
    status, score, error, output_data_id, event_seq, created_by, created_at)
  select ${tenantId}::uuid, n.id, n.eval_id, w.task_id, n.k, n.model, n.model_revision, n.agent, n.agent_revision,
    n.provider, n.slot, n.status, n.score, n.error, n.output_data_id, w.seq, ${actor.id}::text, w.at
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
insight_created as (
  insert into insights (tenant_id, id, task_id, eval_id, trial_id, kind, model, model_revision, agent,
    agent_revision, provider, status, usage, created_by, created_at, updated_at)
  select ${tenantId}::uuid, i.id, n.task_id, n.eval_id, i.trial_id, 'trial', i.model, i.model_revision, i.agent,
    i.agent_revision, i.provider, i.status, i.usage, ${actor.id}::text, n.at, n.at
  from json_to_recordset(${input.insights}) as i(id uuid, eval_id uuid, trial_id uuid, model text,
      model_revision text, agent text, agent_revision text, provider text, status text, usage jsonb)
    join newest n using (eval_id)
),
outcome as materialized (
  select (select count(*)::integer from newest) as changed,
    ${call.returnsRows ? WRITTEN_ROWS : sql`'[]'::json as evals, '[]'::json as trials`}
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

const WRITTEN_ROWS = sql`
    coalesce((select json_agg(${EVAL_JSON} order by e.id)
      from (select * from opened union all select * from moved) e
        join task_versions v on v.tenant_id = e.tenant_id and v.id = e.version_id), '[]') as evals,
    coalesce((select json_agg(${TRIAL_JSON} order by n.position)
      from (select * from recorded union all select * from changed) x
        left join new_trial n on n.id = x.id), '[]') as trials`;

type EvalInput = ReturnType<typeof evalInput>;

/** Returns the decisions as the statement's inputs: one JSON array for each kind of row. */
function evalInput(decisions: readonly PlannedEvalDecision[]) {
  const json = (rowsOf: (decision: PlannedEvalDecision) => readonly object[]) =>
    JSON.stringify(decisions.flatMap(rowsOf));
  return {
    changes: json(changeRows),
    openings: json(openingRows),
    events: json(evalEventRows),
    trials: json(trialRows),
    trialChanges: json(trialChangeRows),
    insights: json(insightRows),
    raised: JSON.stringify(raisedKs(decisions)),
  };
}
