import type { Actor } from "../actor.ts";
import type { TaskContent } from "./decision.ts";
import type { TaskFields } from "./snapshot.ts";
import type {
  FirstKind,
  GateState,
  ReviewKind,
  ReviewOutcome,
  RunState,
  StepKind,
  StepStatus,
  WorkerType,
} from "./statuses.ts";
import type { StartStatus } from "./transitions.ts";

/** The step that a call names, as it was found: it need not be the current one, nor of the active version. */
export interface StepTarget {
  stepId: string;
  versionId: string;
}

/** Changes the current step's status. */
export interface TransitionCommand {
  type: "transition";
  /** Absent where the call names the task alone. */
  target?: StepTarget;
  status: StepStatus;
  reason?: string | undefined;
  /** The caller's own facts, kept on the event under `data`. */
  payload?: Record<string, unknown> | undefined;
  duplicateOf?: string | undefined;
  runAttachedWorkflows: boolean;
}

/** Changes the current step's gate by hand. */
export interface GateCommand {
  type: "gate";
  target?: StepTarget;
  gate: GateState;
  reason?: string | undefined;
}

/** Goes on to the next stage; with `hold`, the new step waits in `pending`. */
export interface AdvanceCommand {
  type: "advance";
  reason?: string | undefined;
  hold?: boolean | undefined;
  runAttachedWorkflows: boolean;
}

/** Goes back to the same or an earlier stage with a new attempt. */
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
  /** `authoring` where absent. */
  firstKind?: FirstKind | undefined;
  runAttachedWorkflows: boolean;
}

/** A verdict on the current step, with the transition that follows from it in the same call, if any. */
export interface ReviewCommand {
  type: "review";
  kind: ReviewKind;
  outcome: ReviewOutcome;
  notes?: string | undefined;
  move?:
    | {
        status: StepStatus;
        reason?: string | undefined;
        duplicateOf?: string | undefined;
        runAttachedWorkflows: boolean;
      }
    | undefined;
}

/** A run as it was found, with all that a report on it is judged by. */
export interface ReportedRun {
  id: string;
  type: WorkerType;
  state: RunState;
  stepId: string;
  /** How often it was handed out: a report may say of which time it is. */
  attempt: number;
  /** It is taken by workers that poll: until its first report it belongs to whoever holds a lease on it. */
  offered: boolean;
  /** Whose lease has not ended, by the database's clock; null where nobody's has. */
  heldBy: string | null;
}

/** A worker (or the deadline that gives it up) says what became of its run. */
export interface ReportCommand {
  type: "report";
  run: ReportedRun;
  /** The attempt that the worker was given, where it says so. */
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

/** Puts the task away. */
export interface ArchiveCommand {
  type: "archive";
  reason?: string | undefined;
}

/** Brings an archived task back. */
export interface RestoreCommand {
  type: "restore";
  reason?: string | undefined;
}

/** Adds a remark to the history. */
export interface NoteCommand {
  type: "note";
  text: string;
}

/** Everything that can be done to a task that exists. */
export type Command =
  | TransitionCommand
  | GateCommand
  | AdvanceCommand
  | ReworkCommand
  | VersionCommand
  | ReviewCommand
  | ReportCommand
  | EditCommand
  | ArchiveCommand
  | RestoreCommand
  | NoteCommand;

/** What a new task is made of. */
export interface CreateInput {
  fields: TaskFields;
  content: TaskContent;
  contentHash: string;
  /** Where the work already is, for tasks that come from elsewhere. */
  start?: { kind: StepKind; status?: StartStatus | undefined; reason: string } | undefined;
}

/** What a decision needs from outside; with it handed in, the same input always gives the same decision. */
export interface DecisionContext {
  actor: Actor;
  newId: () => string;
}
