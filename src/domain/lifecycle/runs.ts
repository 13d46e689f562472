import {
  type ReviewOutcome,
  type RunState,
  STATUS_RELEVANT_WORKER_TYPES,
  type StepKind,
  type StepStatus,
  type WorkerType,
} from "./statuses.ts";

/** The life of a worker run, and of an insight. */
export const RUN_TRANSITIONS: Record<RunState, readonly RunState[]> = {
  QUEUED: ["RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"],
  RUNNING: ["SUCCEEDED", "FAILED", "CANCELLED"],
  SUCCEEDED: [],
  FAILED: [],
  CANCELLED: [],
};

/** What the record of a run says whose worker was never heard of again: its deadline ended it. */
export const TIMED_OUT = "timed_out";

/** Whether no further state follows: a late report then changes nothing but the run's own record. */
export function isRunEnded(state: RunState): boolean {
  return RUN_TRANSITIONS[state].length === 0;
}

/** Whether a task's label depends on runs of this type. */
export function isStatusRelevant(type: WorkerType): boolean {
  return STATUS_RELEVANT_WORKER_TYPES.some((relevant) => relevant === type);
}

/** A status, one for each verdict, or none. */
type StatusOnReport = StepStatus | Record<ReviewOutcome, StepStatus> | null;

interface ReportEffect {
  /** The only kind of step that these runs move. */
  stepKind: StepKind;
  becomes: Record<RunState, StatusOnReport>;
}

/** What a worker's report makes of the current step, through the same checks as any other transition. */
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

/** The workers whose success is a verdict on the step. */
export const JUDGING_WORKER_TYPES = ["QUALITY_AUTOMATION"] as const satisfies readonly WorkerType[];

/** Whether a success of this worker says `passed` or `failed` of the step. */
export function isJudging(type: WorkerType): boolean {
  return JUDGING_WORKER_TYPES.some((judging) => judging === type);
}

/**
 * The statuses that a report leads the step through, in order: none where this worker does not move steps of
 * this kind. Reports are cumulative: the end of a run that never said RUNNING first says so for it.
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
  const endsUnstarted =
    report.stepStatus === "queued" && (report.state === "SUCCEEDED" || report.state === "FAILED");
  return endsUnstarted ? ["running", target] : [target];
}
