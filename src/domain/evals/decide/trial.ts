import {
  succeed,
  alreadyInStatus,
  invalidTransition,
  notFound,
  type Outcome,
  refuse,
  type Refusal,
  validationFailed,
} from "../../refusals.ts";
import type { EvalDecision } from "../decision.ts";
import { evalCancelled } from "../refusals.ts";
import { readResult, reportedStatus, type ReportedResult, scoreIssues } from "../result.ts";
import type { EvalSnapshot, TrialResult, TrialSnapshot } from "../snapshot.ts";
import { TRIAL_TRANSITIONS } from "../transitions.ts";
import { eventIn, unchanged } from "./events.ts";

/**
 * Moves a trial along TRIAL_TRANSITIONS and adds the reported result. Its previous score and output stay unless they are
 * reported again. The error of an earlier attempt is cleared.
 */
export function decideTrialTransition(
  snapshot: EvalSnapshot,
  trial: TrialSnapshot,
  reported: ReportedResult,
  outputIds: ReadonlySet<string>,
): Outcome<EvalDecision> {
  const status = reportedStatus(reported);
  if (status === undefined) {
    const message = "Set the status, passed, the score, or the error.";
    return refuse(validationFailed({ path: ["status"], code: "required", message }));
  }
  const read = readResult(reported, status, []);
  if (!read.ok) return read;
  if (snapshot.status === "cancelled") return refuse(evalCancelled(snapshot));
  const refusal = refusalOfMove(status, trial);
  if (refusal !== null) return refuse(refusal);
  const { outputDataId } = read.value;
  if (outputDataId !== null && !outputIds.has(outputDataId)) return refuse(notFound());

  const result: TrialResult = {
    status,
    score: status === "errored" ? null : (read.value.score ?? trial.score),
    error: read.value.error,
    outputDataId: outputDataId ?? trial.outputDataId,
  };
  const issues = scoreIssues(result, []);
  if (issues.length > 0) return refuse(validationFailed(...issues));
  const payload = { from: trial.status, ...result };
  const change = { id: trial.id, seenSeq: trial.eventSeq, result, retractReason: null };
  return succeed({
    ...unchanged(snapshot),
    events: [eventIn(snapshot, "trial_transitioned", payload, { trialId: trial.id })],
    change,
  });
}

/** Retracts a trial, which frees its slot. The trial and its insights stay. Allowed in any status of the eval. */
export function decideRetract(
  snapshot: EvalSnapshot,
  trial: TrialSnapshot,
  { reason }: { reason: string },
): Outcome<EvalDecision> {
  if (trial.retracted) return refuse(alreadyInStatus("The trial is already retracted."));
  const { k, model, status, score, error, outputDataId } = trial;
  return succeed({
    ...unchanged(snapshot),
    events: [
      eventIn(snapshot, "trial_retracted", { k, model, status }, { trialId: trial.id, reason }),
    ],
    change: {
      id: trial.id,
      seenSeq: trial.eventSeq,
      result: { status, score, error, outputDataId },
      retractReason: reason,
    },
  });
}

function refusalOfMove(to: TrialSnapshot["status"], trial: TrialSnapshot): Refusal | null {
  const { status: from, retracted } = trial;
  if (retracted) {
    return invalidTransition({ subject: "a retracted trial", from, to, allowed: [] });
  }
  if (to === from) return alreadyInStatus(`The trial is already ${to}.`);
  const allowed = TRIAL_TRANSITIONS[from];
  return allowed.includes(to) ? null : invalidTransition({ subject: "a trial", from, to, allowed });
}
