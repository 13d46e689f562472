import type { TaskFields } from "./snapshot.ts";
import type {
  GateState,
  ReviewKind,
  ReviewOutcome,
  RunState,
  StepEventType,
  StepKind,
  StepStatus,
} from "./statuses.ts";
import type { Pipeline } from "../pipelines/pipelines.ts";

export const EVENTS_PER_CALL_MAX = 16;

/** An event without its number, time and hash, which the writer assigns. */
export interface NewEvent {
  type: StepEventType;
  stepId: string;
  versionId: string;
  /** The step's status before the event. Null if the event opens the step. */
  fromStatus: StepStatus | null;
  toStatus: StepStatus;
  fromGate: GateState | null;
  toGate: GateState;
  reason: string | null;
  payload: Readonly<Record<string, unknown>>;
  duplicateOf: string | null;
  runAttachedWorkflows: boolean;
}

export interface NewStep {
  id: string;
  versionId: string;
  kind: StepKind;
  attempt: number;
}

/** The content of a version. Stepledger does not interpret the metadata. */
export interface TaskContent {
  brief?: string | undefined;
  instructions?: string | undefined;
  metadata?: Record<string, unknown> | undefined;
}

export interface NewVersion {
  id: string;
  number: number;
  content: TaskContent;
  /** SHA-256 of the canonical content, in hex. The caller computes it, because the domain does not hash. */
  contentHash: string;
  reason: string | null;
}

export interface NewReview {
  id: string;
  versionId: string;
  stepId: string;
  kind: ReviewKind;
  outcome: ReviewOutcome;
  sequence: number;
  notes: string | null;
}

/** A review that no longer counts. */
export interface Withdrawal {
  reviewId: string;
  sequence: number;
}

/** A change of an existing run: the state from a report, or a cancellation because its step was left or ended. */
export interface RunChange {
  id: string;
  state: RunState;
  verdict: ReviewOutcome | null;
  result: unknown;
  error: string | null;
}

/** A report on a run that had ended, whole. The run does not change. */
export interface LateReport {
  id: string;
  runId: string;
  state: RunState;
  verdict: ReviewOutcome | null;
  result: unknown;
  error: string | null;
  /** The attempt that the report names, if it names one. */
  attempt: number | null;
}

/** Why a report, or the move that it asks for, has no effect on the task. */
export const ASIDE_REASONS = ["run_ended", "step_left", "deferred", "move_refused"] as const;
export type AsideReason = (typeof ASIDE_REASONS)[number];

/** What of a report was only recorded, and why. */
export interface KeptAside {
  reason: AsideReason;
  detail: string;
}

export interface NewDispatch {
  id: string;
  pipeline: Pipeline;
  stepId: string;
  versionId: string;
}

/** Which undelivered dispatches to recall. */
export interface Recall {
  stepId: string;
  versionId: string;
  /** Recalls the step's own dispatches, because the step was left or ended. */
  ofStep: boolean;
  /** Recalls the dispatches that the version's steps share, because an approval was revoked. */
  ofVersion: boolean;
}

/** The change to undo. Its undelivered dispatches are recalled, and their runs cancelled. */
export interface Undo {
  operationId: string;
  /** The event that caused the dispatches. Null if the operation only created dispatches. */
  seq: number | null;
}

/** Everything that one accepted call changes in one task. The writer records all of it or nothing. */
export interface Decision {
  /**
   * At most EVENTS_PER_CALL_MAX. The last event names the step that is current afterwards. Empty for a report that only
   * changes its run, an edit that changes nothing, and a bulk operation that only creates or recalls dispatches.
   */
  events: readonly NewEvent[];
  version: NewVersion | null;
  step: NewStep | null;
  reviews: readonly NewReview[];
  /** Reviews that the last event withdraws. */
  withdrawals: readonly Withdrawal[];
  runs: readonly RunChange[];
  lateReport: LateReport | null;
  /** What of a worker's report was only recorded. Null if all of it took effect. */
  keptAside: KeptAside | null;
  /** True if the decision holds only as long as no run is open on the current step. */
  needsNoRun: boolean;
  recall: Recall | null;
  undoes: Undo | null;
  /** Caused by the last event. The writer skips one that exists: a unique index allows one open dispatch. */
  dispatches: readonly NewDispatch[];
  fields: Partial<TaskFields> | null;
  /** True archives the task, false restores it, and null does neither. */
  archive: boolean | null;
}
