import { DISPATCH_STATES, DISPATCH_TRANSITIONS } from "../../domain/pipelines/states.ts";
import { PIPELINES_OF_VERSION } from "../../domain/pipelines/pipelines.ts";
import { workerTypeSql } from "../dispatches/pipeline-sql.ts";
import type { Invariant } from "./invariant.ts";

const LAWFUL = DISPATCH_STATES.flatMap((from) =>
  DISPATCH_TRANSITIONS[from].map((to) => `('${from}', '${to}')`),
).join(", ");

export const DISPATCH_INVARIANTS: readonly Invariant[] = [
  {
    name: "dispatches-were-asked-for",
    description: "A dispatch was caused by an event that did not opt in.",
    sql: `
      select d.tenant_id, d.id
      from pipeline_dispatches d left join step_events e
        on e.tenant_id = d.tenant_id and e.task_id = d.task_id and e.seq = d.cause_seq
      where not d.by_hand and e.run_attached_workflows is not true`,
  },
  {
    name: "dispatches-have-their-log",
    description: "A dispatch's state is not the last one of its log.",
    sql: `
      select d.tenant_id, d.id, d.state
      from pipeline_dispatches d
      left join lateral (select l.to_state from dispatch_events l
        where l.tenant_id = d.tenant_id and l.dispatch_id = d.id order by l.position desc limit 1) l on true
      where l.to_state is distinct from d.state`,
  },
  {
    name: "dispatches-move-lawfully",
    description:
      "A dispatch's log does not begin with pending, has a gap, or a move that the table has not.",
    sql: `
      select tenant_id, dispatch_id, position
      from (select l.*, lag(to_state) over (partition by tenant_id, dispatch_id order by position) as previous
        from dispatch_events l) l
      where from_state is distinct from previous
        or (from_state is null and to_state <> 'pending')
        or (from_state is not null and (from_state, to_state) not in (${LAWFUL}))`,
  },
  {
    name: "delivered-dispatches-made-their-run",
    description:
      "A dispatch was delivered or tried without a run, or its run is of something else.",
    sql: `
      select d.tenant_id, d.id
      from pipeline_dispatches d left join worker_runs w
        on w.tenant_id = d.tenant_id and w.dispatch_id = d.id
      where case when w.id is null then d.state = 'delivered' or d.attempts > 0
        else (w.task_id, w.version_id, w.step_id, w.type)
          is distinct from (d.task_id, d.version_id, d.step_id, ${workerTypeSql("d.pipeline")}) end`,
  },
  {
    name: "one-run-a-dispatch",
    description: "A run was made by a dispatch that is not there, or a dispatch made two runs.",
    sql: `
      select w.tenant_id, w.dispatch_id
      from worker_runs w left join pipeline_dispatches d
        on d.tenant_id = w.tenant_id and d.id = w.dispatch_id
      where w.dispatch_id is not null
      group by w.tenant_id, w.dispatch_id having count(*) > 1 or count(d.id) = 0`,
  },
  ...PIPELINES_OF_VERSION.map((pipeline) => ({
    name: `one-${pipeline}-a-version`,
    description: `A task version has two dispatches of ${pipeline} that were not recalled.`,
    sql: `
      select tenant_id, version_id from pipeline_dispatches
      where pipeline = '${pipeline}' and state <> 'recalled'
      group by tenant_id, version_id having count(*) > 1`,
  })),
];
