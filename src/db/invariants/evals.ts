import type { Invariant } from "./invariant.ts";

/** Every trial that a trials_recorded event names, as it was recorded. */
const RECORDED_TRIALS = `
  select e.tenant_id, e.eval_id, e.task_id, e.seq, e.actor_id, e.at, (recorded ->> 'id')::uuid as id, recorded
  from eval_step_events e cross join json_array_elements(e.payload::json -> 'trials') recorded
  where e.type = 'trials_recorded'`;

/** The newest result of every trial: as it was recorded, or as an event changed it. A retraction keeps it. */
const TRIAL_RESULTS = `
  select distinct on (tenant_id, id) tenant_id, id, result
  from (select tenant_id, id, seq, recorded as result from (${RECORDED_TRIALS}) recorded
    union all
    select tenant_id, trial_id, seq, payload::json from eval_step_events where type = 'trial_transitioned') reported
  order by tenant_id, id, seq desc`;

/** Returns the condition that the trial of alias t has the status and result of a JSON object. */
const hasResult = (result: string): string => `(t.status, t.score, t.error, t.output_data_id::text)
  is not distinct from (${result} ->> 'status', (${result} ->> 'score')::double precision, ${result} ->> 'error',
    ${result} ->> 'outputDataId')`;

/** Returns the slot of the trial of alias t, with this expression for its eval's slot_by. */
const slotOf = (slotBy: string): string =>
  `trial_slot(${slotBy}, t.model, t.model_revision, t.agent, t.agent_revision, t.provider)`;

export const EVAL_INVARIANTS: readonly Invariant[] = [
  {
    name: "one-live-trial-per-slot",
    description:
      "A slot of an eval has two live trials, a trial's k is outside 1..eval.k, or its slot is not what its eval's slot_by makes of its maker.",
    sql: `
      select t.tenant_id, t.eval_id, t.k, t.model
      from trials t join evals e on e.tenant_id = t.tenant_id and e.id = t.eval_id
        cross join lateral (select ${slotOf("coalesce(e.slot_by, '{model}')")} as slot) own
      where t.retracted_at is null
      group by t.tenant_id, t.eval_id, t.k, t.model, own.slot having count(*) > 1
      union all
      select t.tenant_id, t.eval_id, t.k, t.model
      from trials t join evals e on e.tenant_id = t.tenant_id and e.id = t.eval_id
      where t.k not between 1 and e.k or t.slot is distinct from ${slotOf("e.slot_by")}`,
  },
  {
    name: "one-live-eval-per-name",
    description:
      "A version has two live evals of one name that are not marked as twins, or a mark names no newer eval of the same version and name.",
    sql: `
      select tenant_id, version_id, name from evals
      where status <> 'cancelled' and twin_of is null
      group by tenant_id, version_id, name having count(*) > 1
      union all
      select v.tenant_id, v.version_id, v.name
      from evals v left join evals n on n.tenant_id = v.tenant_id and n.id = v.twin_of
      where v.twin_of is not null and (n.version_id, n.name) is distinct from (v.version_id, v.name)`,
  },
  {
    name: "k-only-rises",
    description:
      "An event of an eval changes k from another value than the eval had, does not raise it, or records a trial beyond it.",
    sql: `
      with changed as (
        select tenant_id, eval_id, seq, (payload::json ->> 'k')::integer as at_first,
          (payload::json -> 'changes' -> 'k' ->> 'from')::integer as before,
          (payload::json -> 'changes' -> 'k' ->> 'to')::integer as after
        from eval_step_events where type in ('eval_created', 'eval_updated')
      ), known as (
        select *, max(coalesce(after, at_first)) over (partition by tenant_id, eval_id order by seq
          rows between unbounded preceding and 1 preceding) as reached
        from changed where after is not null or at_first is not null
      )
      select tenant_id, eval_id, seq from known
      where after is not null and (before is distinct from reached or after <= before)
      union all
      select r.tenant_id, r.eval_id, r.seq from (${RECORDED_TRIALS}) r
      where (r.recorded ->> 'k')::integer > (select max(coalesce(c.after, c.at_first)) from changed c
        where c.tenant_id = r.tenant_id and c.eval_id = r.eval_id and c.seq < r.seq)`,
  },
  {
    name: "eval-equals-newest-event",
    description:
      "An eval's seq, status, time or head differs from its newest event's, or a seq is missing.",
    sql: `
      select v.tenant_id, v.id
      from evals v
      left join lateral (select * from eval_step_events e
        where e.tenant_id = v.tenant_id and e.eval_id = v.id order by e.seq desc limit 1) e on true
      where (v.event_seq, v.status, v.event_head, v.updated_at) is distinct from (e.seq, e.to_status, e.hash, e.at)
        or v.event_seq <> (select count(*) from eval_step_events c
          where c.tenant_id = v.tenant_id and c.eval_id = v.id)`,
  },
  {
    name: "eval-chain-intact",
    description:
      "An eval event's prev_hash is not the hash of the previous event, or its columns do not match its hash.",
    sql: `
      select tenant_id, eval_id, seq from (
        select e.*, lag(hash, 1, decode(repeat('00', 32), 'hex'))
          over (partition by tenant_id, eval_id order by seq) as expected
        from eval_step_events e) e
      where prev_hash <> expected or hash <> sha256(prev_hash || convert_to(eval_event_canonical(
        tenant_id, eval_id, seq, task_id, trial_id, type, from_status, to_status,
        actor_id, actor_name, actor_kind, actor_role, reason, payload,
        operation_id, request_id, registry_version, at), 'UTF8'))`,
  },
  {
    name: "eval-event-starts-where-previous-ended",
    description:
      "An event's from-status is not the to-status of its eval's previous event, or its time is before that event's.",
    sql: `
      select tenant_id, eval_id, seq from (
        select tenant_id, eval_id, seq, from_status, at, lag(to_status) over eval as last_status, lag(at) over eval as last_at
        from eval_step_events window eval as (partition by tenant_id, eval_id order by seq)) e
      where from_status is distinct from last_status or at < last_at`,
  },
  {
    name: "trial-equals-newest-event",
    description:
      "A trial was not recorded by an event or differs from its newest event, or an event names a trial that does not exist.",
    sql: `
      select t.tenant_id, t.id
      from trials t
      left join (${RECORDED_TRIALS}) r on r.tenant_id = t.tenant_id and r.eval_id = t.eval_id and r.id = t.id
      left join (${TRIAL_RESULTS}) n on n.tenant_id = t.tenant_id and n.id = t.id
      left join eval_step_events e on e.tenant_id = t.tenant_id and e.eval_id = t.eval_id and e.seq = t.event_seq
      where (t.k::text, t.model, t.model_revision, t.agent, t.agent_revision, t.provider, t.task_id, t.created_by, t.created_at)
          is distinct from (r.recorded ->> 'k', r.recorded ->> 'model', r.recorded ->> 'modelRevision',
            r.recorded ->> 'agent', r.recorded ->> 'agentRevision', r.recorded ->> 'provider', r.task_id, r.actor_id, r.at)
        or not ${hasResult("n.result")}
        or (t.retracted_at is null) <> (e.type <> 'trial_retracted')
        or case e.type
          when 'trials_recorded' then e.seq <> r.seq
          when 'trial_transitioned' then e.trial_id <> t.id
          when 'trial_retracted' then (e.trial_id, e.at, e.reason, e.actor_id, e.payload::json ->> 'status')
            is distinct from (t.id, t.retracted_at, t.retract_reason, t.retracted_by, t.status)
          else true end
      union all
      select r.tenant_id, r.id
      from (${RECORDED_TRIALS}) r left join trials t on t.tenant_id = r.tenant_id and t.id = r.id
      where t.id is null
      union all
      select e.tenant_id, e.trial_id
      from eval_step_events e left join trials t on t.tenant_id = e.tenant_id and t.id = e.trial_id
      where e.trial_id is not null and (t.event_seq is null or t.event_seq < e.seq)`,
  },
  {
    name: "insights-match-their-trial",
    description:
      "An insight's task or eval differs from that of the trial or eval that it references.",
    sql: `
      select i.tenant_id, i.id from insights i join evals e on e.tenant_id = i.tenant_id and e.id = i.eval_id
      where e.task_id <> i.task_id
      union all
      select i.tenant_id, i.id from insights i join trials t on t.tenant_id = i.tenant_id and t.id = i.trial_id
      where (t.task_id, t.eval_id) is distinct from (i.task_id, i.eval_id)`,
  },
  {
    name: "streams-do-not-mix",
    description: "An eval event is in a task's stream, or a task event is in an eval's.",
    sql: `
      select tenant_id, task_id, seq from step_events where type like 'eval%' or type like 'trial%'
      union all
      select tenant_id, eval_id, seq from eval_step_events where type not like 'eval%' and type not like 'trial%'`,
  },
];
