import { isRunEnded, RUN_TRANSITIONS } from "../../domain/lifecycle/runs.ts";
import { RUN_STATES } from "../../domain/lifecycle/statuses.ts";
import { REGISTRY_HISTORY } from "../../domain/registry-history/index.ts";
import type { Invariant } from "./invariant.ts";
import { valuesOf } from "./values.ts";

/** The reports that began and ceased to wait, in the order of the events. A report that ceased to wait is null. */
const WAITS = `
  select tenant_id, task_id, seq, payload::jsonb #>> '{run,id}' as run_id,
    jsonb_build_object('runId', payload::jsonb #>> '{run,id}', 'seq', seq) || (payload::jsonb -> 'deferred') as report
  from step_events where type = 'worker_run_changed' and payload like '%"deferred":%'
  union all
  select tenant_id, task_id, seq, settled ->> 'runId', null
  from step_events cross join jsonb_array_elements(payload::jsonb -> 'settled') settled
  where payload like '%"settled":%'
  union all
  select tenant_id, task_id, seq, again ->> 'runId', again
  from step_events cross join jsonb_array_elements(payload::jsonb -> 'deferredAgain') again
  where payload like '%"deferredAgain":%'`;

/** The reports that end a run and move a step: registry version, worker, stage and state. */
const MOVING_ENDS = valuesOf(
  REGISTRY_HISTORY.flatMap(({ registryVersion, reportEffects }) =>
    Object.entries(reportEffects).flatMap(([type, effect]) =>
      RUN_STATES.filter(
        (state) => isRunEnded(state) && (effect?.becomes[state] ?? null) !== null,
      ).map((state) => [registryVersion, type, effect?.stepKind ?? "", state]),
    ),
  ),
);

/** Workers whose reports wrote no event in registry version 1 if the step did not move. */
const SILENT_WORKERS = "('POST_QA_SCORING')";

export const HOLD_INVARIANTS: readonly Invariant[] = [
  {
    name: "holds-match-their-events",
    description:
      "A step's hold is not the one that its events leave, or an event's hold does not continue the one before it.",
    sql: `
      with changes as (
        select tenant_id, step_id, seq, type, payload::jsonb -> 'hold' as hold,
          lag(payload::jsonb #> '{hold,to}') over (partition by tenant_id, step_id order by seq) as before,
          row_number() over (partition by tenant_id, step_id order by seq desc) as place
        from step_events where payload like '%"hold":%' and payload::jsonb ? 'hold'
      )
      select s.tenant_id, s.id
      from steps s
      left join changes c on c.tenant_id = s.tenant_id and c.step_id = s.id and c.place = 1
      where (s.held_seq::text, s.held_gate) is distinct from (c.hold #>> '{to,seq}', c.hold #>> '{to,gate}')
      union all
      select tenant_id, step_id from changes
      where hold -> 'from' <> coalesce(before, 'null')
        or (type = 'gate_changed' and hold -> 'from' = 'null' and hold #>> '{to,seq}' <> seq::text)`,
  },
  {
    name: "deferred-reports-match-their-events",
    description: "The reports that wait on a step are not those that its events leave.",
    sql: `
      with newest as (
        select distinct on (tenant_id, task_id, run_id) tenant_id, run_id::uuid as run_id, report
        from (${WAITS}) waits order by tenant_id, task_id, run_id, seq desc
      ), waiting as (
        select n.tenant_id, w.step_id, jsonb_agg(n.report order by (n.report ->> 'seq')::integer) as deferred
        from newest n join worker_runs w on w.tenant_id = n.tenant_id and w.id = n.run_id
        where n.report is not null group by n.tenant_id, w.step_id
      )
      select s.tenant_id, s.task_id, s.id
      from steps s left join waiting w on w.tenant_id = s.tenant_id and w.step_id = s.id
      where s.deferred is distinct from w.deferred`,
  },
  {
    name: "reports-wait-only-for-a-hold-or-pause",
    description: "A report waits on a current step that is neither held nor paused.",
    sql: `
      select t.tenant_id, t.id
      from tasks t join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id
      where s.deferred is not null and s.held_seq is null and s.status <> 'paused' and s.gate <> 'blocked'`,
  },
  {
    name: "ended-runs-have-moved-their-step",
    description:
      "A current step is running or paused although a run has ended whose report should have moved it, and the report does not wait.",
    sql: `
      select t.tenant_id, t.id, w.id
      from tasks t
      join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id and s.status in ('running', 'paused')
      join worker_runs w on w.tenant_id = s.tenant_id and w.step_id = s.id and w.state in ${endedStates()}
      left join lateral (select e.seq, e.operation_id, e.registry_version, e.payload::jsonb ? 'deferred' as waited
        from step_events e where e.tenant_id = t.tenant_id and e.task_id = t.id and e.step_id = s.id
          and e.type = 'worker_run_changed' and e.payload::jsonb #>> '{run,id}' = w.id::text
          and e.payload::jsonb #>> '{run,state}' = w.state
        order by e.seq desc limit 1) e on true
      where case
          when e.seq is null then w.type in ${SILENT_WORKERS} and w.state <> 'CANCELLED' and w.updated_at >= t.status_since
            and (1, w.type, s.kind, w.state) in (${MOVING_ENDS})
          else not e.waited and (e.registry_version, w.type, s.kind, w.state) in (${MOVING_ENDS})
            -- The start that the same report wrote is not its end.
            and not exists (select from step_events m where m.tenant_id = t.tenant_id and m.task_id = t.id
              and m.step_id = s.id and m.seq > e.seq and m.from_status is distinct from m.to_status
              and (m.operation_id <> e.operation_id or m.to_status <> 'running')) end
        -- A worker never approves against a failed review; attention shows such a step.
        and not coalesce((select r.outcome = 'failed' from reviews r
          where r.tenant_id = s.tenant_id and r.step_id = s.id and r.withdrawn_seq is null
          order by r.sequence desc limit 1), false)`,
  },
];

function endedStates(): string {
  const ended = RUN_STATES.filter((state) => RUN_TRANSITIONS[state].length === 0);
  return `(${ended.map((state) => `'${state}'`).join(", ")})`;
}
