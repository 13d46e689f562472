import { REVIEWED_KIND } from "../../domain/lifecycle/statuses.ts";
import { WAITING_STATUSES } from "../../domain/reviews/waiting.ts";
import { SLOTS_PER_STEP } from "../../domain/reviews/slots.ts";
import type { Invariant } from "./invariant.ts";
import { valuesOf } from "./values.ts";

const WAITING = valuesOf(WAITING_STATUSES.map((status) => [status]));

export const REVIEW_INVARIANTS: readonly Invariant[] = [
  {
    name: "reviews-judge-current-step",
    description: "A review was recorded on a step that was not its task's current one.",
    sql: `
      select e.tenant_id, e.task_id, e.seq
      from step_events e
      left join lateral (select o.step_id from step_events o
        where o.tenant_id = e.tenant_id and o.task_id = e.task_id and o.seq < e.seq and o.from_status is null
        order by o.seq desc limit 1) o on true
      where e.type = 'review_recorded'
        and (e.step_id, e.payload::json #>> '{review,stepId}') is distinct from (o.step_id, o.step_id::text)`,
  },
  {
    name: "withdrawals-undo-own-review",
    description:
      "A withdrawal does not put its step back to where it was before the review, or another call came between, or someone else withdrew it.",
    sql: `
      select w.tenant_id, w.task_id, w.seq
      from step_events w
      left join step_events e on e.tenant_id = w.tenant_id and e.task_id = w.task_id and e.type = 'review_recorded'
        and e.seq = (w.payload::json ->> 'undoes')::integer
      left join step_events p on p.tenant_id = w.tenant_id and p.task_id = w.task_id and p.seq = w.seq - 1
      where w.type = 'review_withdrawn' and (
        (w.step_id, w.from_status, w.from_gate, w.to_status, w.to_gate)
          is distinct from (e.step_id, p.to_status, p.to_gate, e.from_status, e.from_gate)
        or (w.payload::jsonb -> 'review') is distinct from (e.payload::jsonb -> 'review')
        or exists (select from step_events b where b.tenant_id = w.tenant_id and b.task_id = w.task_id
          and b.seq between e.seq and w.seq - 1 and (b.step_id, b.operation_id) is distinct from (e.step_id, e.operation_id))
        or (coalesce(person_of(w.tenant_id, w.actor_kind, w.actor_id)::text, w.actor_kind || ' ' || w.actor_id)
          is distinct from coalesce(person_of(e.tenant_id, e.actor_kind, e.actor_id)::text, e.actor_kind || ' ' || e.actor_id)))`,
  },
  {
    name: "slots-have-one-holder",
    description: "More people hold the review of a step than it has slots.",
    sql: `
      select tenant_id, step_id, count(*) from review_slots
      where slot is not null and lease_until > now()
      group by tenant_id, step_id having count(*) > ${SLOTS_PER_STEP}
      union all
      select tenant_id, step_id, slot from review_slots where slot > ${SLOTS_PER_STEP}`,
  },
  {
    name: "claims-are-of-waiting-tasks",
    description:
      "A task was claimed for review that did not wait for a reviewer: it had ended, was held or archived, or was at another step.",
    sql: `
      select c.tenant_id, c.id
      from review_slots c
      left join step_events e on e.tenant_id = c.tenant_id and e.task_id = c.task_id and e.seq = c.task_seq
      left join steps s on s.tenant_id = c.tenant_id and s.id = c.step_id
      left join lateral (select a.type from step_events a
        where a.tenant_id = c.tenant_id and a.task_id = c.task_id and a.seq <= c.task_seq
          and a.type in ('task_archived', 'task_restored') order by a.seq desc limit 1) a on true
      where e.step_id is distinct from c.step_id or s.kind <> '${REVIEWED_KIND}'
        or e.to_status not in (${WAITING}) or e.to_gate = 'blocked' or coalesce(a.type = 'task_archived', false)`,
  },
];
