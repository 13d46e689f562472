import { GATE_TRANSITIONS } from "../../domain/lifecycle/gates.ts";
import { STEP_TRANSITIONS } from "../../domain/lifecycle/transitions.ts";
import { REGISTRY_VERSION } from "../../domain/registry-version.ts";
import type { Invariant } from "./invariant.ts";

/** The legal moves as SQL rows, from the tables that decisions use. */
const STEP_MOVES = Object.entries(STEP_TRANSITIONS)
  .flatMap(([kind, table]) =>
    Object.entries(table).flatMap(([from, targets]) =>
      targets.map((to) => `('${kind}', '${from}', '${to}')`),
    ),
  )
  .join(", ");
const GATE_MOVES = Object.entries(GATE_TRANSITIONS)
  .flatMap(([from, targets]) => targets.map((to) => `('${from}', '${to}')`))
  .join(", ");

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
    name: "status-moves-are-legal",
    description:
      "An event changes a status in a way that the tables of its registry version do not allow.",
    sql: `
      select e.tenant_id, e.task_id, e.seq
      from step_events e join steps s on s.tenant_id = e.tenant_id and s.id = e.step_id
      where e.registry_version = ${REGISTRY_VERSION} and e.from_status is not null
        and e.type <> 'bulk_reverted'
        and case when e.type in ('step_transitioned', 'bulk_transitioned')
          then (s.kind, e.from_status, e.to_status) not in (values ${STEP_MOVES})
          else e.from_status <> e.to_status end`,
  },
  {
    name: "gate-moves-are-legal",
    description:
      "An event changes a gate in a way that the tables of its registry version do not allow.",
    sql: `
      select e.tenant_id, e.task_id, e.seq from step_events e
      where e.registry_version = ${REGISTRY_VERSION} and e.from_gate <> e.to_gate
        and e.type <> 'bulk_reverted' and (e.from_gate, e.to_gate) not in (values ${GATE_MOVES})`,
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
  {
    name: "reviews-have-their-event",
    description: "A review has no event, or an event names a review that does not exist.",
    sql: `
      select coalesce(r.tenant_id, e.tenant_id), coalesce(r.task_id, e.task_id)
      from reviews r
      full join (select tenant_id, task_id, (payload::json -> 'review' ->> 'id')::uuid as review_id,
          (payload::json -> 'review' ->> 'sequence')::integer as sequence
        from step_events where type = 'review_recorded') e
        on e.tenant_id = r.tenant_id and e.review_id = r.id and e.sequence = r.sequence and e.task_id = r.task_id
      where r.id is null or e.review_id is null`,
  },
];
