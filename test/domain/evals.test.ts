import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { decideEvalCreate } from "../../src/domain/evals/decide/create.ts";
import { decideRecord, readResults } from "../../src/domain/evals/decide/record.ts";
import { decideEvalChange } from "../../src/domain/evals/decide/change.ts";
import { decideRetract, decideTrialTransition } from "../../src/domain/evals/decide/trial.ts";
import { decideTrials, type ReportedTrial } from "../../src/domain/evals/decide/trials.ts";
import type { EvalDecision } from "../../src/domain/evals/decision.ts";
import { EVAL_EVENT_PAYLOADS } from "../../src/domain/evals/events.ts";
import { type EvalState, foldEval, type RecordedEvalEvent } from "../../src/domain/evals/fold.ts";
import { decideInsight } from "../../src/domain/evals/insights.ts";
import {
  type EvalSnapshot,
  type HeldTrial,
  type TrialResult,
} from "../../src/domain/evals/snapshot.ts";
import { MODEL_ALONE, slotKey } from "../../src/domain/evals/slot.ts";
import { EVAL_TRANSITIONS, TRIAL_TRANSITIONS } from "../../src/domain/evals/transitions.ts";
import { RUN_TRANSITIONS } from "../../src/domain/lifecycle/runs.ts";
import { EVAL_STATUSES, TRIAL_STATUSES } from "../../src/domain/evals/statuses.ts";
import { RUN_STATES } from "../../src/domain/lifecycle/statuses.ts";
import type { Outcome, Refusal } from "../../src/domain/refusals.ts";
import { expectAccepted } from "./support/world.ts";

const NO_MAKER = { modelRevision: null, agent: null, agentRevision: null, provider: null };
const UNJUDGED: TrialResult = { status: "pending", score: null, error: null, outputDataId: null };

const evalIn = (status: EvalSnapshot["status"]): EvalSnapshot => ({
  id: "eval",
  taskId: "task",
  versionId: "version",
  name: "accuracy",
  k: 4,
  slotBy: MODEL_ALONE,
  status,
  twinOf: null,
});
const trialIn = (trial: Partial<HeldTrial> = {}): HeldTrial => ({
  id: "trial",
  k: 1,
  model: "solver",
  ...NO_MAKER,
  ...UNJUDGED,
  retracted: false,
  eventSeq: 2,
  usage: null,
  ...trial,
});
const reported = (trial: Partial<ReportedTrial> = {}): ReportedTrial => ({
  k: 1,
  model: "solver",
  ...NO_MAKER,
  ...trial,
});

const countingIds = (prefix = "id") => {
  let count = 0;
  return () => `${prefix}-${(count += 1)}`;
};
const record = (
  trials: readonly ReportedTrial[],
  {
    snapshot = evalIn("running"),
    live = [],
    newId = countingIds(),
  }: { snapshot?: EvalSnapshot; live?: HeldTrial[]; newId?: () => string } = {},
) =>
  decideTrials(snapshot, trials, {
    live,
    outputIds: new Set(["output"]),
    newId,
    isList: true,
    pathOf: (index) => ["trials", index],
  });

function expectRefused(outcome: Outcome<unknown>): Refusal {
  return outcome.ok ? expect.fail("expected a refusal") : outcome.refusal;
}

describe("an eval's status", () => {
  const pairs = EVAL_STATUSES.flatMap((from) => EVAL_STATUSES.map((to) => [from, to] as const));
  test.each(pairs)("from %s to %s follows the table", (from, to) => {
    const outcome = decideEvalChange(evalIn(from), { status: to, reason: "Why" });
    const allowed = EVAL_TRANSITIONS[from];
    if (from === to) {
      expect(expectRefused(outcome)).toMatchObject({ code: "already_in_status", done: true });
    } else if (allowed.includes(to)) {
      expect(expectAccepted(outcome)).toMatchObject({
        seenStatus: from,
        events: [
          {
            type: "eval_transitioned",
            fromStatus: from,
            toStatus: to,
            reason: "Why",
            trialId: null,
          },
        ],
      });
    } else {
      expect(expectRefused(outcome)).toMatchObject({
        code: "invalid_transition",
        from,
        to,
        allowed,
      });
    }
  });
});

describe("a trial's status", () => {
  const pairs = TRIAL_STATUSES.flatMap((from) => TRIAL_STATUSES.map((to) => [from, to] as const));
  test.each(pairs)("from %s to %s follows the table", (from, to) => {
    const trial = trialIn({ status: from, score: 0.5 });
    const outcome = decideTrialTransition(evalIn("running"), trial, { status: to }, new Set());
    const allowed = TRIAL_TRANSITIONS[from];
    if (from === to) {
      expect(expectRefused(outcome)).toMatchObject({ code: "already_in_status", done: true });
    } else if (allowed.includes(to)) {
      expect(expectAccepted(outcome)).toMatchObject({
        events: [
          {
            type: "trial_transitioned",
            trialId: "trial",
            fromStatus: "running",
            toStatus: "running",
            payload: { from, status: to },
          },
        ],
        change: { id: "trial", seenSeq: 2, result: { status: to }, retractReason: null },
      });
    } else {
      expect(expectRefused(outcome)).toMatchObject({
        code: "invalid_transition",
        from,
        to,
        allowed,
      });
    }
  });

  it("can be reported as passed or not, or as an error", () => {
    const statusAfter = (result: Parameters<typeof decideTrialTransition>[2]) =>
      expectAccepted(decideTrialTransition(evalIn("running"), trialIn(), result, new Set())).change
        ?.result.status;
    expect(statusAfter({ passed: true })).toBe("passed");
    expect(statusAfter({ passed: false })).toBe("failed");
    expect(statusAfter({ error: "Out of memory" })).toBe("errored");
    const withoutStatus = decideTrialTransition(evalIn("running"), trialIn(), {}, new Set());
    expect(expectRefused(withoutStatus)).toMatchObject({
      issues: [{ path: ["status"], code: "required" }],
    });
  });

  it("clears the error on a new run, and clears the score on an error", () => {
    const errored = trialIn({ status: "errored", error: "Out of memory" });
    const again = decideTrialTransition(
      evalIn("running"),
      errored,
      { status: "running" },
      new Set(),
    );
    expect(expectAccepted(again).change?.result).toMatchObject({ status: "running", error: null });
    const scored = trialIn({ status: "running", score: 0.4 });
    const erred = decideTrialTransition(evalIn("running"), scored, { error: "Lost" }, new Set());
    expect(expectAccepted(erred).change?.result).toMatchObject({ score: null, error: "Lost" });
  });

  it("does not change once the trial is retracted or the eval is cancelled", () => {
    const change = (snapshot: EvalSnapshot, trial: HeldTrial) =>
      expectRefused(decideTrialTransition(snapshot, trial, { passed: true }, new Set()));
    expect(change(evalIn("running"), trialIn({ retracted: true }))).toMatchObject({
      code: "invalid_transition",
      allowed: [],
    });
    expect(change(evalIn("cancelled"), trialIn())).toMatchObject({ code: "conflict" });
  });

  it("refuses an output that the task does not have", () => {
    const passWith = (outputDataId: string) =>
      decideTrialTransition(
        evalIn("running"),
        trialIn(),
        { passed: true, outputDataId },
        new Set(["output"]),
      );
    expect(expectAccepted(passWith("output")).change?.result.outputDataId).toBe("output");
    expect(expectRefused(passWith("elsewhere"))).toMatchObject({ code: "not_found" });
  });
});

describe("recording trials", () => {
  test.each(EVAL_STATUSES.filter((status) => status !== "cancelled"))(
    "is allowed while the eval is %s, and keeps that status",
    (status) => {
      const decision = expectAccepted(
        record([reported(), reported({ k: 2 })], { snapshot: evalIn(status) }),
      );
      expect(decision.events).toMatchObject([
        { type: "trials_recorded", fromStatus: status, toStatus: status },
      ]);
      expect(decision.trials).toHaveLength(2);
      const { trials } = EVAL_EVENT_PAYLOADS.trials_recorded.parse(decision.events[0]?.payload);
      expect(trials).toEqual(decision.trials);
    },
  );

  it("is refused on a cancelled eval", () => {
    const refusal = expectRefused(record([reported()], { snapshot: evalIn("cancelled") }));
    expect(refusal).toMatchObject({ code: "conflict", existing: { id: "eval" } });
  });

  test.each([
    ["k below 1", reported({ k: 0 }), ["trials", 0, "k"], "out_of_range"],
    ["k above the eval's", reported({ k: 5 }), ["trials", 0, "k"], "out_of_range"],
    [
      "a verdict and another status",
      reported({ passed: true, status: "failed" }),
      ["trials", 0, "passed"],
      "contradicts_status",
    ],
    [
      "a verdict and an error",
      reported({ passed: false, error: "Lost" }),
      ["trials", 0, "error"],
      "not_applicable",
    ],
    [
      "an error and a score",
      reported({ error: "Lost", score: 1 }),
      ["trials", 0, "score"],
      "not_applicable",
    ],
  ])("refuses %s", (_, trial, path, code) => {
    expect(expectRefused(record([trial]))).toMatchObject({
      code: "validation_failed",
      issues: [{ path, code }],
    });
  });

  it("refuses a slot that appears twice in one call", () => {
    const twice = [reported(), reported({ k: 2 }), reported({ modelRevision: "r2" })];
    expect(expectRefused(record(twice))).toMatchObject({
      code: "validation_failed",
      issues: [{ path: ["trials", 2], code: "repeated_slot" }],
    });
  });

  it("refuses a slot that a live trial holds, and names that trial and what differs", () => {
    const live = [trialIn({ modelRevision: "r1" })];
    const same = expectRefused(record([reported({ modelRevision: "r1" })], { live }));
    expect(same).toMatchObject({ code: "conflict", existing: { id: "trial" } });
    expect(same).toMatchObject({ differs: [], taken: [{ index: 0, outcome: "exists" }] });
    expect(same.detail).not.toContain("another");
    const other = expectRefused(record([reported({ modelRevision: "r2" })], { live }));
    const differs = [{ field: "modelRevision", existing: "r1", reported: "r2" }];
    const taken = [{ index: 0, outcome: "conflict", existing: { id: "trial" }, differs }];
    expect(other).toMatchObject({ code: "conflict", existing: { id: "trial" }, differs, taken });
    expect(other.detail).toContain("another modelRevision");
    expect(other.detail).toContain("slotBy model, modelRevision");
  });

  it("records all trials or none", () => {
    const live = [trialIn({ k: 3 })];
    expect(record([reported(), reported({ k: 3 })], { live }).ok).toBe(false);
  });
});

describe("retracting a trial", () => {
  test.each(EVAL_STATUSES)("is allowed while the eval is %s", (status) => {
    const decision = expectAccepted(
      decideRetract(evalIn(status), trialIn({ status: "passed" }), { reason: "Wrong prompt" }),
    );
    expect(decision).toMatchObject({
      events: [
        {
          type: "trial_retracted",
          reason: "Wrong prompt",
          payload: { k: 1, model: "solver", status: "passed" },
        },
      ],
      change: { retractReason: "Wrong prompt", result: { status: "passed" } },
    });
  });

  it("is refused the second time", () => {
    const again = decideRetract(evalIn("running"), trialIn({ retracted: true }), { reason: "Why" });
    expect(expectRefused(again)).toMatchObject({ code: "already_in_status" });
  });
});

describe("recording an evaluation", () => {
  const target = {
    task: { id: "task", versionId: "version", isArchived: false },
    name: "accuracy",
    k: 4,
    slotBy: undefined,
    complete: false,
    snapshot: null,
    live: [],
    outputIds: new Set<string>(),
  };
  const result = (k: number, passed: boolean, modelRevision: string | null = null) => ({
    ...reported({ k, modelRevision }),
    result: { ...UNJUDGED, status: passed ? ("passed" as const) : ("failed" as const) },
    usage: null,
  });
  const outcomesOf = (...given: Parameters<typeof decideRecord>) =>
    decideRecord(...given).outcomes.map(({ outcome }) => outcome);

  it("creates a running eval with its trials if there is none", () => {
    const { decision, outcomes } = decideRecord(
      target,
      [result(1, true), { ...result(2, false), usage: { tokens: 3 } }],
      countingIds(),
    );
    expect(outcomes).toMatchObject([{ outcome: "recorded" }, { outcome: "recorded" }]);
    expect(decision).toMatchObject({
      seenStatus: null,
      slotBy: MODEL_ALONE,
      opens: { name: "accuracy", k: 4 },
      events: [
        { type: "eval_created", fromStatus: null, toStatus: "running" },
        { type: "trials_recorded", fromStatus: "running", toStatus: "running" },
      ],
      insights: [{ model: "solver", status: "SUCCEEDED", usage: { tokens: 3 } }],
    });
    expect(decision?.insights[0]?.trialId).toBe(decision?.trials[1]?.id);
  });

  it("distinguishes a result that exists from one that contradicts it", () => {
    const live = [trialIn({ status: "passed", modelRevision: "r1" })];
    const existing = { ...target, snapshot: evalIn("completed"), live };
    const given = [
      result(1, true, "r1"),
      result(1, false, "r1"),
      result(1, true, "r2"),
      result(2, true),
      result(2, true),
      result(2, false),
    ];
    expect(outcomesOf(existing, given, countingIds())).toEqual([
      "exists",
      "conflict",
      "conflict",
      "recorded",
      "exists",
      "conflict",
    ]);
    const { decision } = decideRecord(existing, given.slice(0, 3), countingIds());
    expect(decision).toBe(null);
  });

  it("records nothing in an eval with other slots, on an archived task, or with another task's output", () => {
    const otherSlots = {
      ...target,
      slotBy: ["model", "agent"] as const,
      snapshot: evalIn("running"),
    };
    expect(outcomesOf(otherSlots, [result(1, true)], countingIds())).toEqual(["conflict"]);
    const archived = { ...target, task: { ...target.task, isArchived: true } };
    expect(outcomesOf(archived, [result(1, true)], countingIds())).toEqual(["conflict"]);
    const output = result(1, true);
    const withUnknownOutput = {
      ...output,
      result: { ...output.result, outputDataId: "elsewhere" },
    };
    expect(outcomesOf(target, [withUnknownOutput, output], countingIds())).toEqual([
      "not_found",
      "recorded",
    ]);
  });

  const eventsOf = ({ decision }: ReturnType<typeof decideRecord>) =>
    decision?.events.map(({ type, fromStatus, toStatus }) => [type, fromStatus, toStatus]);

  it("completes the eval after its last trials if asked to", () => {
    const completing = { ...target, complete: true };
    expect(eventsOf(decideRecord(completing, [result(1, true)], countingIds()))).toEqual([
      ["eval_created", null, "running"],
      ["trials_recorded", "running", "running"],
      ["eval_transitioned", "running", "completed"],
    ]);
    const running = { ...completing, snapshot: evalIn("running") };
    expect(eventsOf(decideRecord(running, [result(1, true)], countingIds()))).toEqual([
      ["trials_recorded", "running", "running"],
      ["eval_transitioned", "running", "completed"],
    ]);
    const live = [trialIn({ status: "passed" })];
    const repeated = decideRecord({ ...running, live }, [result(1, true)], countingIds());
    expect(repeated.outcomes).toMatchObject([{ outcome: "exists" }]);
    expect(eventsOf(repeated)).toEqual([["eval_transitioned", "running", "completed"]]);
  });

  test.each(EVAL_STATUSES)(
    "completes an eval that is %s only if its transitions allow it",
    (status) => {
      const existing = { ...target, complete: true, snapshot: evalIn(status) };
      const types = eventsOf(decideRecord(existing, [result(1, true)], countingIds()))?.map(
        ([type]) => type,
      );
      const completed = EVAL_TRANSITIONS[status].includes("completed") ? ["eval_transitioned"] : [];
      expect(types).toEqual(["trials_recorded", ...completed]);
    },
  );

  it("does not complete an eval that has none of the results", () => {
    const running = { ...target, complete: true, snapshot: evalIn("running") };
    const live = [trialIn({ status: "failed" })];
    const second = result(2, true);
    const withUnknownOutput = {
      ...second,
      result: { ...second.result, outputDataId: "elsewhere" },
    };
    for (const [existing, single] of [
      [{ ...running, live }, result(1, true)],
      [running, withUnknownOutput],
      [{ ...running, snapshot: null }, withUnknownOutput],
    ] as const) {
      expect(decideRecord(existing, [single], countingIds()).decision).toBe(null);
    }
  });

  it("requires a verdict or an error for each result, and a k within the eval's", () => {
    const read = (one: Partial<ReportedTrial>) =>
      readResults([{ ...reported(one), usage: null }], 2);
    expect(expectAccepted(read({ passed: false }))).toMatchObject([
      { result: { status: "failed" } },
    ]);
    expect(expectAccepted(read({ error: "Lost" }))).toMatchObject([
      { result: { status: "errored" } },
    ]);
    expect(expectRefused(read({}))).toMatchObject({
      issues: [{ path: ["results", 0, "passed"], code: "required" }],
    });
    expect(expectRefused(read({ k: 3, passed: true }))).toMatchObject({
      issues: [{ path: ["results", 0, "k"], code: "out_of_range" }],
    });
  });
});

describe("an insight's status", () => {
  const insight = (status: (typeof RUN_STATES)[number], output: unknown = null) => ({
    id: "insight",
    status,
    output,
    usage: null,
  });
  const pairs = RUN_STATES.flatMap((from) => RUN_STATES.map((to) => [from, to] as const));
  test.each(pairs)("from %s to %s follows the table, and can be repeated", (from, to) => {
    const outcome = decideInsight(insight(from), { status: to });
    const allowed = RUN_TRANSITIONS[from];
    if (from === to || allowed.includes(to)) {
      expect(expectAccepted(outcome).status).toBe(to);
    } else {
      expect(expectRefused(outcome)).toMatchObject({
        code: "invalid_transition",
        from,
        to,
        allowed,
      });
    }
  });

  it("that has ended accepts each missing value once", () => {
    const ended = insight("SUCCEEDED", "Forty-two");
    const usage = { tokens: 3 };
    expect(expectAccepted(decideInsight(ended, { usage }))).toEqual({ ...ended, usage });
    expect(expectRefused(decideInsight(ended, { output: "Other" }))).toMatchObject({
      code: "conflict",
      existing: { id: "insight" },
    });
    expect(expectRefused(decideInsight({ ...ended, usage }, { usage }))).toMatchObject({
      code: "conflict",
    });
  });
});

/** An eval's events and the state of its tables, updated together as the writer updates them. */
class EvalStory {
  readonly events: RecordedEvalEvent[] = [];
  tables: EvalState;
  readonly newId = countingIds();

  constructor() {
    const opened = decideEvalCreate(
      { taskId: "task", versionId: "version", name: "accuracy", k: 3, slotBy: MODEL_ALONE },
      { newId: this.newId },
    );
    this.tables = { ...evalIn("draft"), id: opened.evalId, k: 3, eventSeq: 0, trials: [] };
    this.apply(opened);
  }

  apply(decision: EvalDecision): void {
    const recorded = decision.events.map((event, index) => ({
      ...event,
      evalId: decision.evalId,
      taskId: decision.taskId,
      seq: this.tables.eventSeq + index + 1,
    }));
    this.events.push(...recorded);
    const eventSeq = this.events.length;
    const { change, trials } = decision;
    const added = trials.map((trial) => ({ ...trial, retracted: false, eventSeq }));
    this.tables = {
      ...this.tables,
      k: decision.raises?.k ?? this.tables.k,
      status: recorded.at(-1)?.toStatus ?? this.tables.status,
      eventSeq,
      trials: [
        ...this.tables.trials.map((trial) =>
          trial.id === change?.id
            ? { ...trial, ...change.result, retracted: change.retractReason !== null, eventSeq }
            : trial,
        ),
        ...added,
      ],
    };
  }

  attempt(outcome: Outcome<EvalDecision>): void {
    if (outcome.ok) this.apply(outcome.value);
  }
}

const anyMove = fc.oneof(
  fc.record({
    do: fc.constant("move" as const),
    status: fc.option(fc.constantFrom(...EVAL_STATUSES), { nil: undefined }),
    k: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
  }),
  fc.record({
    do: fc.constant("record" as const),
    trials: fc.array(
      fc.record({ k: fc.integer({ min: 1, max: 6 }), model: fc.constantFrom("a", "b") }),
      { minLength: 1, maxLength: 3 },
    ),
  }),
  fc.record({
    do: fc.constant("judge" as const),
    pick: fc.nat(),
    status: fc.constantFrom(...TRIAL_STATUSES),
    score: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
  }),
  fc.record({ do: fc.constant("retract" as const), pick: fc.nat() }),
);

describe("the history of an eval", () => {
  it("folds into the state of the tables after every event", () => {
    fc.assert(
      fc.property(fc.array(anyMove, { maxLength: 40 }), (moves) => {
        const story = new EvalStory();
        for (const move of moves) {
          const { tables } = story;
          const live = tables.trials
            .filter(({ retracted }) => !retracted)
            .map((trial) => ({ ...trial, usage: null }));
          const picked =
            "pick" in move ? tables.trials[move.pick % tables.trials.length] : undefined;
          if (move.do === "move") story.attempt(decideEvalChange(tables, move));
          if (move.do === "record") {
            const trials = move.trials.map((trial) => reported(trial));
            story.attempt(record(trials, { snapshot: tables, live, newId: story.newId }));
          }
          if (move.do === "judge" && picked !== undefined) {
            const { status, score } = move;
            story.attempt(decideTrialTransition(tables, picked, { status, score }, new Set()));
          }
          if (move.do === "retract" && picked !== undefined) {
            story.attempt(decideRetract(tables, picked, { reason: "Why" }));
          }
          expect(foldEval(story.events)).toEqual(story.tables);
          const slots = story.tables.trials
            .filter(({ retracted }) => !retracted)
            .map((trial) => slotKey(trial, story.tables.slotBy));
          expect(new Set(slots).size).toBe(slots.length);
        }
      }),
    );
  });

  it("throws if it contradicts itself", () => {
    const story = new EvalStory();
    story.attempt(record([reported({ k: 1 })], { snapshot: story.tables, newId: story.newId }));
    const [created, recorded] = story.events;
    if (created === undefined || recorded === undefined) expect.fail("expected two events");
    expect(() => foldEval([])).toThrow("without events");
    expect(() => foldEval([recorded])).toThrow("cannot be the first");
    expect(() => foldEval([created, { ...recorded, seq: 3 }])).toThrow("follows 1");
    expect(() => foldEval([created, { ...created, seq: 2, fromStatus: "draft" }])).toThrow(
      "exists",
    );
    expect(() => foldEval([created, { ...recorded, fromStatus: "queued" }])).toThrow(
      "but the eval is draft",
    );
    const stray = { ...recorded, type: "trial_retracted" as const, trialId: "unknown" };
    expect(() => foldEval([created, stray])).toThrow("does not have");
  });
});
