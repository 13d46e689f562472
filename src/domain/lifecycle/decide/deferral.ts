import type { Decision, NewEvent } from "../decision.ts";
import type { PayloadOf } from "../events.ts";
import { isHeld } from "../gates.ts";
import { statusesOnReport } from "../runs.ts";
import type { DeferredReport, ReviewFact, StepSnapshot, TaskSnapshot } from "../snapshot.ts";
import { isFailureStanding } from "../standing.ts";
import type { ReviewOutcome, RunState, StepStatus, WorkerType } from "../statuses.ts";
import { currentStepAfter } from "../step-after.ts";
import { eventBetween } from "./events.ts";
import { moveStep } from "./move-step.ts";

/** Statuses by which someone decides about a step. What waits for the step's hold or pause to end comes too late. */
const DECIDED_STATUSES: readonly StepStatus[] = [
  "changes_requested",
  "approved",
  "rejected",
  "duplicate",
  "failed",
  "cancelled",
];

/** Returns true if reports on the step do not move it for now. */
export function isDeferring(step: StepSnapshot): boolean {
  return isHeld(step) || step.status === "paused";
}

/**
 * Returns what the event of a report says about its deferred move: null if the report moves the step at once, or cannot
 * move it. By the time that the move is carried out, the step may be queued again, so a move that ends the work always
 * goes through `running`.
 */
export function deferralOf(
  step: StepSnapshot,
  report: { type: WorkerType; state: RunState; verdict: ReviewOutcome | null },
): NonNullable<PayloadOf<"worker_run_changed">["deferred"]> | null {
  if (!isDeferring(step)) return null;
  const statuses = statusesOnReport({
    ...report,
    stepKind: step.kind,
    stepStatus: "queued",
    failureStands: false,
  });
  return statuses.length === 0 ? null : { statuses, verdict: report.verdict };
}

/**
 * Returns the decision with what it means for the reports that wait on the current step. If neither hold nor pause
 * remains, they move the step now. If the step is left or decided on, they are dropped. The last event that changes the
 * step says so.
 */
export function settleDeferred(snapshot: TaskSnapshot, decision: Decision): Decision {
  const last = decision.events.at(-1);
  if (last === undefined) return decision;
  const { step } = snapshot;
  if (last.stepId !== step.id) {
    const { hold: endedHold, deferred } = step;
    return withPayload(decision, {
      ...(endedHold !== null && { endedHold }),
      ...(deferred.length > 0 && { settled: dropped(deferred) }),
    });
  }

  const after = currentStepAfter(snapshot, decision.events);
  if (after.deferred.length === 0) return decision;
  if (after.status !== step.status && DECIDED_STATUSES.includes(after.status)) {
    return withPayload(decision, { settled: dropped(after.deferred) });
  }
  // A pipeline that is attached to the step's new status would repeat the work that was reported.
  if (isDeferring(after)) return { ...decision, dispatches: [] };

  const reviews = [...snapshot.reviews, ...decision.reviews];
  const { settled, moves } = carryOut(after, reviews);
  const { events, dispatches } = withPayload(decision, { settled });
  return {
    ...decision,
    events: [...events, ...moves],
    dispatches: moves.length === 0 ? dispatches : [],
  };
}

type Settled = NonNullable<PayloadOf<"gate_changed">["settled"]>;

function dropped(reports: readonly DeferredReport[]): Settled {
  return reports.map((report) => ({ ...report, outcome: "dropped" }));
}

/** Carries out the deferred reports in their order. Like any report, each skips the changes that are not lawful. */
function carryOut(
  step: StepSnapshot,
  reviews: readonly ReviewFact[],
): { settled: Settled; moves: NewEvent[] } {
  const verdict = newestOutcome(reviews);
  const moves: NewEvent[] = [];
  let current: StepSnapshot = { ...step, deferred: [] };
  const settled = step.deferred.map((report): Settled[number] => {
    if (report.verdict !== null && report.verdict !== verdict) {
      return { ...report, outcome: "contradicted" };
    }
    const movesBefore = moves.length;
    for (const status of report.statuses) {
      // As in statusesOnReport: a worker cannot approve a step against a failed review.
      const isAgainst = status === "approved" && isFailureStanding(reviews);
      const moved = moveStep(current, isAgainst ? "awaiting_review" : status);
      if (!moved.ok) continue;
      const payload = { carriesOut: report.seq };
      moves.push(eventBetween("step_transitioned", current, moved.value, payload));
      current = moved.value;
    }
    return { ...report, outcome: moves.length > movesBefore ? "moved" : "unmoved" };
  });
  return { settled, moves };
}

function newestOutcome(reviews: readonly ReviewFact[]): ReviewOutcome | null {
  const newest = reviews.toSorted((one, other) => one.sequence - other.sequence).at(-1);
  return newest?.outcome ?? null;
}

function withPayload(
  decision: Decision,
  more: Pick<PayloadOf<"step_reworked">, "endedHold" | "settled">,
): Decision {
  const events = decision.events.map((event, index) =>
    index === decision.events.length - 1
      ? { ...event, payload: { ...event.payload, ...more } }
      : event,
  );
  return { ...decision, events };
}
