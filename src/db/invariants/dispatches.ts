import { EXHAUSTED, lawFor, NOT_ALLOWED } from "../../domain/delivery/endpoint-law.ts";
import { DISPATCH_ATTEMPTS_MAX, endReason } from "../../domain/pipelines/dispatch-attempts.ts";
import { DISPATCH_STATES, DISPATCH_TRANSITIONS } from "../../domain/pipelines/states.ts";
import { PIPELINES_OF_VERSION } from "../../domain/pipelines/pipelines.ts";
import { workerTypeSql } from "../dispatches/pipeline-sql.ts";
import type { Invariant } from "./invariant.ts";

const LEGAL_MOVES = DISPATCH_STATES.flatMap((from) =>
  DISPATCH_TRANSITIONS[from].map((to) => `('${from}', '${to}')`),
).join(", ");

/** The reasons for which a dispatch may be dead, besides that its attempts are used up. */
const DEAD_REASONS = [
  ...new Set([
    ...Array.from({ length: 500 }, (_, index) => 100 + index).flatMap((status) =>
      lawFor(status).dispatch === "end" ? [endReason(status)] : [],
    ),
    NOT_ALLOWED,
    "queue_gave_up",
    "run_timed_out",
  ]),
].join();

export const DISPATCH_INVARIANTS: readonly Invariant[] = [
  {
    name: "dispatches-were-requested",
    description: "A dispatch was neither requested by name nor caused by an event that opted in.",
    sql: `
      select d.tenant_id, d.id
      from pipeline_dispatches d left join step_events e
        on e.tenant_id = d.tenant_id and e.task_id = d.task_id and e.seq = d.cause_seq
      where not d.by_hand and e.run_attached_workflows is not true`,
  },
  {
    name: "dispatch-equals-newest-log-entry",
    description: "A dispatch's state is not the newest one in its log.",
    sql: `
      select d.tenant_id, d.id, d.state
      from pipeline_dispatches d
      left join lateral (select l.to_state from dispatch_events l
        where l.tenant_id = d.tenant_id and l.dispatch_id = d.id order by l.position desc limit 1) l on true
      where l.to_state is distinct from d.state`,
  },
  {
    name: "dispatch-moves-are-legal",
    description:
      "A dispatch's log does not start with pending, has a gap, or has a move that DISPATCH_TRANSITIONS does not allow.",
    sql: `
      select tenant_id, dispatch_id, position
      from (select l.*, lag(to_state) over (partition by tenant_id, dispatch_id order by position) as previous
        from dispatch_events l) l
      where from_state is distinct from previous
        or (from_state is null and to_state <> 'pending')
        or (from_state is not null and (from_state, to_state) not in (${LEGAL_MOVES}))`,
  },
  {
    name: "dispatches-end-by-the-law",
    description:
      "A dispatch is dead although attempts were left, or because of an answer that the law of answers retries.",
    sql: `
      select tenant_id, id, dead_reason, attempts from pipeline_dispatches
      -- Dispatches of earlier releases have no reason: they followed other rules.
      where dead_reason is not null and (state <> 'dead'
        or case dead_reason when '${EXHAUSTED}' then attempts < ${DISPATCH_ATTEMPTS_MAX}
          else dead_reason <> all ('{${DEAD_REASONS}}') end)`,
  },
  {
    name: "delivered-dispatches-have-a-run",
    description:
      "A dispatch was delivered or attempted but has no run, or its run does not match it.",
    sql: `
      select d.tenant_id, d.id
      from pipeline_dispatches d left join worker_runs w
        on w.tenant_id = d.tenant_id and w.dispatch_id = d.id
      where case when w.id is null then d.state = 'delivered' or d.attempts > 0
        else (w.task_id, w.version_id, w.step_id, w.type)
          is distinct from (d.task_id, d.version_id, d.step_id, ${workerTypeSql("d.pipeline")}) end`,
  },
  {
    name: "one-run-per-dispatch",
    description: "A run references a dispatch that does not exist, or a dispatch has two runs.",
    sql: `
      select w.tenant_id, w.dispatch_id
      from worker_runs w left join pipeline_dispatches d
        on d.tenant_id = w.tenant_id and d.id = w.dispatch_id
      where w.dispatch_id is not null
      group by w.tenant_id, w.dispatch_id having count(*) > 1 or count(d.id) = 0`,
  },
  ...PIPELINES_OF_VERSION.map((pipeline) => ({
    name: `one-${pipeline}-per-version`,
    description: `A task version has two dispatches of ${pipeline} that were not recalled.`,
    sql: `
      select tenant_id, version_id from pipeline_dispatches
      where pipeline = '${pipeline}' and state <> 'recalled'
      group by tenant_id, version_id having count(*) > 1`,
  })),
];
