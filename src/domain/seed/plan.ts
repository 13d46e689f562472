import type { BulkIntent } from "../bulk/intent.ts";
import type { DataKind } from "../data/kinds.ts";
import type { SlotBy, TrialSlot } from "../evals/slot.ts";
import type { Usage } from "../evals/snapshot.ts";
import type { EvalStatus } from "../evals/statuses.ts";
import type {
  AdvanceCommand,
  EditCommand,
  GateCommand,
  ReworkCommand,
  TransitionCommand,
  VersionCommand,
} from "../lifecycle/commands.ts";
import type { TaskContent } from "../lifecycle/decision.ts";
import type { TaskFields } from "../lifecycle/snapshot.ts";
import type {
  ReviewKind,
  ReviewOutcome,
  RunState,
  StepStatus,
  WorkerType,
} from "../lifecycle/statuses.ts";
import type { Maker } from "../maker.ts";
import type { SeedOutcome } from "./mix.ts";
import type { SeedPerson } from "./people.ts";

/** The actor of everything that workers do. */
export const SERVICE = "service";

/** A whole story of one team. Applying its actions in order is lawful, and so is any order that keeps each task's own. */
export interface TeamPlan {
  people: readonly SeedPerson[];
  /** How each task ends. Its position is the task's number in the plan, in the order of creation. */
  outcomes: readonly SeedOutcome[];
  /** By time, and then in the order in which they were planned. */
  actions: readonly PlannedAction[];
}

/** Something that one actor does at one time. The times of a task's actions rise strictly. */
export interface PlannedAction {
  /** RFC 3339 in UTC, in whole seconds. */
  at: string;
  /** The key of a person, or `service`. */
  actor: string;
  /** The numbers of the tasks: one, but for bulk operations, their reverts, and evaluations. */
  tasks: readonly number[];
  act: PlannedAct;
}

type Template<Command, Replaced extends keyof Command = never> = Omit<
  Command,
  "target" | "runAttachedWorkflows" | Replaced
>;

/** A command without ids. No pipeline runs in a seed, and an original is named by its number. */
export type MoveTemplate =
  | (Template<TransitionCommand, "duplicateOf" | "payload"> & { duplicateOf?: number })
  | Template<GateCommand>
  | Template<AdvanceCommand>
  | Template<ReworkCommand>
  | Template<VersionCommand, "contentHash">;

/** The result of one trial of an evaluation over many tasks. */
export interface PlannedResult extends TrialSlot {
  task: number;
  passed?: boolean;
  score?: number;
  error?: string;
  usage: Usage;
}

/** A trial, by its slot. */
export interface PlannedTrial extends TrialSlot {
  score: number;
}

/** Each member of this union is one call of an action. Keys such as `run` are unique in the team's plan. */
export type PlannedAct =
  | { type: "create"; fields: TaskFields; content: TaskContent }
  | { type: "move"; command: MoveTemplate }
  | {
      type: "review";
      review: string;
      kind: ReviewKind;
      outcome: ReviewOutcome;
      notes: string;
      move?: { status: StepStatus; reason: string; duplicateOf?: number };
    }
  | { type: "withdraw"; review: string; reason: string }
  | { type: "note"; text: string }
  | { type: "edit"; changes: EditCommand["changes"] }
  | { type: "startRun"; run: string; worker: WorkerType }
  | {
      type: "report";
      run: string;
      state: RunState;
      verdict?: ReviewOutcome;
      result?: Readonly<Record<string, unknown>>;
      error?: string;
    }
  | { type: "prompt"; prompt: string; role: string; content: string; maker: Maker }
  | {
      type: "data";
      data: string;
      kind: DataKind;
      /** Begins with the prefix of the stage. Unique in the team. Nothing is stored there by the plan itself. */
      path: string;
      contentType: string;
      sizeBytes: number;
      maker: Maker | null;
      /** The key of the prompt that it answers. */
      prompt: string | null;
      /** The keys of the data that it was made from. */
      inputs: readonly string[];
    }
  | { type: "eval"; eval: string; name: string; k: number; slotBy: SlotBy }
  | { type: "moveEval"; eval: string; status: EvalStatus }
  | { type: "trials"; eval: string; trials: readonly PlannedTrial[] }
  | { type: "retract"; name: string; trial: TrialSlot; reason: string }
  | {
      type: "insight";
      kind: string;
      maker: Maker & { model: string };
      input: Readonly<Record<string, unknown>>;
      output: Readonly<Record<string, unknown>>;
      usage: Usage;
    }
  | { type: "bulk"; bulk: string; intent: BulkIntent; reason: string }
  | { type: "revert"; bulk: string; reason: string }
  | {
      type: "recordEvaluation";
      name: string;
      k: number;
      slotBy: SlotBy;
      /** Whether no more results of this evaluation follow for these tasks. */
      complete: boolean;
      results: readonly PlannedResult[];
    };
