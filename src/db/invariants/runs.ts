import { STAGE_PIPELINES } from "../../domain/lifecycle/idle.ts";
import type { Invariant } from "./invariant.ts";

/** The pipeline that works on the stage of the step s, as SQL. */
const STAGE_PIPELINE = `case s.kind ${STAGE_PIPELINES.map(
  ({ kind, pipeline }) => `when '${kind}' then '${pipeline}'`,
).join(" ")} end`;

/** How long an idle step can stay unmarked: two sweeps. */
const SWEEPS = "interval '30 minutes'";

/** The time in the tenant that long ago. Null if its simulated clock was set since, which says nothing of the time before. */
const BEFORE_SWEEPS = `case when c.tenant_id is null then now() - ${SWEEPS} when c.set_at < now() - ${SWEEPS}
            then running_clock(c.at, c.speed, c.set_at, c.until, now() - ${SWEEPS}) end`;

export const RUN_INVARIANTS: readonly Invariant[] = [
  {
    name: "idle-steps-ask-for-attention",
    description:
      "A task has been running in a stage of a pipeline for longer than the run deadline, all of its runs have ended, no one holds it, and it does not ask for attention. The sweep marks it as idle.",
    sql: `
      select s.tenant_id, s.task_id, s.id
      from steps s
      join tasks t on t.tenant_id = s.tenant_id and t.current_step_id = s.id and t.id = s.task_id
      left join pipelines p on p.tenant_id = s.tenant_id and p.name = ${STAGE_PIPELINE}
      left join simulated_clocks c on c.tenant_id = s.tenant_id
      left join lateral (select max(w.updated_at) as ended_at,
          bool_or(w.state in ('QUEUED', 'RUNNING')) as is_open
        from worker_runs w where w.tenant_id = s.tenant_id and w.step_id = s.id) w on true
      where s.status = 'running' and ${STAGE_PIPELINE} is not null and s.idled_seq is null and s.gate <> 'blocked'
        and s.deferred is null
        and t.archived_at is null and w.is_open is not true
        and greatest(t.status_since, w.ended_at)
          < ${BEFORE_SWEEPS} - make_interval(secs => coalesce(p.run_deadline_seconds, 3600))`,
  },
  {
    name: "offered-runs-are-claimed-first",
    description:
      "An offered run is running, has succeeded, or is at a later attempt, but was never claimed.",
    sql: `
      select tenant_id, id from worker_runs
      where offered and lease_owner is null and (state in ('RUNNING', 'SUCCEEDED') or attempt > 1)`,
  },
  {
    name: "leases-end-by-the-deadline",
    description: "A lease on a queued run ends after the run's deadline.",
    sql: "select tenant_id, id from worker_runs where state = 'QUEUED' and lease_until > deadline_at",
  },
  {
    name: "late-reports-are-whole",
    description:
      "A late report lacks its state, its reporter or its call. Releases before run_late_reports kept only the result and the error.",
    sql: `
      select tenant_id, run_id, id from run_late_reports
      where num_nulls(state, actor_id, actor_name, actor_kind, actor_role, operation_id, request_id) > 0`,
  },
  {
    name: "late-reports-are-late",
    description: "A late report is on a run that is open, or only repeats how its run ended.",
    sql: `
      select l.tenant_id, l.run_id, l.id
      from run_late_reports l left join worker_runs w on w.tenant_id = l.tenant_id and w.id = l.run_id
      where coalesce(w.state in ('QUEUED', 'RUNNING'), true)
        or (l.state = w.state and coalesce(l.verdict = w.verdict, l.verdict is null)
          and coalesce(l.result = w.result, l.result is null) and coalesce(l.error = w.error, l.error is null))`,
  },
];
