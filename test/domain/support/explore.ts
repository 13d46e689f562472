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
  /** One task for each combination of stage, status, gate, standing verdict and running workers. */
  tasks: readonly TaskSnapshot[];
  /** One event for each type and change of status and gate that a command wrote. */
  events: readonly NewEvent[];
}

/**
 * Explores every state of a task: from each way of creating it, through every command, until no state is new. The files
 * that a worker runs share the result.
 */
export function explore(): Explored {
  return (explored ??= exploreAll());
}

let explored: Explored | undefined;

function exploreAll(): Explored {
  const tasks = new Map<string, TaskSnapshot>();
  const events = new Map<string, NewEvent>();
  const queue: TaskSnapshot[] = [];
  const visit = (reached: TaskSnapshot): void => {
    const key = JSON.stringify(factsOf(reached));
    if (tasks.has(key)) return;
    const task = normalized(reached);
    tasks.set(key, task);
    queue.push(task);
  };
  const at = minute(1);

  for (const task of newTasks()) visit(task);
  for (let task = queue.pop(); task !== undefined; task = queue.pop()) {
    const open = withEveryRun(task);
    for (const command of everyCommand(open)) {
      const outcome = decide(open, command, context("admin"));
      const accepted = outcome.ok ? outcome : decide(open, command, context("service"));
      if (!accepted.ok) continue;
      for (const event of accepted.value.events) {
        const { type, fromStatus, toStatus, fromGate, toGate } = event;
        events.set([type, fromStatus, toStatus, fromGate, toGate].join(), event);
      }
      visit(apply(open, accepted.value, at));
    }
  }
  return { tasks: [...tasks.values()], events: [...events.values()] };
}

function newTasks(): TaskSnapshot[] {
  const starts = STEP_KINDS.flatMap((kind) =>
    startStatuses(kind).map((status) => ({ kind, status, reason: "moved here" })),
  );
  return [undefined, ...starts].map((start) => {
    const creator = context("admin", "created");
    const creation = decideCreate({ fields: FIELDS, content: {}, contentHash: "", start }, creator);
    if (!creation.ok) throw new Error(`a task must be able to start as ${start?.status}`);
    return new Story(creation.value, creator.newId).task;
  });
}

/** Reduces the task to its current step, so that attempts and version numbers do not count as new states. */
function normalized(task: TaskSnapshot): TaskSnapshot {
  const { hold } = task.step;
  const step = {
    ...task.step,
    id: "step",
    versionId: "version",
    attempt: 1,
    hold: hold && { ...hold, seq: 1 },
    deferred: [],
  };
  const standingFailure = task.reviews.length === 0 ? [] : [factsOf(task).reviewFailed];
  return {
    ...task,
    eventSeq: 1,
    archivedAt: null,
    version: { id: "version", number: 1 },
    step,
    steps: [step],
    reviewSequence: standingFailure.length,
    reviews: standingFailure.map((failed) => ({
      sequence: 1,
      outcome: failed ? "failed" : "passed",
    })),
    openRuns: task.openRuns
      .filter(({ state }) => state === "RUNNING")
      .map(({ type, state }) => ({ id: `run-${type}`, type, state })),
  };
}

/** Adds a queued run of each type, so that every report is possible. */
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
    ...GATE_STATES.map((gate): Command => ({ type: "gate", gate, reason: "because" })),
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
        move: { status, reason: "because", runAttachedWorkflows },
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
