import { type Pipeline, PIPELINES } from "../pipelines/pipelines.ts";
import { PIPELINES_ON_ENTRY, pipelinesAttachedTo } from "./attached.ts";
import { REPORT_EFFECTS } from "./runs.ts";
import type { StepSnapshot } from "./snapshot.ts";
import type { StepEventType, StepKind, StepStatus } from "./statuses.ts";
import { allowedNext } from "./transitions.ts";

// A step is idle if it is running, in a stage that a pipeline works on, and has had no open run for the run deadline of
// that pipeline. Only time makes a step idle, so the sweep records it as an event.

/** The stages in which steps can be idle, each with the pipeline whose runs move its steps. */
export const STAGE_PIPELINES: readonly { kind: StepKind; pipeline: Pipeline }[] =
  PIPELINES_ON_ENTRY.filter(
    ({ kind, pipeline }) =>
      REPORT_EFFECTS[PIPELINES[pipeline].worker]?.stepKind === kind &&
      allowedNext(kind, "running").length > 0,
  ).map(({ kind, pipeline }) => ({ kind, pipeline }));

/** Returns the pipeline that works on a stage. Null if its steps cannot be idle. */
export function stagePipeline(kind: StepKind): Pipeline | null {
  return STAGE_PIPELINES.find((stage) => stage.kind === kind)?.pipeline ?? null;
}

/** Returns true if the sweep found the step idle, and neither its status nor a run has changed since. */
export function isIdle({ idledSeq }: Pick<StepSnapshot, "idledSeq">): boolean {
  return idledSeq !== null;
}

/**
 * Returns the pipelines that a step waits for: those that are attached to its state, or, if it is idle, the one that
 * works on its stage.
 */
export function pipelinesWaitedFor(step: StepSnapshot): Pipeline[] {
  const stage = isIdle(step) ? stagePipeline(step.kind) : null;
  return stage === null ? pipelinesAttachedTo(step) : [stage];
}

/** Returns `idledSeq` of a step after an event that names it. A status or a report ends what the sweep found. */
export function idledSeqAfter(
  before: number | null,
  event: {
    type: StepEventType;
    seq: number;
    fromStatus: StepStatus | null;
    toStatus: StepStatus;
  },
): number | null {
  if (event.type === "step_idled") return event.seq;
  const isEnded = event.type === "worker_run_changed" || event.fromStatus !== event.toStatus;
  return isEnded ? null : before;
}
