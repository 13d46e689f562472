import type { Actor } from "../../actor.ts";
import type { Issue, Outcome, Refusal } from "../../refusals.ts";
import { succeed, invalidTransition, leaseLost, refuse, validationFailed } from "../../refusals.ts";
import type { DecisionContext, ReportCommand } from "../commands.ts";
import type { Decision, KeptAside, NewEvent, NewReview, RunChange } from "../decision.ts";
import {
  canJudge,
  canMove,
  canMoveSteps,
  isJudging,
  isRunEnded,
  isStatusRelevant,
  RUN_TRANSITIONS,
  statusesOnReport,
} from "../runs.ts";
import type { TaskSnapshot } from "../snapshot.ts";
import { isFailureStanding } from "../standing.ts";
import type { ReviewOutcome } from "../statuses.ts";
import { NO_CHANGES } from "./changes.ts";
import { deferralOf } from "./deferral.ts";
import { eventBetween, eventOn } from "./events.ts";
import { decideLate, wordsOf } from "./late-report.ts";
import { moveStep } from "./move-step.ts";
import { newReview, reviewRecorded } from "./verdict.ts";

/**
 * Records the report of a run, and moves the current step accordingly; if the step is held or paused, later. A repeated
 * report, and a report for a step that was left, changes only the run and writes no event. A report on a run that has
 * ended is kept aside.
 */
export function decideReport(
  snapshot: TaskSnapshot,
  command: ReportCommand,
  context: DecisionContext,
): Outcome<Decision> {
  const { run, state } = command;
  const misuse = verdictMisuse(command) ?? missingAttempt(command, context.actor);
  if (misuse) return refuse(validationFailed(misuse));
  const loss = lostLease(command, context.actor);
  if (loss) return refuse(loss);

  if (isRunEnded(run.state)) return succeed(decideLate(command, context));
  const change: RunChange = { id: run.id, ...wordsOf(command) };
  const runOnly: Decision = { ...NO_CHANGES, runs: [change] };
  if (state === run.state) return succeed(runOnly);
  const allowed = RUN_TRANSITIONS[run.state];
  if (!allowed.includes(state)) {
    const subject = `the ${run.type} run`;
    return refuse(invalidTransition({ subject, from: run.state, to: state, allowed }));
  }
  if (run.stepId !== snapshot.step.id) {
    return succeed({ ...runOnly, keptAside: canMoveSteps(run.type, state) ? STEP_LEFT : null });
  }

  const review = command.verdict && automatedReview(snapshot, command.verdict, context);
  const verdict = command.verdict ?? null;
  const deferred = deferralOf(snapshot.step, { type: run.type, state, verdict });
  const { moves, keptAside } =
    deferred === null
      ? movesOnReport(snapshot, command, review)
      : {
          moves: review === undefined ? [] : [reviewRecorded(review, snapshot.step)],
          keptAside: DEFERRED,
        };
  const isAlwaysRecorded = isStatusRelevant(run.type) || canMove(run.type, snapshot.step.kind);
  if (moves.length === 0 && !isAlwaysRecorded) return succeed({ ...runOnly, keptAside });
  const runChanged = eventOn("worker_run_changed", snapshot.step, {
    run: {
      id: run.id,
      type: run.type,
      state,
      stepId: run.stepId,
      ...(command.verdict && { verdict: command.verdict }),
    },
    ...(deferred !== null && { deferred }),
  });
  return succeed({
    ...runOnly,
    events: [runChanged, ...moves],
    reviews: review === undefined ? [] : [review],
    keptAside,
  });
}

const DEFERRED: KeptAside = {
  reason: "deferred",
  detail: "The step is held or paused. The move of the report waits until it is neither.",
};

const STEP_LEFT: KeptAside = {
  reason: "step_left",
  detail: "The task has left the step of this run. The report is recorded on the run only.",
};

/**
 * Returns the events of a report: its review, if it has a verdict, and each change of status that is lawful. An unlawful
 * change is skipped. The review comes right before the change that it causes.
 */
function movesOnReport(
  snapshot: TaskSnapshot,
  command: ReportCommand,
  review: NewReview | undefined,
): { moves: NewEvent[]; keptAside: KeptAside | null } {
  const statuses = statusesOnReport({
    type: command.run.type,
    state: command.state,
    verdict: command.verdict ?? null,
    stepKind: snapshot.step.kind,
    stepStatus: snapshot.step.status,
    failureStands: isFailureStanding(review ? [...snapshot.reviews, review] : snapshot.reviews),
  });
  const moves: NewEvent[] = [];
  let keptAside: KeptAside | null = null;
  let step = snapshot.step;
  for (const status of statuses) {
    const isLast = status === statuses.at(-1);
    if (isLast && review) moves.push(reviewRecorded(review, step));
    const moved = moveStep(step, status);
    if (moved.ok) {
      moves.push(eventBetween("step_transitioned", step, moved.value, {}));
      step = moved.value;
    } else if (isLast && moved.refusal.code !== "already_in_status") {
      keptAside = { reason: "move_refused", detail: moved.refusal.detail };
    }
  }
  if (statuses.length === 0 && review) moves.push(reviewRecorded(review, step));
  return { moves, keptAside };
}

function automatedReview(
  snapshot: TaskSnapshot,
  outcome: ReviewOutcome,
  context: Pick<DecisionContext, "newId">,
): NewReview {
  return newReview(snapshot, { kind: "automated", outcome }, context);
}

/** Returns an issue if a worker claimed the run and the report does not say for which attempt it is. */
function missingAttempt({ run, attempt }: ReportCommand, actor: Actor): Issue | null {
  if (!run.claimed || attempt !== undefined || actor.kind === "system") return null;
  return {
    path: ["attempt"],
    code: "required",
    message: "A worker claimed this run. Its reports require the attempt that the claim returned.",
  };
}

/**
 * Returns why the reporter does not own the run, or null. An attempt that the report names must be the current one. Until
 * the first report, the reporter must hold the lease; afterwards the run belongs to its worker until the deadline. The
 * service itself needs no lease, because it closes runs after their deadline.
 */
function lostLease({ run, attempt, reporter }: ReportCommand, actor: Actor): Refusal | null {
  if (attempt !== undefined && attempt !== run.attempt) {
    return leaseLost(
      `The report is for attempt ${attempt}, but the run is at attempt ${run.attempt}.`,
    );
  }
  const isTaken = run.offered && run.state === "QUEUED";
  if (!isTaken || actor.kind === "system" || run.heldBy === (reporter ?? actor.id)) return null;
  return leaseLost(
    "The caller has no live lease on this run. The lease expired, or another worker holds it.",
  );
}

/** Returns an issue if a verdict is missing, or does not apply. Only the success of a run that judges has one. */
function verdictMisuse({ run, state, verdict }: ReportCommand): Issue | null {
  const path = ["verdict"];
  const isSuccess = state === "SUCCEEDED";
  if (verdict === undefined) {
    if (!isSuccess || !isJudging(run.type)) return null;
    const message = "The report of a successful check requires a verdict.";
    return { path, code: "required", message };
  }
  if (isSuccess && canJudge(run.type)) return null;
  const message = "Only the report of a successful quality check or scoring can have a verdict.";
  return { path, code: "not_applicable", message };
}
