import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Command } from "../../src/domain/lifecycle/commands.ts";
import { planBulk } from "../../src/domain/bulk/plan.ts";
import { BULK_TARGETS } from "../../src/domain/bulk/matrix.ts";
import { apply } from "../../src/domain/lifecycle/apply.ts";
import { decideCreate } from "../../src/domain/lifecycle/decide/create.ts";
import type { RecordedEvent } from "../../src/domain/lifecycle/fold.ts";
import { evolve, fold } from "../../src/domain/lifecycle/fold.ts";
import { lawfulMoves } from "../../src/domain/lifecycle/moves.ts";
import type { RunFact, TaskSnapshot } from "../../src/domain/lifecycle/snapshot.ts";
import type { WorkerType } from "../../src/domain/lifecycle/statuses.ts";
import {
  FIRST_KINDS,
  GATE_STATES,
  REVIEW_OUTCOMES,
  RUN_STATES,
  STATUS_RELEVANT_WORKER_TYPES,
  STEP_KINDS,
  STEP_STATUSES,
  WORKER_TYPES,
} from "../../src/domain/lifecycle/statuses.ts";
import { startStatuses } from "../../src/domain/lifecycle/transitions.ts";
import { factsOf, resolve } from "../../src/domain/status/resolve.ts";
import {
  context,
  expectAccepted,
  FIELDS,
  minute,
  NOT_OFFERED,
  recordEvents,
  Story,
} from "./support/world.ts";

function newStory(start?: Parameters<typeof decideCreate>[0]["start"]): Story {
  const adminContext = context("admin");
  const input = { fields: FIELDS, content: {}, contentHash: "abc", start };
  return new Story(expectAccepted(decideCreate(input, adminContext)), adminContext.newId);
}

/** Returns the open runs that the history records: those that a label depends on. */
function runsInHistory(task: Pick<TaskSnapshot, "openRuns">): RunFact[] {
  const relevant: readonly WorkerType[] = STATUS_RELEVANT_WORKER_TYPES;
  return task.openRuns
    .filter(({ state, type }) => state === "RUNNING" && relevant.includes(type))
    .toSorted((one, other) => (one.id < other.id ? -1 : 1));
}

/** Expects the fold to equal the snapshot, apart from dispatches and what other tasks name, which the history does not record. */
function expectFoldAgrees({ task, events }: Story): void {
  const state = fold(events);
  const { alreadyDispatched, namedBy } = task;
  expect({ ...state, alreadyDispatched, namedBy, openRuns: runsInHistory(state) }).toEqual({
    ...task,
    openRuns: runsInHistory(task),
    sealedSteps: state.sealedSteps,
  });
  expect(state.openRuns).toHaveLength(runsInHistory(task).length);
  expect(resolve(factsOf(state))).toBe(resolve(factsOf(task)));
}

/** One step of a random walk. `pick` chooses among the moves that are lawful at that time. */
const anyStep = fc.oneof(
  { weight: 20, arbitrary: fc.record({ do: fc.constant("lawful" as const), pick: fc.nat() }) },
  fc.record({ do: fc.constant("transition" as const), status: fc.constantFrom(...STEP_STATUSES) }),
  fc.record({ do: fc.constant("gate" as const), gate: fc.constantFrom(...GATE_STATES) }),
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("advance" as const), hold: fc.boolean() }),
  },
  fc.record({ do: fc.constant("rework" as const), toKind: fc.constantFrom(...STEP_KINDS) }),
  fc.record({ do: fc.constant("version" as const), firstKind: fc.constantFrom(...FIRST_KINDS) }),
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("review" as const),
      outcome: fc.constantFrom(...REVIEW_OUTCOMES),
      status: fc.option(fc.constantFrom(...STEP_STATUSES)),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("report" as const),
      pick: fc.nat(),
      type: fc.constantFrom(...WORKER_TYPES),
      state: fc.constantFrom(...RUN_STATES),
      verdict: fc.constantFrom(...REVIEW_OUTCOMES),
    }),
  },
  fc.record({
    do: fc.constant("edit" as const),
    title: fc.string({ maxLength: 3 }),
    assignee: fc.option(fc.string({ maxLength: 1 })),
  }),
  fc.record({ do: fc.constantFrom("archive" as const, "restore" as const, "note" as const) }),
  fc.record({ do: fc.constant("bulk" as const), target: fc.constantFrom(...BULK_TARGETS) }),
);
type AnyStep = typeof anyStep extends fc.Arbitrary<infer Step> ? Step : never;

/** Returns the command of a step of the walk. Bulk changes go through the planner instead. */
function commandOf(step: Exclude<AnyStep, { do: "bulk" }>, story: Story): Command {
  const runAttachedWorkflows = true;
  switch (step.do) {
    case "lawful": {
      // Mostly moves on, so that walks get far: restores archived tasks, advances, reworks ended steps.
      if (story.task.archivedAt !== null) return { type: "restore" };
      const { advance, transitions } = lawfulMoves(story.task);
      if (advance && step.pick % 3 > 0) return { type: "advance", runAttachedWorkflows };
      const onward = transitions.filter((next) => next !== "rejected" && next !== "duplicate");
      const status = onward[step.pick % Math.max(1, onward.length)];
      if (status === undefined) {
        return { type: "rework", toKind: story.task.step.kind, reason: "r", runAttachedWorkflows };
      }
      return { type: "transition", status, reason: "r", payload: { a: 1 }, runAttachedWorkflows };
    }
    case "transition":
      return { type: "transition", status: step.status, runAttachedWorkflows };
    case "gate":
      return { type: "gate", gate: step.gate, reason: "r" };
    case "advance":
      return { type: "advance", hold: step.hold, runAttachedWorkflows };
    case "rework":
      return { type: "rework", toKind: step.toKind, reason: "r", runAttachedWorkflows };
    case "version":
      return {
        type: "version",
        content: {},
        contentHash: "def",
        reason: "r",
        firstKind: step.firstKind,
        runAttachedWorkflows,
      };
    case "review":
      return {
        type: "review",
        kind: "expert",
        outcome: step.outcome,
        ...(step.status !== null && {
          move: { status: step.status, reason: "r", runAttachedWorkflows },
        }),
      };
    case "report": {
      const { openRuns } = story.task;
      const run = openRuns[step.pick % (openRuns.length + 1)] ?? story.openRun(step.type);
      const judges = run.type === "QUALITY_AUTOMATION" && step.state === "SUCCEEDED";
      return {
        type: "report",
        run: { ...run, ...NOT_OFFERED, stepId: story.task.step.id },
        state: step.state,
        ...(judges && { verdict: step.verdict }),
      };
    }
    case "edit":
      return { type: "edit", changes: { title: step.title, assignee: step.assignee } };
    case "archive":
    case "restore":
      return { type: step.do };
    case "note":
      return { type: "note", text: "n" };
  }
}

function walk(story: Story, step: AnyStep): void {
  if (step.do === "bulk") {
    const { task } = story;
    const { items } = planBulk(
      {
        taskIds: [task.id],
        snapshots: new Map([[task.id, task]]),
        intent: { targetStatus: step.target },
        reason: "r",
        duplicateOf: null,
        runAttachedWorkflows: false,
      },
      context("reviewer", `bulk-${task.eventSeq}`),
    );
    for (const item of items) {
      if (item.decision === "refused") continue;
      const at = minute(story.events.length + 1);
      story.events.push(...recordEvents(task, item.change, at));
      story.task = apply(task, item.change, at);
    }
    return;
  }
  const command = commandOf(step, story);
  story.attempt(command, command.type === "report" ? "service" : "admin");
}

const anyStart = fc.option(
  fc
    .constantFrom(...STEP_KINDS)
    .chain((kind) =>
      fc.constantFrom(...startStatuses(kind)).map((status) => ({ kind, status, reason: "moved" })),
    ),
  { nil: undefined },
);

describe("the fold of a history", () => {
  test("agrees with the snapshot after every step of a random walk", () => {
    fc.assert(
      fc.property(anyStart, fc.array(anyStep, { maxLength: 40, size: "max" }), (start, steps) => {
        const story = newStory(start);
        expectFoldAgrees(story);
        for (const step of steps) {
          walk(story, step);
          expectFoldAgrees(story);
        }
      }),
      { numRuns: 1_000, verbose: 1 },
    );
  });

  test("numbers events without a gap, each starting from its step's previous status and gate", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 60, size: "max" }), (steps) => {
        const story = newStory();
        for (const step of steps) walk(story, step);
        expect(story.events.map(({ seq }) => seq)).toEqual(
          story.events.map((_, index) => index + 1),
        );
        const states = new Map<string, string>();
        for (const { stepId, fromStatus, fromGate, toStatus, toGate } of story.events) {
          const before = states.get(stepId);
          expect(fromStatus === null ? undefined : `${fromStatus} ${fromGate}`).toBe(before);
          states.set(stepId, `${toStatus} ${toGate}`);
        }
      }),
      { numRuns: 150, verbose: 1 },
    );
  });

  test("of the events up to a time is the state at that time", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 25, size: "max" }), (steps) => {
        const story = newStory();
        const seen = [story.task];
        for (const step of steps) {
          walk(story, step);
          seen.push(story.task);
        }
        for (const snapshot of seen) {
          const state = fold(story.events.slice(0, snapshot.eventSeq));
          expect(state.step).toEqual(snapshot.step);
          expect(state.statusSince).toBe(snapshot.statusSince);
          expect(state.reviews).toEqual(snapshot.reviews);
        }
      }),
      { numRuns: 100, verbose: 1 },
    );
  });

  test("gives the same state event by event as from the whole history", () => {
    const story = newStory();
    story.attempt({ type: "transition", status: "running", runAttachedWorkflows: false });
    const [first, second] = story.events;
    if (first === undefined || second === undefined) expect.fail("expected two events");
    expect(evolve(fold([first]), second)).toEqual(fold([first, second]));
  });

  test("separates the steps of sealed versions", () => {
    const story = newStory({ kind: "pre_qa", reason: "moved" });
    const sealedStep = story.task.step;
    story.attempt({
      type: "version",
      content: {},
      contentHash: "def",
      reason: "r",
      runAttachedWorkflows: false,
    });
    const state = fold(story.events);
    expect(state.version.number).toBe(2);
    expect(state.steps.map(({ kind }) => kind)).toEqual(["authoring"]);
    expect(state.sealedSteps).toEqual([sealedStep]);
  });

  test("keeps statusSince through a gate change, a note or an edit", () => {
    const story = newStory();
    const since = story.task.statusSince;
    story.attempt({ type: "gate", gate: "blocked", reason: "wait" });
    story.attempt({ type: "note", text: "n" });
    story.attempt({ type: "edit", changes: { priority: 2 } });
    expect(fold(story.events)).toMatchObject({ statusSince: since, updatedAt: minute(4) });
    story.attempt({ type: "transition", status: "running", runAttachedWorkflows: false });
    expect(fold(story.events).statusSince).toBe(minute(5));
  });

  test("drops the reviews of a step that the task left", () => {
    const story = newStory({ kind: "pre_qa", reason: "moved" });
    story.attempt({ type: "review", kind: "expert", outcome: "failed" });
    expect(fold(story.events).reviews).toEqual([{ sequence: 1, outcome: "failed" }]);
    story.attempt({ type: "rework", toKind: "pre_qa", reason: "r", runAttachedWorkflows: false });
    expect(fold(story.events)).toMatchObject({ reviews: [], reviewSequence: 1 });
  });

  test("drops the runs that an event cancelled", () => {
    const story = newStory({ kind: "pre_qa", reason: "moved" });
    const run = story.openRun("QUALITY_AUTOMATION");
    story.attempt(
      {
        type: "report",
        run: { ...run, ...NOT_OFFERED, stepId: story.task.step.id },
        state: "RUNNING",
      },
      "service",
    );
    expect(resolve(factsOf(fold(story.events)))).toBe("CHECKING_QUALITY");
    expect(fold(story.events).openRuns).toHaveLength(1);
    const reason = "off topic";
    story.attempt({ type: "transition", status: "rejected", reason, runAttachedWorkflows: false });
    expect(fold(story.events).openRuns).toEqual([]);
  });
});

describe("a history that contradicts itself", () => {
  const story = newStory();
  story.attempt({ type: "transition", status: "running", runAttachedWorkflows: false });
  story.attempt({ type: "transition", status: "failed", runAttachedWorkflows: false });

  const tampered = (index: number, change: Partial<RecordedEvent>): RecordedEvent[] =>
    story.events.map((event, at) => (at === index ? { ...event, ...change } : event));

  test.each([
    ["is empty", [], "without events"],
    ["lacks its beginning", story.events.slice(1), "cannot be the first"],
    ["has a gap", story.events.filter(({ seq }) => seq !== 2), "follows 1"],
    ["creates the task twice", tampered(1, { type: "task_created" }), "creates a task that exists"],
    [
      "leaves a status that the step did not have",
      tampered(2, { fromStatus: "queued" }),
      "leaves queued",
    ],
    ["leaves a gate that the step did not have", tampered(2, { fromGate: "passed" }), "and passed"],
    ["names an unknown step", tampered(1, { stepId: "unknown" }), "does not have"],
    ["opens a step a second time", tampered(0, { fromStatus: "queued" }), "opens a step twice"],
    ["has a payload of another type", tampered(1, { payload: { data: 3 } }), "expected record"],
  ])("throws if it %s", (_, events, message) => {
    expect(() => fold(events)).toThrow(message);
  });
});

test("a payment is dispatched once per version, and a new version starts without one", () => {
  const story = newStory({ kind: "expert_review", reason: "moved" });
  story.attempt({ type: "transition", status: "approved", runAttachedWorkflows: true });
  story.attempt({ type: "advance", runAttachedWorkflows: true });
  expect(story.task.alreadyDispatched).toContain("payment");
  story.attempt({
    type: "version",
    content: {},
    contentHash: "def",
    reason: "r",
    runAttachedWorkflows: true,
  });
  expect(story.task.alreadyDispatched).toEqual([]);
});

test("apply does not change the snapshot that it is given", () => {
  const story = newStory({ kind: "expert_review", reason: "moved" });
  const before = structuredClone(story.task);
  const { task } = story;
  story.attempt({ type: "transition", status: "approved", runAttachedWorkflows: true });
  expect(task).toEqual(before);
  expect(story.task.alreadyDispatched).toContain("payment");
});
