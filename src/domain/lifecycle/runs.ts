import {
  type ReviewOutcome,
  type RunState,
  STATUS_RELEVANT_WORKER_TYPES,
  type StepKind,
  type StepStatus,
  type WorkerType,
} from "./statuses.ts";

/** The state machine of worker runs, and of insights. */
export const RUN_TRANSITIONS: Record<RunState, readonly RunState[]> = {
  QUEUED: ["RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"],
  RUNNING: ["SUCCEEDED", "FAILED", "CANCELLED"],
  SUCCEEDED: [],
  FAILED: [],
  CANCELLED: [],
};

/** The error of a run that its deadline ended, because its worker stopped reporting. */
export const TIMED_OUT = "timed_out";

/** Returns true if the state is final. A later report changes only the record of the run. */
export function isRunEnded(state: RunState): boolean {
  return RUN_TRANSITIONS[state].length === 0;
}

/** Returns true if labels depend on runs of this type. */
export function isStatusRelevant(type: WorkerType): boolean {
  return STATUS_RELEVANT_WORKER_TYPES.some((relevant) => relevant === type);
}

/** One status, one for each verdict, or none. */
type StatusOnReport = StepStatus | Record<ReviewOutcome, StepStatus> | null;

interface ReportEffect {
  /** The stage whose steps these runs move. */
  stepKind: StepKind;
  becomes: Record<RunState, StatusOnReport>;
}

/** How a report of each worker type moves the current step. The usual checks of a transition apply. */
export const REPORT_EFFECTS: Record<WorkerType, ReportEffect | null> = {
  QUALITY_AUTOMATION: {
    stepKind: "pre_qa",
    becomes: {
      QUEUED: null,
      RUNNING: "running",
      SUCCEEDED: { passed: "approved", failed: "awaiting_review" },
      FAILED: "failed",
      CANCELLED: "failed",
    },
  },
  EXPERT_REVIEW: {
    stepKind: "expert_review",
    becomes: { QUEUED: null, RUNNING: "in_review", SUCCEEDED: null, FAILED: null, CANCELLED: null },
  },
  OUTPUT_GENERATION: {
    stepKind: "output_generation",
    becomes: {
      QUEUED: null,
      RUNNING: "running",
      SUCCEEDED: "approved",
      FAILED: "failed",
      CANCELLED: "failed",
    },
  },
  POST_QA_SCORING: {
    stepKind: "calibration",
    becomes: {
      QUEUED: null,
      RUNNING: "running",
      SUCCEEDED: "approved",
      FAILED: "failed",
      CANCELLED: "failed",
    },
  },
  PAYMENT: null,
};

/** The workers that report a verdict on the step when they succeed. */
export const JUDGING_WORKER_TYPES = ["QUALITY_AUTOMATION"] as const satisfies readonly WorkerType[];

/** Returns true if a success of this worker reports that the step passed or failed. */
export function isJudging(type: WorkerType): boolean {
  return JUDGING_WORKER_TYPES.some((judging) => judging === type);
}

/**
 * Returns the statuses that a report moves the step through, in order. Empty if this worker type does not move steps
 * of this stage. If a run ends without a RUNNING report, the step passes through `running` first.
 */
export function statusesOnReport(report: {
  type: WorkerType;
  state: RunState;
  verdict: ReviewOutcome | null;
  stepKind: StepKind;
  stepStatus: StepStatus;
}): StepStatus[] {
  const effect = REPORT_EFFECTS[report.type];
  if (effect === null || effect.stepKind !== report.stepKind) return [];
  const onReport = effect.becomes[report.state];
  const target =
    onReport === null || typeof onReport === "string"
      ? onReport
      : report.verdict && onReport[report.verdict];
  if (target === null) return [];
  const hasEndedUnstarted =
    report.stepStatus === "queued" && (report.state === "SUCCEEDED" || report.state === "FAILED");
  return hasEndedUnstarted ? ["running", target] : [target];
}
