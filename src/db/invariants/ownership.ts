import type { Invariant } from "./invariant.ts";

/** Tables whose rows repeat the task and the version of their step. */
const CHILDREN_OF_STEPS = [
  "step_events",
  "prompts",
  "data",
  "reviews",
  "worker_runs",
  "pipeline_dispatches",
];

export const OWNERSHIP_INVARIANTS: readonly Invariant[] = [
  {
    name: "rows-match-their-step",
    description: "A row's tenant, task or version differs from that of its step.",
    sql: CHILDREN_OF_STEPS.map(
      (child) => `
      select '${child}' as child, c.tenant_id, c.task_id
      from ${child} c left join steps s on s.tenant_id = c.tenant_id and s.id = c.step_id
      where (s.task_id, s.version_id) is distinct from (c.task_id, c.version_id)`,
    ).join(" union all "),
  },
  {
    name: "steps-and-versions-match-their-task",
    description:
      "A step does not belong to the task of its version, or a version belongs to no task.",
    sql: `
      select s.tenant_id, s.id
      from steps s left join task_versions v on v.tenant_id = s.tenant_id and v.id = s.version_id
      where v.task_id is distinct from s.task_id
      union all
      select v.tenant_id, v.id
      from task_versions v left join tasks t on t.tenant_id = v.tenant_id and t.id = v.task_id
      where t.id is null`,
  },
  {
    name: "version-numbers-without-gaps",
    description: "A task's versions are not numbered 1..n.",
    sql: `
      select tenant_id, task_id from task_versions
      group by tenant_id, task_id having (min(number), max(number)) <> (1, count(*)::integer)`,
  },
];
