import { RELEVANT_TYPES } from "../tasks/label-sql.ts";
import type { Invariant } from "./invariant.ts";

export const LABEL_INVARIANTS: readonly Invariant[] = [
  {
    name: "labels-match-resolver",
    description:
      "A label's status, rank, attention or times differ from the resolver's, or what is copied from its task differs from the task.",
    sql: `
      select f.tenant_id, f.task_id, l.unified_status, r.label
      from task_facts f
      cross join lateral (select label_of(f.kind, f.status, coalesce(f.held_gate, f.gate), f.review_failed, f.running_workers) as label) r
      left join task_labels l on l.tenant_id = f.tenant_id and l.task_id = f.task_id
      where (l.unified_status, l.rank, l.attention, l.since, l.updated_at, l.archived, l.step_kind,
        l.priority, l.taxonomy_code, l.event_seq, l.waits_for_review, l.running_since) is distinct from
        (r.label, label_rank(r.label), attention_of(f.kind, f.status, f.gate, f.review_failed, f.idle), f.status_since, f.updated_at,
        f.archived, f.kind, f.priority, f.taxonomy_code, f.event_seq, f.waits_for_review, f.running_since)`,
  },
  {
    name: "running-work-is-on-current-step",
    description:
      "A run that can affect a label is RUNNING on a step that is not its task's current one.",
    sql: `
      select w.tenant_id, w.id
      from worker_runs w join tasks t on t.tenant_id = w.tenant_id and t.id = w.task_id
      where w.state = 'RUNNING' and w.type in (${RELEVANT_TYPES})
        and w.step_id <> t.current_step_id`,
  },
];
