import type { Invariant } from "./invariant.ts";

export const EVAL_INVARIANTS: readonly Invariant[] = [
  {
    name: "one-live-trial-a-slot",
    description: "A slot of an eval holds two live trials, or a trial's k is outside 1..eval.k.",
    sql: `
      select tenant_id, eval_id, k, model from trials
      where retracted_at is null group by tenant_id, eval_id, k, model having count(*) > 1
      union all
      select t.tenant_id, t.eval_id, t.k, t.model
      from trials t join evals e on e.tenant_id = t.tenant_id and e.id = t.eval_id
      where t.k not between 1 and e.k`,
  },
  {
    name: "eval-equals-newest-event",
    description:
      "An eval's seq, status or head differs from its newest event's, or a seq is missing.",
    sql: `
      select v.tenant_id, v.id
      from evals v
      left join lateral (select * from eval_step_events e
        where e.tenant_id = v.tenant_id and e.eval_id = v.id order by e.seq desc limit 1) e on true
      where (v.event_seq, v.status, v.event_head) is distinct from (e.seq, e.to_status, e.hash)
        or v.event_seq <> (select count(*) from eval_step_events c
          where c.tenant_id = v.tenant_id and c.eval_id = v.id)`,
  },
  {
    name: "streams-do-not-mix",
    description: "An eval event stands in the task's stream, or a task event in the eval's.",
    sql: `
      select tenant_id, task_id, seq from step_events where type like 'eval%' or type like 'trial%'
      union all
      select tenant_id, eval_id, seq from eval_step_events where type not like 'eval%' and type not like 'trial%'`,
  },
];
