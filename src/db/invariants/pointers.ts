import type { Invariant } from "./invariant.ts";

export const POINTER_INVARIANTS: readonly Invariant[] = [
  {
    name: "current-step-named-by-event",
    description: "A task points at a step that none of its events names.",
    sql: `
      select t.tenant_id, t.id from tasks t
      where not exists (select from step_events e
        where e.tenant_id = t.tenant_id and e.task_id = t.id and e.step_id = t.current_step_id)`,
  },
  {
    name: "task-equals-newest-event",
    description:
      "A task's seq, step, version, status, gate, head or time differs from its newest event's.",
    sql: `
      select t.tenant_id, t.id, t.event_seq, e.seq
      from tasks t
      join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id
      left join lateral (select * from step_events e
        where e.tenant_id = t.tenant_id and e.task_id = t.id order by e.seq desc limit 1) e on true
      where (t.event_seq, t.current_step_id, t.active_version_id, t.event_head, t.updated_at, s.status, s.gate)
        is distinct from (e.seq, e.step_id, e.version_id, e.hash, e.at, e.to_status, e.to_gate)`,
  },
  {
    name: "step-equals-newest-event",
    description: "A step's status, gate or seq differs from the newest event that names it.",
    sql: `
      select s.tenant_id, s.id
      from steps s
      left join lateral (select * from step_events e where e.tenant_id = s.tenant_id
        and e.task_id = s.task_id and e.step_id = s.id order by e.seq desc limit 1) e on true
      where (s.event_seq, s.status, s.gate) is distinct from (e.seq, e.to_status, e.to_gate)`,
  },
  {
    name: "current-step-belongs-to-task",
    description: "A task's current step does not exist, or belongs to another task or version.",
    sql: `
      select t.tenant_id, t.id
      from tasks t left join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id
      where (s.task_id, s.version_id) is distinct from (t.id, t.active_version_id)`,
  },
  {
    name: "version-pointer-equals-task-pointer",
    description:
      "An active version does not exist, belongs to another task, or points at another step than its task.",
    sql: `
      select t.tenant_id, t.id
      from tasks t left join task_versions v on v.tenant_id = t.tenant_id and v.id = t.active_version_id
      where (v.task_id, v.current_step_id) is distinct from (t.id, t.current_step_id)`,
  },
  {
    name: "sealed-unless-active",
    description: "A superseded version is not sealed, or the active one is.",
    sql: `
      select v.tenant_id, v.id
      from task_versions v join tasks t on t.tenant_id = v.tenant_id and t.id = v.task_id
      where (v.sealed_at is null) <> (v.id = t.active_version_id)`,
  },
  {
    name: "status-since-is-the-last-change",
    description:
      "A task's statusSince is not the time of the event that last changed its current step's status.",
    sql: `
      select t.tenant_id, t.id
      from tasks t
      left join lateral (select e.at from step_events e where e.tenant_id = t.tenant_id
        and e.task_id = t.id and e.step_id = t.current_step_id and e.from_status is distinct from e.to_status
        order by e.seq desc limit 1) e on true
      where t.status_since is distinct from e.at`,
  },
];
