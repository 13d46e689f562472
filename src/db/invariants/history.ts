import { IDLING_KINDS } from "../tasks/label-sql.ts";
import type { Invariant } from "./invariant.ts";

export const HISTORY_INVARIANTS: readonly Invariant[] = [
  {
    name: "events-numbered-without-gaps",
    description: "A task's seq is not the number of its events, or a seq is missing.",
    sql: `
      select t.tenant_id, t.id, t.event_seq, count(e.seq), min(e.seq), max(e.seq)
      from tasks t left join step_events e on e.tenant_id = t.tenant_id and e.task_id = t.id
      group by t.tenant_id, t.id, t.event_seq
      having (count(e.seq), min(e.seq), max(e.seq)) is distinct from (t.event_seq::bigint, 1, t.event_seq)`,
  },
  {
    name: "event-starts-where-previous-ended",
    description:
      "An event's status and gate do not start where the same step's previous event ended.",
    sql: `
      select tenant_id, task_id, seq from (
        select tenant_id, task_id, seq, from_status, from_gate,
          lag(to_status) over step as last_status, lag(to_gate) over step as last_gate
        from step_events window step as (partition by tenant_id, step_id order by seq)) e
      where (from_status, from_gate) is distinct from (last_status, last_gate)`,
  },
  {
    name: "idled-steps-match-their-events",
    description:
      "A step's idled_seq is not its newest event of that type, or its status or a run changed since, or an event calls a step idle that is not running in a stage of a pipeline.",
    sql: `
      select s.tenant_id, s.task_id, s.id
      from steps s
      left join lateral (select max(e.seq) filter (where e.type = 'step_idled') as idled,
          max(e.seq) filter (where e.type = 'worker_run_changed' or e.from_status is distinct from e.to_status) as ended
        from step_events e where e.tenant_id = s.tenant_id and e.task_id = s.task_id and e.step_id = s.id) e on true
      where s.idled_seq is distinct from case when e.idled > e.ended then e.idled end
      union all
      select e.tenant_id, e.task_id, e.step_id
      from step_events e join steps s on s.tenant_id = e.tenant_id and s.id = e.step_id
      where e.type = 'step_idled' and (e.to_status <> 'running' or s.kind not in (${IDLING_KINDS}))`,
  },
  {
    name: "times-do-not-decrease",
    description: "An event's time is before that of the task's previous event.",
    sql: `
      select tenant_id, task_id, seq from (
        select tenant_id, task_id, seq, at, lag(at) over (partition by tenant_id, task_id order by seq) as before
        from step_events) e
      where at < before`,
  },
  {
    name: "reverts-invert-previous-event",
    description:
      "A revert does not reference and invert the previous event of its task, or that event's operation is not reverted.",
    sql: `
      select r.tenant_id, r.task_id, r.seq
      from step_events r
      left join step_events e on e.tenant_id = r.tenant_id and e.task_id = r.task_id and e.seq = r.seq - 1
        and e.seq = (r.payload::json ->> 'undoes')::integer
      left join bulk_operations b on b.tenant_id = e.tenant_id and b.id = e.bulk_operation_id
      where r.type = 'bulk_reverted' and (
        (r.step_id, r.from_status, r.from_gate, r.to_status, r.to_gate)
          is distinct from (e.step_id, e.to_status, e.to_gate, e.from_status, e.from_gate)
        or r.bulk_operation_id is null or b.reverted_by is null)`,
  },
  {
    name: "events-have-actor-and-request",
    description: "An event lacks its actor, request or operation.",
    sql: `
      select tenant_id, task_id, seq from step_events
      where actor_id = '' or actor_name = '' or request_id = '' or operation_id is null
      union all
      select tenant_id, eval_id, seq from eval_step_events
      where actor_id = '' or actor_name = '' or request_id = '' or operation_id is null`,
  },
];
