import { pipelinesAttachedTo } from "../attached.ts";
import type { Decision, NewDispatch, NewStep, RunChange } from "../decision.ts";
import { isStatusRelevant } from "../runs.ts";
import type { RunFact, StepSnapshot } from "../snapshot.ts";
import { isOfVersion, type Pipeline, PIPELINES } from "../../pipelines/pipelines.ts";
import type { StepKind } from "../statuses.ts";
import { recallOnLeave } from "./recall.ts";

/** A decision that changes nothing. Other decisions extend it. */
export const NO_CHANGES: Decision = {
  events: [],
  version: null,
  step: null,
  reviews: [],
  withdrawals: [],
  runs: [],
  lateReport: null,
  keptAside: null,
  needsNoRun: false,
  recall: null,
  undoes: null,
  dispatches: [],
  fields: null,
  archive: null,
};

/** Returns the number of the next attempt at a stage. `steps` are the steps of one version. */
export function nextAttempt(steps: readonly StepSnapshot[], kind: StepKind): number {
  const attempts = steps.filter((step) => step.kind === kind).map(({ attempt }) => attempt);
  return Math.max(0, ...attempts) + 1;
}

/** Returns the fields of a step that never change. */
export function identityOf({ id, versionId, kind, attempt }: StepSnapshot): NewStep {
  return { id, versionId, kind, attempt };
}

/** Cancels the open runs that the label depends on, because their step is left or ends. */
export function cancelOpenRuns(openRuns: readonly RunFact[]): RunChange[] {
  return openRuns
    .filter((run) => isStatusRelevant(run.type))
    .map(({ id }) => ({ id, state: "CANCELLED", verdict: null, result: null, error: null }));
}

/** Cancels the open runs of a step that is left, and recalls its undelivered dispatches. Those of the version stay. */
export function leave(
  step: StepSnapshot,
  openRuns: readonly RunFact[],
): Pick<Decision, "runs" | "recall"> {
  return {
    runs: cancelOpenRuns(openRuns),
    recall: recallOnLeave(step),
  };
}

/** Returns the dispatches for a step that enters its state. Empty unless the call opted in. */
export function dispatchesOnEntry(
  entered: StepSnapshot,
  runAttachedWorkflows: boolean,
  newId: () => string,
): NewDispatch[] {
  return runAttachedWorkflows ? dispatchesOf(pipelinesAttachedTo(entered), entered, newId) : [];
}

/**
 * Returns the dispatches that a step still needs if it enters its state from `before`. A paused step may come back with
 * its run still open, and that run reports on the step.
 */
export function withoutOpenRuns(
  dispatches: readonly NewDispatch[],
  before: StepSnapshot,
  openRuns: readonly RunFact[],
): readonly NewDispatch[] {
  if (before.status !== "paused") return dispatches;
  return dispatches.filter(
    ({ pipeline }) =>
      isOfVersion(pipeline) || !openRuns.some(({ type }) => type === PIPELINES[pipeline].worker),
  );
}

/** Returns one dispatch per pipeline, all for the same step. */
export function dispatchesOf(
  pipelines: readonly Pipeline[],
  step: StepSnapshot,
  newId: () => string,
): NewDispatch[] {
  return pipelines.map((pipeline) => ({
    id: newId(),
    pipeline,
    stepId: step.id,
    versionId: step.versionId,
  }));
}
