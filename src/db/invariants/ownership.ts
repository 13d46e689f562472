import type { Invariant } from "./invariant.ts";

/** Rows that say of themselves which task they belong to, and where their step stands. */
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
    name: "children-of-their-step",
    description: "A row's tenant, task or version is not that of the step that it names.",
    sql: CHILDREN_OF_STEPS.map(
      (child) => `
      select '${child}' as child, c.tenant_id, c.task_id
      from ${child} c left join steps s on s.tenant_id = c.tenant_id and s.id = c.step_id
      where (s.task_id, s.version_id) is distinct from (c.task_id, c.version_id)`,
    ).join(" union all "),
  },
  {
    name: "steps-and-versions-of-their-task",
    description: "A step is not of its version's task, or a version is of no task.",
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
    name: "version-numbers-without-gap",
    description: "A task's versions are not numbered 1..n.",
    sql: `
      select tenant_id, task_id from task_versions
      group by tenant_id, task_id having (min(number), max(number)) <> (1, count(*)::integer)`,
  },
];
