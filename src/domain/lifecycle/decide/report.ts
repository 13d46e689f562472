import type { Actor } from "../../actor.ts";
import type { Issue, Outcome, Refusal } from "../../refusals.ts";
import { succeed, invalidTransition, leaseLost, refuse, validationFailed } from "../../refusals.ts";
import type { DecisionContext, ReportCommand } from "../commands.ts";
import type { Decision, NewEvent, NewReview, RunChange } from "../decision.ts";
import {
  isJudging,
  isRunEnded,
  isStatusRelevant,
  RUN_TRANSITIONS,
  statusesOnReport,
} from "../runs.ts";
import type { TaskSnapshot } from "../snapshot.ts";
import type { ReviewOutcome } from "../statuses.ts";
import { NO_CHANGES } from "./changes.ts";
import { eventBetween, eventOn } from "./events.ts";
import { moveStep } from "./move-step.ts";
import { newReview, reviewRecorded } from "./verdict.ts";

/**
 * Records what a worker says of its run, and what that makes of the current step. A report that comes late, or
 * says the same again, or is about a step that was left, changes the run's own record and writes no event.
 */
export function decideReport(
  snapshot: TaskSnapshot,
  command: ReportCommand,
  context: DecisionContext,
): Outcome<Decision> {
  const { run, state } = command;
  const misuse = verdictMisuse(command);
  if (misuse) return refuse(validationFailed(misuse));
  const loss = lostLease(command, context.actor);
  if (loss) return refuse(loss);

  const isLate = isRunEnded(run.state);
  const change: RunChange = {
    id: run.id,
    state: isLate ? run.state : state,
    result: command.result ?? null,
    error: command.error ?? null,
  };
  const runAlone: Decision = { ...NO_CHANGES, runs: [change] };
  if (isLate || state === run.state) return succeed(runAlone);
  const allowed = RUN_TRANSITIONS[run.state];
  if (!allowed.includes(state)) {
    const subject = `the ${run.type} run`;
    return refuse(invalidTransition({ subject, from: run.state, to: state, allowed }));
  }
  if (run.stepId !== snapshot.step.id) return succeed(runAlone);

  const review = command.verdict && automatedReview(snapshot, command.verdict, context);
  const moves = movesOnReport(snapshot, command, review);
  if (moves.length === 0 && !isStatusRelevant(run.type)) return succeed(runAlone);
  const runChanged = eventOn("worker_run_changed", snapshot.step, {
    run: { id: run.id, type: run.type, state, stepId: run.stepId },
  });
  return succeed({
    ...runAlone,
    events: [runChanged, ...moves],
    reviews: review === undefined ? [] : [review],
  });
}

/**
 * The review, if the report brings a verdict, and each change of status that is lawful when its turn comes: one
 * that is not holds back neither the review nor the others. The review stands right before the move that it is
 * the ground for.
 */
function movesOnReport(
  snapshot: TaskSnapshot,
  command: ReportCommand,
  review: NewReview | undefined,
): NewEvent[] {
  const statuses = statusesOnReport({
    type: command.run.type,
    state: command.state,
    verdict: command.verdict ?? null,
    stepKind: snapshot.step.kind,
    stepStatus: snapshot.step.status,
  });
  const events: NewEvent[] = [];
  let step = snapshot.step;
  for (const status of statuses) {
    const isLast = status === statuses.at(-1);
    if (isLast && review) events.push(reviewRecorded(review, step));
    const moved = moveStep(step, status);
    if (!moved.ok) continue;
    events.push(eventBetween("step_transitioned", step, moved.value, {}));
    step = moved.value;
  }
  if (statuses.length === 0 && review) events.push(reviewRecorded(review, step));
  return events;
}

function automatedReview(
  snapshot: TaskSnapshot,
  outcome: ReviewOutcome,
  context: Pick<DecisionContext, "newId">,
): NewReview {
  return newReview(snapshot, { kind: "automated", outcome }, context);
}

/**
 * Why the run is not the reporter's. An attempt that a report names must be the present one, however the run stands;
 * a lease is asked for until the first report, which makes the run its worker's up to the deadline. The service gives
 * runs up that are nobody's, and holds no lease.
 */
function lostLease({ run, attempt }: ReportCommand, actor: Actor): Refusal | null {
  if (attempt !== undefined && attempt !== run.attempt) {
    return leaseLost(
      `This report is of attempt ${attempt}, and the run is at attempt ${run.attempt}.`,
    );
  }
  const isTaken = run.offered && run.state === "QUEUED";
  if (!isTaken || actor.kind === "system" || run.heldBy === actor.id) return null;
  return leaseLost(
    "The caller holds no lease on this run: it has ended, or another worker's has not.",
  );
}

/** A verdict belongs to the success of a run that judges, and to nothing else. */
function verdictMisuse({ run, state, verdict }: ReportCommand): Issue | null {
  const judges = isJudging(run.type) && state === "SUCCEEDED";
  if (judges === (verdict !== undefined)) return null;
  return judges
    ? { path: ["verdict"], code: "required", message: "A check that succeeded says its verdict." }
    : {
        path: ["verdict"],
        code: "not_applicable",
        message: "Only a quality check that succeeded brings a verdict.",
      };
}
