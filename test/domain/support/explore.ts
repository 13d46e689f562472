import { apply } from "../../../src/domain/lifecycle/apply.ts";
import type { Command } from "../../../src/domain/lifecycle/commands.ts";
import { decide } from "../../../src/domain/lifecycle/decide.ts";
import { decideCreate } from "../../../src/domain/lifecycle/decide/create.ts";
import type { NewEvent } from "../../../src/domain/lifecycle/decision.ts";
import type { TaskSnapshot } from "../../../src/domain/lifecycle/snapshot.ts";
import {
  FIRST_KINDS,
  GATE_STATES,
  REVIEW_OUTCOMES,
  STEP_KINDS,
  STEP_STATUSES,
  WORKER_TYPES,
} from "../../../src/domain/lifecycle/statuses.ts";
import { startStatuses } from "../../../src/domain/lifecycle/transitions.ts";
import { factsOf } from "../../../src/domain/status/resolve.ts";
import { context, FIELDS, minute, NOT_OFFERED, Story } from "./world.ts";

export interface Explored {
  /** One task for each combination of kind, status, gate, standing verdict and running workers. */
  tasks: readonly TaskSnapshot[];
  /** Every event that any command wrote on the way, once for each change of state. */
  events: readonly NewEvent[];
}

/** Everything that can come of a task: from each way of creating it, through every command, until nothing is new. */
export function explore(): Explored {
  const tasks = new Map<string, TaskSnapshot>();
  const events = new Map<string, NewEvent>();
  const queue: TaskSnapshot[] = [];
  const meet = (task: TaskSnapshot): void => {
    const key = JSON.stringify(factsOf(task));
    if (tasks.has(key)) return;
    tasks.set(key, task);
    queue.push(task);
  };

  for (const task of newTasks()) meet(task);
  for (let task = queue.pop(); task !== undefined; task = queue.pop()) {
    const open = withEveryRun(task);
    for (const command of everyCommand(open)) {
      const outcome = decide(open, command, context("admin"));
      const reported = outcome.ok ? outcome : decide(open, command, context("service"));
      if (!reported.ok) continue;
      for (const event of reported.value.events) {
        const { type, fromStatus, toStatus, fromGate, toGate } = event;
        events.set([type, fromStatus, toStatus, fromGate, toGate].join(), event);
      }
      meet(normalised(apply(open, reported.value, minute(1))));
    }
  }
  return { tasks: [...tasks.values()], events: [...events.values()] };
}

function newTasks(): TaskSnapshot[] {
  const starts = STEP_KINDS.flatMap((kind) =>
    startStatuses(kind).map((status) => ({ kind, status, reason: "moved here" })),
  );
  return [undefined, ...starts].map((start) => {
    const making = context("admin", "made");
    const creation = decideCreate({ fields: FIELDS, content: {}, contentHash: "", start }, making);
    if (!creation.ok) throw new Error("every start that a kind has must be possible");
    return normalised(new Story(creation.value, making.newId).task);
  });
}

/** The same task, told by its current step alone, so that attempts and numbers do not make it another. */
function normalised(task: TaskSnapshot): TaskSnapshot {
  const step = { ...task.step, id: "step", versionId: "version", attempt: 1 };
  const standing = task.reviews.length === 0 ? [] : [factsOf(task).reviewFailed];
  return {
    ...task,
    eventSeq: 1,
    archivedAt: null,
    version: { id: "version", number: 1 },
    step,
    steps: [step],
    reviewSequence: standing.length,
    reviews: standing.map((failed) => ({ sequence: 1, outcome: failed ? "failed" : "passed" })),
    openRuns: task.openRuns
      .filter(({ state }) => state === "RUNNING")
      .map(({ type, state }) => ({ id: `run-${type}`, type, state })),
  };
}

/** A queued run of each type stands ready, so that every report can come. */
function withEveryRun(task: TaskSnapshot): TaskSnapshot {
  const queued = WORKER_TYPES.map((type) => ({
    id: `queued-${type}`,
    type,
    state: "QUEUED" as const,
  }));
  return { ...task, openRuns: [...task.openRuns, ...queued] };
}

function everyCommand(task: TaskSnapshot): Command[] {
  const runAttachedWorkflows = false;
  const commands: Command[] = [
    ...STEP_STATUSES.map((status): Command => ({
      type: "transition",
      status,
      reason: "because",
      runAttachedWorkflows,
    })),
    ...GATE_STATES.map((gate): Command => ({ type: "gate", gate })),
    ...[false, true].map((hold): Command => ({ type: "advance", hold, runAttachedWorkflows })),
    ...STEP_KINDS.map((toKind): Command => ({
      type: "rework",
      toKind,
      reason: "again",
      runAttachedWorkflows,
    })),
    ...FIRST_KINDS.map((firstKind): Command => ({
      type: "version",
      content: {},
      contentHash: "",
      reason: "new brief",
      firstKind,
      runAttachedWorkflows,
    })),
    ...REVIEW_OUTCOMES.flatMap((outcome) => [
      { type: "review", kind: "expert", outcome } satisfies Command,
      ...STEP_STATUSES.map((status): Command => ({
        type: "review",
        kind: "expert",
        outcome,
        move: { status, runAttachedWorkflows },
      })),
    ]),
  ];
  for (const { id, type, state } of task.openRuns) {
    const run = { id, type, state, stepId: task.step.id, ...NOT_OFFERED };
    commands.push({ type: "report", run, state: "RUNNING" });
    commands.push({ type: "report", run, state: "FAILED" });
    commands.push({ type: "report", run, state: "CANCELLED" });
    commands.push({ type: "report", run, state: "SUCCEEDED" });
    for (const verdict of REVIEW_OUTCOMES) {
      commands.push({ type: "report", run, state: "SUCCEEDED", verdict });
    }
  }
  return commands;
}
