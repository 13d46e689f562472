import type {
  GateState,
  ReviewOutcome,
  RunState,
  StepKind,
  StepStatus,
  WorkerType,
} from "./statuses.ts";
import type { Pipeline } from "../pipelines/pipelines.ts";

/** A hold on a step. While it lasts, the step's gate is `blocked`. */
export interface Hold {
  /** The number of the event that put the hold. */
  seq: number;
  /** The gate that the step would have without the hold. */
  gate: GateState;
}

/** A worker's report whose move waits until the step is neither held nor paused. */
export interface DeferredReport {
  runId: string;
  /** The number of the event that recorded the report. */
  seq: number;
  /** The statuses that the report moves the step through. */
  statuses: StepStatus[];
  /** The verdict that the report brought, if it brought one. Its review is already recorded. */
  verdict: ReviewOutcome | null;
}

/** One attempt at one stage. Loaded from the tables, or folded from the history. */
export interface StepSnapshot {
  id: string;
  versionId: string;
  kind: StepKind;
  attempt: number;
  status: StepStatus;
  gate: GateState;
  /** Counts only while the step is current. Null also for a step that was blocked by hand before holds existed. */
  hold: Hold | null;
  /** At most one for each run, oldest first. Counts only while the step is current. */
  deferred: readonly DeferredReport[];
  /** The event that found the step idle. Null if it is not, or if its status or a run has changed since. */
  idledSeq: number | null;
}

/** A step that was just opened has no hold and no deferred reports, and is not idle. */
export const NOT_HELD = {
  hold: null,
  deferred: [],
  idledSeq: null,
} as const satisfies Partial<StepSnapshot>;

/** A review of the current step. Reviews are ordered by sequence, never by time. */
export interface ReviewFact {
  sequence: number;
  outcome: ReviewOutcome;
}

/** A run of the current step that is QUEUED or RUNNING. */
export interface RunFact {
  id: string;
  type: WorkerType;
  state: RunState;
}

/** The fields of a task that callers can edit. */
export interface TaskFields {
  title: string;
  externalId: string | null;
  taxonomyCode: string | null;
  /** 0 (the default) to 100. Higher is more urgent. */
  priority: number;
  assignee: string | null;
}

/** The state of one task, as decisions see it. Snapshots of equal `eventSeq` have the same label and moves. */
export interface TaskSnapshot extends TaskFields {
  id: string;
  archivedAt: string | null;
  /** The task that this duplicate names. Null if it names none, or is no duplicate. */
  duplicateOf: string | null;
  eventSeq: number;
  /** The time of the event that last changed the current step's status. */
  statusSince: string;
  createdAt: string;
  updatedAt: string;
  version: { id: string; number: number };
  step: StepSnapshot;
  /** Every step of the active version, including the current one. */
  steps: readonly StepSnapshot[];
  /** The highest review sequence of the task, also of withdrawn reviews. 0 before the first review. */
  reviewSequence: number;
  /** The reviews of the current step that are not withdrawn, by ascending sequence. */
  reviews: readonly ReviewFact[];
  openRuns: readonly RunFact[];
  /**
   * Pipelines that would not be dispatched again. For a pipeline of the version: the active version has a dispatch that
   * was not recalled. For a pipeline of the step: a dispatch of the current step is undelivered, or its run waits for a
   * polling worker. Labels do not depend on this.
   */
  alreadyDispatched: readonly Pipeline[];
  /**
   * Ids of tasks that are duplicates of this one now, archived ones included: the first NAMED_BY_MAX + 1. They change
   * without an event of this task. Empty if the call did not ask for them.
   */
  namedBy: readonly string[];
}
