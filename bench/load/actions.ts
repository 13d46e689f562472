import { contentHash } from "../../src/actions/tasks/content-hash.ts";
import type { Actor } from "../../src/domain/actor.ts";
import type { Command } from "../../src/domain/lifecycle/commands.ts";
import type { ReviewOutcome, StepStatus } from "../../src/domain/lifecycle/statuses.ts";
import { FIELD_PLACEHOLDERS } from "./placeholders.ts";
import { type WalkStart, Walk, type WalkedRun } from "./walk.ts";

// The actions of people and machines from which the archetypes are composed. Each applies an action to a walk, some
// minutes after the previous one, and returns the walk.

const OPERATOR: Actor = {
  id: "key:intake",
  name: "Intake desk",
  kind: "key",
  role: "operator",
};
const AUTHOR: Actor = {
  id: "person:author",
  name: "Anke Brandt",
  kind: "person",
  role: "operator",
};
export const REVIEWER: Actor = {
  id: "person:reviewer",
  name: "Réka Novák",
  kind: "person",
  role: "reviewer",
};
const MACHINE: Actor = {
  id: "key:machines",
  name: "Quality and generation",
  kind: "service",
  role: "service",
};

const CONTENT = {
  brief: "Solve the problem in full and state every assumption that the solution rests on.",
  instructions:
    "Work in numbered steps. Each step cites the one that it follows from. Give the result in its simplest form, with its unit, and check it by a second way that shares no step with the first. If the problem has several solutions, give all of them and say why there are no others.",
  metadata: { language: "en", difficulty: 3, tags: ["reasoning", "long-form"] },
};
const CONTENT_REVISED = {
  ...CONTENT,
  brief: "Solve the problem in full. The second condition has been put more precisely.",
  metadata: { ...CONTENT.metadata, difficulty: 4 },
};

/** A task from another system that starts at the stage that it had reached there. */
export function imported(start: NonNullable<WalkStart["start"]>, priority = 0): Walk {
  return new Walk({ actor: REVIEWER, content: CONTENT, priority, isImported: true, start });
}

/** A task that is written here from scratch. */
export function written(priority = 0): Walk {
  return new Walk({ actor: OPERATOR, content: CONTENT, priority, isImported: false });
}

export const moved = (walk: Walk, status: StepStatus, minutes: number, reason?: string): Walk =>
  walk.act(REVIEWER, { type: "transition", status, reason, runAttachedWorkflows: false }, minutes);

export const advanced = (walk: Walk, minutes = 2): Walk =>
  walk.act(OPERATOR, { type: "advance", runAttachedWorkflows: false }, minutes);

export const assigned = (walk: Walk): Walk =>
  walk.act(OPERATOR, { type: "edit", changes: { assignee: FIELD_PLACEHOLDERS.assignee } }, 11);

export const noted = (walk: Walk, text: string): Walk =>
  walk.act(AUTHOR, { type: "note", text }, 35);

export const archived = (walk: Walk): Walk =>
  walk.act(REVIEWER, { type: "archive", reason: "Closed with its batch." }, 2_000);

/** Takes the task from ingestion to the quality check. */
export function authored(walk: Walk): Walk {
  moved(walk, "running", 4);
  moved(walk, "awaiting_review", 3);
  moved(walk, "approved", 20);
  advanced(walk);
  moved(walk, "running", 60);
  moved(walk, "awaiting_review", 190);
  moved(walk, "approved", 45);
  return advanced(walk);
}

/** Takes the task to calibration, where a machine is scoring it. */
export function calibrating(walk: Walk): Walk {
  const calibration = advanced(walk);
  const run = calibration.openRun(MACHINE, "POST_QA_SCORING", 1);
  calibration.report(MACHINE, run, { state: "RUNNING" }, 25);
  return calibration;
}

/** Starts a quality check and returns its run. */
export function checking(walk: Walk): WalkedRun {
  const run = walk.openRun(MACHINE, "QUALITY_AUTOMATION", 1);
  walk.report(MACHINE, run, { state: "RUNNING" }, 2);
  return run;
}

export function checked(walk: Walk, verdict: ReviewOutcome): Walk {
  const score = verdict === "passed" ? 0.94 : 0.41;
  const report = { state: "SUCCEEDED", verdict, result: { score, checks: 12 } } as const;
  return walk.report(MACHINE, checking(walk), report, 6);
}

export const waived = (walk: Walk): Walk =>
  walk.act(REVIEWER, { type: "gate", gate: "waived", reason: "Checked by hand before." }, 10);

/** Starts the generation of output and returns its run. */
export function generating(walk: Walk): WalkedRun {
  const run = walk.openRun(MACHINE, "OUTPUT_GENERATION", 1);
  walk.report(MACHINE, run, { state: "RUNNING" }, 3);
  return run;
}

/** Generates the output. The worker does not report before it has finished. */
export function generated(walk: Walk): Walk {
  const run = walk.openRun(MACHINE, "OUTPUT_GENERATION", 1);
  return walk.report(MACHINE, run, { state: "SUCCEEDED", result: { tokens: 1832 } }, 14);
}

export function generationFailed(walk: Walk): Walk {
  const error = "The model ended its answer before the result.";
  return walk.report(MACHINE, generating(walk), { state: "FAILED", error }, 9);
}

/** Records an expert's review with the move that follows from it. */
export function reviewed(walk: Walk, outcome: ReviewOutcome, status: StepStatus): Walk {
  const notes =
    outcome === "passed" ? "Complete and correct." : "The second way shares a step with the first.";
  const command: Command = {
    type: "review",
    kind: "expert",
    outcome,
    notes,
    move: { status, reason: notes, runAttachedWorkflows: false },
  };
  return walk.act(REVIEWER, command, 75);
}

export function sentBack(walk: Walk, toKind: "authoring" | "output_generation"): Walk {
  const reason = "The review found a gap.";
  return walk.act(REVIEWER, { type: "rework", toKind, reason, runAttachedWorkflows: false }, 30);
}

/** Creates a new version, which starts with a quality check. */
export function revised(walk: Walk, by: Actor = AUTHOR): Walk {
  const command: Command = {
    type: "version",
    content: CONTENT_REVISED,
    contentHash: contentHash(CONTENT_REVISED),
    reason: "The problem was put more precisely.",
    firstKind: "pre_qa",
    runAttachedWorkflows: false,
  };
  return walk.act(by, command, 600);
}
