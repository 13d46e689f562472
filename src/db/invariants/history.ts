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
