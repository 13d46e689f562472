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

/** One status, one for each verdict and possibly one for a report without a verdict (`none`), or no status. */
type StatusOnReport =
  | StepStatus
  | (Record<ReviewOutcome, StepStatus> & { none?: StepStatus })
  | null;

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
      SUCCEEDED: { passed: "approved", failed: "awaiting_review", none: "approved" },
      FAILED: "failed",
      CANCELLED: "failed",
    },
  },
  PAYMENT: null,
};

/** Returns true if a report of this state can move a step. */
export function canMoveSteps(type: WorkerType, state: RunState): boolean {
  const effect = REPORT_EFFECTS[type];
  return effect !== null && effect.becomes[state] !== null;
}

/** Returns true if reports of this worker can move a step of this stage. */
export function canMove(type: WorkerType, stepKind: StepKind): boolean {
  return REPORT_EFFECTS[type]?.stepKind === stepKind;
}

/** The workers whose success must report a verdict on the step. */
export const JUDGING_WORKER_TYPES = ["QUALITY_AUTOMATION"] as const satisfies readonly WorkerType[];

/** The workers whose success can report a verdict on the step. */
export const SCORING_WORKER_TYPES = ["POST_QA_SCORING"] as const satisfies readonly WorkerType[];

/** Returns true if a success of this worker must report that the step passed or failed. */
export function isJudging(type: WorkerType): boolean {
  return JUDGING_WORKER_TYPES.some((judging) => judging === type);
}

/** Returns true if a success of this worker can report that the step passed or failed. */
export function canJudge(type: WorkerType): boolean {
  return isJudging(type) || SCORING_WORKER_TYPES.some((scoring) => scoring === type);
}

/**
 * Returns the statuses that a report moves the step through, in order. Empty if this worker type does not move steps
 * of this stage. If a run ends without a RUNNING report, the step passes through `running` first. A worker cannot
 * approve a step against a failed review: `awaiting_review` leaves that to a reviewer.
 */
export function statusesOnReport(report: {
  type: WorkerType;
  state: RunState;
  verdict: ReviewOutcome | null;
  stepKind: StepKind;
  stepStatus: StepStatus;
  /** True if a failed review stands against the step, this report's own included. */
  failureStands: boolean;
}): StepStatus[] {
  const effect = REPORT_EFFECTS[report.type];
  if (effect === null || effect.stepKind !== report.stepKind) return [];
  const onReport = effect.becomes[report.state];
  const reached =
    onReport === null || typeof onReport === "string"
      ? onReport
      : (onReport[report.verdict ?? "none"] ?? null);
  if (reached === null) return [];
  const target = reached === "approved" && report.failureStands ? "awaiting_review" : reached;
  const hasEndedUnstarted =
    report.stepStatus === "queued" && (report.state === "SUCCEEDED" || report.state === "FAILED");
  return hasEndedUnstarted ? ["running", target] : [target];
}
