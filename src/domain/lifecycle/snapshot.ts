import type {
  GateState,
  ReviewOutcome,
  RunState,
  StepKind,
  StepStatus,
  WorkerType,
} from "./statuses.ts";
import type { Pipeline } from "../pipelines/pipelines.ts";

/** One attempt at one stage, as the tables (or the fold) say it is. */
export interface StepSnapshot {
  id: string;
  versionId: string;
  kind: StepKind;
  attempt: number;
  status: StepStatus;
  gate: GateState;
}

/** A review of the current step. Order is by sequence, never by clock. */
export interface ReviewFact {
  sequence: number;
  outcome: ReviewOutcome;
}

/** A run of the current step that has not ended. */
export interface RunFact {
  id: string;
  type: WorkerType;
  state: RunState;
}

/** The fields of a task that people edit. */
export interface TaskFields {
  title: string;
  externalId: string | null;
  taxonomyCode: string | null;
  /** 0 (the default) to 100; higher is more urgent. */
  priority: number;
  assignee: string | null;
}

/** All that a decision about one task may look at. Equal `eventSeq` means an equal label and equal moves. */
export interface TaskSnapshot extends TaskFields {
  id: string;
  archivedAt: string | null;
  eventSeq: number;
  /** Time of the event that last changed the current step's status. */
  statusSince: string;
  createdAt: string;
  updatedAt: string;
  version: { id: string; number: number };
  step: StepSnapshot;
  /** Every step of the active version, the current one among them. */
  steps: readonly StepSnapshot[];
  /** The highest review sequence of the whole task; 0 before the first review. */
  reviewSequence: number;
  /** Reviews of the current step, ascending. */
  reviews: readonly ReviewFact[];
  /** Runs of the current step that are QUEUED or RUNNING. */
  openRuns: readonly RunFact[];
  /**
   * Pipelines that would not be asked for again: `payment` where the active version has one that was not recalled,
   * any other where one of the current step is still to be delivered, or waits for a worker that polls. No label
   * depends on it.
   */
  alreadyDispatched: readonly Pipeline[];
}
