import { OPEN_GATES } from "../../domain/lifecycle/gates.ts";
import { ENDING_STATUSES } from "../../domain/lifecycle/transitions.ts";
import { REGISTRY_HISTORY } from "../../domain/registry-history/index.ts";
import type { Invariant } from "./invariant.ts";
import { valuesOf } from "./values.ts";

/**
 * The rules of this file came with version 2. Events of version 1 could approve a step against a failed review, or lack a
 * reason.
 */
const IS_JUDGED = "e.registry_version >= 2";

/**
 * The verdict on a step before an event: the outcome of its newest review that was not withdrawn by then. `step` and `seq`
 * are SQL. Null without a review.
 */
const verdictBefore = (step: string, seq: string) => `(
        select r.payload::json #>> '{review,outcome}' from step_events r
        where r.tenant_id = e.tenant_id and r.task_id = e.task_id and r.step_id = ${step} and r.seq < ${seq}
          and r.type = 'review_recorded'
          and not exists (select from step_events w
            where w.tenant_id = r.tenant_id and w.task_id = r.task_id and w.seq between r.seq and ${seq} - 1
              and w.type in ('review_withdrawn', 'bulk_reverted')
              and coalesce(w.payload::json #>> '{review,id}', w.payload::json #>> '{withdrawn,id}')
                = r.payload::json #>> '{review,id}')
        order by r.seq desc limit 1)`;

const textsOf = (texts: readonly string[]) => texts.map((text) => `'${text}'`).join(", ");

/** The rows (version, outcome, status) of the moves that a review can carry. */
const REVIEW_MOVES = valuesOf(
  REGISTRY_HISTORY.flatMap(({ registryVersion, reviewMoves = {} }) =>
    Object.entries(reviewMoves).flatMap(([outcome, statuses]) =>
      statuses.map((status) => [registryVersion, outcome, status]),
    ),
  ),
);

/** What people and workers may decide, and what they must say about it. */
export const DECISION_INVARIANTS: readonly Invariant[] = [
  {
    name: "approvals-overrule-failed-reviews",
    description:
      "A step was approved while a failed review stood against it, without a passed review before the approval.",
    sql: `
      select e.tenant_id, e.task_id, e.seq from step_events e
      where ${IS_JUDGED} and e.type in ('step_transitioned', 'bulk_transitioned')
        and e.to_status = 'approved' and e.from_status <> 'approved'
        and ${verdictBefore("e.step_id", "e.seq")} = 'failed'`,
  },
  {
    name: "advances-leave-through-open-gates",
    description:
      "A task advanced from a step whose gate was not open, or while a failed review stood against it.",
    sql: `
      select e.tenant_id, e.task_id, e.seq
      from step_events e
      left join step_events l on l.tenant_id = e.tenant_id and l.task_id = e.task_id and l.seq = e.seq - 1
      where ${IS_JUDGED} and e.type = 'step_advanced'
        and (l.to_gate is null or l.to_gate not in (${textsOf(OPEN_GATES)})
          or (l.to_gate <> 'waived' and ${verdictBefore("l.step_id", "e.seq")} = 'failed'))`,
  },
  {
    name: "decisions-have-reasons",
    description:
      "A task was rejected or marked as a duplicate, or a gate was waived, blocked, unblocked or revoked, without a reason.",
    sql: `
      select e.tenant_id, e.task_id, e.seq from step_events e
      where ${IS_JUDGED} and coalesce(e.reason, '') !~ '\\S' and (
        (e.type in ('step_transitioned', 'bulk_transitioned') and e.to_status in (${textsOf(ENDING_STATUSES)}))
        or (e.type = 'gate_changed' and (e.to_gate <> 'errored'
          or (e.from_gate = 'blocked' and e.from_status not in ('paused', 'awaiting_input')))))`,
  },
  {
    name: "finished-work-is-revised-by-reviewers",
    description:
      "An operator created a new version of a task that was passed, delivered, rejected or a duplicate.",
    sql: `
      select e.tenant_id, e.task_id, e.seq
      from step_events e
      join step_events l on l.tenant_id = e.tenant_id and l.task_id = e.task_id and l.seq = e.seq - 1
      join steps s on s.tenant_id = l.tenant_id and s.id = l.step_id
      where ${IS_JUDGED} and e.type = 'version_created' and e.actor_role not in ('reviewer', 'admin')
        and (l.to_status in (${textsOf(ENDING_STATUSES)}) or s.kind in ('calibration', 'delivery')
          or (s.kind = 'expert_review' and l.to_status = 'approved'))`,
  },
  {
    name: "reviews-carry-agreeing-moves",
    description: "A review was recorded with a move that contradicts its outcome.",
    sql: `
      select e.tenant_id, e.task_id, e.seq
      from step_events e
      join step_events m on m.tenant_id = e.tenant_id and m.task_id = e.task_id and m.seq = e.seq + 1
        and m.operation_id = e.operation_id and m.type in ('step_transitioned', 'bulk_transitioned')
      where ${IS_JUDGED} and e.type = 'review_recorded'
        and (e.registry_version, e.payload::json #>> '{review,outcome}', m.to_status) not in (${REVIEW_MOVES})
        -- A failed check or score leaves the decision to a reviewer.
        and not (e.payload::json #>> '{review,kind}' = 'automated' and m.to_status = 'awaiting_review'
          and e.payload::json #>> '{review,outcome}' = 'failed')`,
  },
];
