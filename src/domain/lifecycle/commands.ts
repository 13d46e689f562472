import type { Actor } from "../actor.ts";
import type { NewReview, TaskContent } from "./decision.ts";
import type { Original } from "./duplicates.ts";
import type { TaskFields } from "./snapshot.ts";
import type {
  FirstKind,
  GateState,
  ReviewKind,
  ReviewOutcome,
  RunState,
  StepEventType,
  StepKind,
  StepStatus,
  WorkerType,
} from "./statuses.ts";
import type { StartStatus } from "./transitions.ts";

/** The step that a call names. It can be an earlier step, or a step of a sealed version. */
export interface StepTarget {
  stepId: string;
  versionId: string;
}

/** Changes the current step's status. */
export interface TransitionCommand {
  type: "transition";
  /** Absent if the call names only the task. */
  target?: StepTarget;
  status: StepStatus;
  reason?: string | undefined;
  /** Data of the caller, stored in the event's payload as `data`. */
  payload?: Record<string, unknown> | undefined;
  /** The task that this one duplicates. */
  duplicateOf?: Original | undefined;
  runAttachedWorkflows: boolean;
}

/** Changes the current step's gate by hand. */
export interface GateCommand {
  type: "gate";
  target?: StepTarget;
  gate: GateState;
  reason?: string | undefined;
}

/** Opens the next stage. With `hold`, the new step is `pending` instead of `queued`. */
export interface AdvanceCommand {
  type: "advance";
  reason?: string | undefined;
  hold?: boolean | undefined;
  runAttachedWorkflows: boolean;
}

/** Opens a new attempt of the same or an earlier stage. */
export interface ReworkCommand {
  type: "rework";
  toKind: StepKind;
  reason: string;
  runAttachedWorkflows: boolean;
}

/** Seals the active version and begins the next one. */
export interface VersionCommand {
  type: "version";
  content: TaskContent;
  contentHash: string;
  reason: string;
  /** Defaults to `authoring`. */
  firstKind?: FirstKind | undefined;
  runAttachedWorkflows: boolean;
}

/** Records a verdict on the current step, and optionally the transition that follows from it. */
export interface ReviewCommand {
  type: "review";
  /** The step that the reviewer has read. Absent if the call names only the task. */
  stepId?: string | undefined;
  kind: ReviewKind;
  outcome: ReviewOutcome;
  notes?: string | undefined;
  /** Until when someone else holds the review of the current step. Absent if the caller can take it. */
  takenUntil?: string | undefined;
  move?:
    | {
        status: StepStatus;
        reason?: string | undefined;
        duplicateOf?: Original | undefined;
        runAttachedWorkflows: boolean;
      }
    | undefined;
}

/** An event of the call that recorded a review, or a later event of the task. */
export interface EventOfReview {
  seq: number;
  type: StepEventType;
  stepId: string;
  fromStatus: StepStatus | null;
  fromGate: GateState | null;
  operationId: string;
  payload: unknown;
}

/** A recorded review, with the facts that its withdrawal is checked against. */
export interface RecordedReview extends Pick<
  NewReview,
  "id" | "stepId" | "kind" | "outcome" | "sequence"
> {
  /** Whether the person who calls recorded it. */
  isOwn: boolean;
  isWithdrawn: boolean;
  /** Whether it is the verdict in a worker's report. */
  isReported: boolean;
  /** The task that this one named as its original when the review was recorded. */
  namedBefore: Original | null;
  /** The event that recorded the review, and those that follow it, in order. */
  events: readonly EventOfReview[];
}

/** Takes back a review, and the move that came with it. */
export interface WithdrawCommand {
  type: "withdraw";
  review: RecordedReview;
  reason: string;
}

/** A run, with the fields that a report on it is checked against. */
export interface ReportedRun {
  id: string;
  type: WorkerType;
  state: RunState;
  stepId: string;
  /** How often the run was leased. A report names the attempt that it belongs to. */
  attempt: number;
  /** Polling workers lease the run. Until its first report, only the holder of the lease can report. */
  offered: boolean;
  /** A worker has claimed the run, so every report has to name its attempt. */
  claimed: boolean;
  /** Names the credential that holds a live lease, by the clock of the database. Null if none does. */
  heldBy: string | null;
  /** What the run ended with, so that a repeat of the report that ended it is recognized. Null while it is open. */
  verdict: ReviewOutcome | null;
  result: unknown;
  error: string | null;
}

/** Reports the state of a run. The reporter is its worker, or the service after the run's deadline. */
export interface ReportCommand {
  type: "report";
  run: ReportedRun;
  /** Names the credential that reports, as leases do; the actor's id if it is absent. */
  reporter?: string | undefined;
  /** The attempt that the worker leased. Required if the run was claimed. */
  attempt?: number | undefined;
  state: RunState;
  verdict?: ReviewOutcome | undefined;
  result?: unknown;
  error?: string | undefined;
}

/** Changes fields of the task. */
export interface EditCommand {
  type: "edit";
  changes: { [Field in keyof TaskFields]?: TaskFields[Field] | undefined };
  reason?: string | undefined;
}

export interface ArchiveCommand {
  type: "archive";
  reason?: string | undefined;
}

export interface RestoreCommand {
  type: "restore";
  reason?: string | undefined;
}

/** Adds a note to the history. */
export interface NoteCommand {
  type: "note";
  text: string;
}

/** Records that the current step is idle. Only the sweep gives this command, and it judges the time. */
export interface IdleCommand {
  type: "idle";
}

/** Everything that can be done to an existing task. */
export type Command =
  | TransitionCommand
  | GateCommand
  | AdvanceCommand
  | ReworkCommand
  | VersionCommand
  | ReviewCommand
  | WithdrawCommand
  | ReportCommand
  | EditCommand
  | ArchiveCommand
  | RestoreCommand
  | NoteCommand
  | IdleCommand;

/**
 * Commands that mean the same whatever other calls do to the task at the same time. If one of them loses a race, it is
 * decided again until it is recorded; all others are moves, which are decided again only a few times.
 */
export const APPENDING_COMMANDS: readonly Command["type"][] = [
  "note",
  "edit",
  "archive",
  "restore",
];

/** The input of a new task. */
export interface CreateInput {
  fields: TaskFields;
  content: TaskContent;
  contentHash: string;
  /** The stage and status of an imported task. Absent for a task that starts at the beginning. */
  start?: { kind: StepKind; status?: StartStatus | undefined; reason: string } | undefined;
}

/** What a decision takes from outside. Passing it in keeps decisions deterministic. */
export interface DecisionContext {
  actor: Actor;
  newId: () => string;
}
