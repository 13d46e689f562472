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

/** An event before it has a number, a time and a hash: the writer gives it those. */
export interface NewEvent {
  type: StepEventType;
  stepId: string;
  versionId: string;
  /** The step's own state before; null when the event opens the step. */
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

/** The content of a version: free text, and metadata that nothing in the product interprets. */
export interface TaskContent {
  brief?: string | undefined;
  instructions?: string | undefined;
  metadata?: Record<string, unknown> | undefined;
}

export interface NewVersion {
  id: string;
  number: number;
  content: TaskContent;
  /** SHA-256 of the canonical content, in hex: handed in by the caller, since the domain does no hashing. */
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

/** What becomes of a run that exists: a report's new state, or a cancellation because its step was left. */
export interface RunChange {
  id: string;
  state: RunState;
  result: unknown;
  error: string | null;
}

export interface NewDispatch {
  id: string;
  pipeline: Pipeline;
  stepId: string;
  versionId: string;
}

/** Which undelivered dispatches are called back. */
export interface Recall {
  stepId: string;
  versionId: string;
  /** Recalls the step's own dispatches, because the step was left or ended. */
  ofStep: boolean;
  /** Recalls the dispatches that the version's steps share, because an approval was taken back. */
  ofVersion: boolean;
}

/** Which change is taken back: the dispatches that it asked for are called back, and their runs with them. */
export interface Undo {
  operationId: string;
  /** The event that asked; null where the operation asked for dispatches alone. */
  seq: number | null;
}

/** All that one lawful call does to one task. The writer records it whole or not at all. */
export interface Decision {
  /**
   * At most EVENTS_PER_CALL_MAX; the last one names the step that is then current. None where history stays as
   * it is: a worker's report that changes its run alone (`runs` is then all there is to write), an edit that
   * changes nothing, a bulk operation that asks for pipelines alone or takes that back.
   */
  events: readonly NewEvent[];
  version: NewVersion | null;
  step: NewStep | null;
  reviews: readonly NewReview[];
  runs: readonly RunChange[];
  recall: Recall | null;
  undoes: Undo | null;
  /** Caused by the last event. `payment` may be there already: the writer's unique index decides. */
  dispatches: readonly NewDispatch[];
  fields: Partial<TaskFields> | null;
  /** true archives, false restores, null leaves it. */
  archive: boolean | null;
}
