import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { RecordedEvaluation } from "../../src/actions/evals/record-evaluation.ts";
import type { EvalSummary } from "../../src/actions/evals/summarize-evals.ts";
import type { TrialView } from "../../src/actions/views/eval-view.ts";
import type { EvalRecord } from "../../src/db/evals/eval-json.ts";
import { expectDone, freshApi, type TestApi } from "../support/api.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { expectHistoryMatches } from "../routes/evals/support.ts";

const { seed } = inject("stack");

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});
afterAll(() => expectInvariantsHold(api.database));

/** A result as a caller sends it. It ends a trial, so that a repeat can be equal. */
interface Result {
  k: number;
  model: string;
  modelRevision?: string | undefined;
  agent?: string | undefined;
  passed?: boolean | undefined;
  score?: number | undefined;
  error?: string | undefined;
  usage?: object | undefined;
}

/** One trial as the oracle knows it. */
interface Known extends Result {
  id: string;
  retracted: boolean;
}

interface KnownEval {
  slotBy: readonly string[];
  k: number;
  trials: Known[];
}

const maybe = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { nil: undefined });
const outcome = fc.oneof(
  fc.record({ passed: fc.boolean(), score: maybe(fc.constantFrom(0, 0.5, 1e300)) }),
  fc.record({ score: fc.constantFrom(0, -0.25, 0.5) }),
  fc.record({ error: fc.constantFrom("Lost", "Out of memory") }),
);
const result = fc
  .record({
    k: fc.integer({ min: 1, max: 3 }),
    model: fc.constantFrom("a", "b"),
    modelRevision: maybe(fc.constantFrom("r1", "r2")),
    agent: maybe(fc.constantFrom("x", '["a"]')),
    usage: maybe(fc.constantFrom({ tokens: 1 }, { tokens: 1, cost: null }, {})),
    outcome,
  })
  .map(({ outcome: reported, ...rest }): Result => ({ ...rest, ...reported }));
const slotBy = fc.constantFrom(["model"], ["model", "agent"], ["model", "modelRevision", "agent"]);

const call = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("record" as const),
      k: fc.integer({ min: 1, max: 4 }),
      slotBy: maybe(slotBy),
      results: fc.array(result, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("trial" as const), result }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("retract" as const), pick: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("raise" as const), k: fc.integer({ min: 1, max: 6 }) }),
  },
);
type Call = typeof call extends fc.Arbitrary<infer Value> ? Value : never;

const slotOf = (one: Result, by: readonly string[]) =>
  JSON.stringify([one.k, ...by.map((member) => one[member as keyof Result] ?? null)]);
/** The whole of a result, with its members in one order. */
const wholeOf = ({ k, model, modelRevision, agent, passed, score, error, usage }: Result) =>
  JSON.stringify(
    [k, model, modelRevision, agent, passed, score, error, usage].map((x) => x ?? null),
  );
const holderOf = ({ trials, slotBy: by }: KnownEval, one: Result) =>
  trials.find((trial) => !trial.retracted && slotOf(trial, by) === slotOf(one, by));

/** The rules in a few lines: what each result of a record becomes. Changes the eval that it returns. */
function expected(known: KnownEval | null, { k, slotBy: by, results }: Call & { do: "record" }) {
  if (known !== null && by !== undefined && by.join() !== known.slotBy.join()) {
    return { known, outcomes: results.map(() => "conflict") };
  }
  const after = known ?? { slotBy: by ?? ["model"], k, trials: [] };
  const outcomes = results.map((one) => {
    const holder = holderOf(after, one);
    if (holder !== undefined) return wholeOf(holder) === wholeOf(one) ? "exists" : "conflict";
    after.trials.push({ ...one, id: "", retracted: false });
    return "recorded";
  });
  if (outcomes.some((one) => one !== "conflict")) after.k = Math.max(after.k, k);
  return { known: after, outcomes };
}

const record = (task: string, body: object, results: readonly Result[]) =>
  api.call<RecordedEvaluation>("POST", "/evals/record", {
    body: { name: "oracle", ...body, results: results.map((one) => ({ task, ...one })) },
  });
const theEval = async (task: string) =>
  expectDone(await api.call<{ data: EvalRecord[] }>("GET", `/evals?task=${task}`)).data[0];

/** Makes one call, and expects what the oracle says. */
async function expectStep(task: string, known: KnownEval | null, step: Call) {
  if (step.do === "record") {
    const results = step.results.map((one) => ({ ...one, k: Math.min(one.k, step.k) }));
    const wanted = expected(known, { ...step, results });
    const { k, slotBy: by } = step;
    const { items } = expectDone(await record(task, { k, slotBy: by }, results));
    expect(items.map((item) => item.outcome)).toEqual(wanted.outcomes);
    for (const [index, item] of items.entries()) {
      const trial =
        results[index] === undefined ? undefined : holderOf(wanted.known, results[index]);
      if (item.outcome === "recorded" && trial !== undefined) trial.id = item.trialId ?? "";
      if (item.outcome === "exists") expect(item.trialId).toBe(trial?.id);
      if (item.outcome === "conflict" && item.existing !== undefined) {
        expect(item.existing.id).toBe(trial?.id);
        expect(item.differs?.length).toBeGreaterThan(0);
      }
    }
    return wanted.known;
  }
  if (known === null) return known;
  const opened = await theEval(task);
  if (step.do === "raise") {
    const answer = await api.call("PATCH", `/evals/${opened?.id}`, { body: { k: step.k } });
    expect(answer.status).toBe(step.k > known.k ? 200 : 409);
    known.k = Math.max(known.k, step.k);
  }
  if (step.do === "trial") {
    const { usage: _, ...body } = step.result;
    const answer = await api.call<TrialView>("POST", `/evals/${opened?.id}/trials`, { body });
    if (body.k > known.k) expect(answer.status).toBe(400);
    else if (holderOf(known, body) !== undefined) expect(answer.status).toBe(409);
    else known.trials.push({ ...body, id: expectDone(answer, 201).id, retracted: false });
  }
  const live = known.trials.filter(({ retracted }) => !retracted);
  if (step.do === "retract" && live.length > 0) {
    const picked = live[step.pick % live.length];
    const body = { reason: "Wrong prompt" };
    expectDone(await api.call("POST", `/trials/${picked?.id}/retract`, { body }));
    if (picked !== undefined) picked.retracted = true;
  }
  return known;
}

/** The figures of a summary, added up by hand. */
function figuresOf({ trials, slotBy: by }: KnownEval) {
  const live = trials.filter(({ retracted }) => !retracted);
  const bySlot = Map.groupBy(live, (trial) => slotOf({ ...trial, k: 0 }, by));
  return new Map(
    [...bySlot].map(([slot, group]) => {
      const judged = group.filter(({ passed }) => passed !== undefined);
      const scores = group.flatMap(({ score, error }) =>
        score === undefined || error !== undefined ? [] : [score],
      );
      const passed = judged.filter((trial) => trial.passed === true).length;
      const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
      return [
        slot,
        {
          n: judged.length,
          c: passed,
          errored: group.filter(({ error }) => error !== undefined).length,
          passAt1: judged.length === 0 ? null : passed / judged.length,
          scores: scores.length === 0 ? null : { n: scores.length, mean },
        },
      ];
    }),
  );
}

async function expectSummary(task: string, known: KnownEval): Promise<void> {
  const opened = await theEval(task);
  const summary = expectDone(await api.call<EvalSummary>("GET", `/evals/${opened?.id}/summary`));
  const figures = figuresOf(known);
  expect(summary.models).toHaveLength(figures.size);
  for (const { slot, n, c, errored, passAt, scores } of summary.models) {
    expect(Object.keys(slot).toSorted()).toEqual([...known.slotBy].toSorted());
    const key = JSON.stringify([0, ...known.slotBy.map((by) => slot[by as keyof typeof slot])]);
    const wanted = figures.get(key);
    expect({ n, c, errored }).toEqual({ n: wanted?.n, c: wanted?.c, errored: wanted?.errored });
    if (typeof wanted?.passAt1 === "number") expect(passAt["1"]).toBeCloseTo(wanted.passAt1, 12);
    else expect(passAt["1"]).toBeNull();
    expect(scores?.n).toBe(wanted?.scores?.n);
    const mean = wanted?.scores?.mean ?? 0;
    if (scores) expect(Math.abs(scores.mean - mean)).toBeLessThanOrEqual(Math.abs(mean) * 1e-12);
  }
}

describe("the service and a small oracle", () => {
  test(`agree on every outcome, trial, k and figure (SEED=${seed})`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 4, maxLength: 12 }), async (steps) => {
        const { id: task } = await api.givenTask();
        let known: KnownEval | null = null;
        for (const step of steps) known = await expectStep(task, known, step);
        const opened = await theEval(task);
        if (known === null || opened === undefined) return;
        expect(opened).toMatchObject({ k: known.k, slotBy: known.slotBy });
        const { trials } = await expectHistoryMatches(api, opened.id);
        const facts = trials.map(({ id, retracted }) => ({ id, retracted }));
        const wanted = known.trials.map(({ id, retracted }) => ({ id, retracted }));
        const byId = (one: { id: string }, other: { id: string }) => (one.id < other.id ? -1 : 1);
        expect(facts.toSorted(byId)).toEqual(wanted.toSorted(byId));
        await expectSummary(task, known);
      }),
      { numRuns: 12, seed },
    );
  });

  test(`give the same results the same answers in any order (SEED=${seed})`, async () => {
    // Results of one slot are all equal or all different, so that the order cannot choose which one is first.
    const calls = fc
      .uniqueArray(result, {
        minLength: 2,
        maxLength: 6,
        selector: (one) => slotOf(one, ["model"]),
      })
      .chain((results) =>
        fc.tuple(
          fc.constant(results),
          fc.shuffledSubarray(results, { minLength: results.length }),
          fc.array(fc.integer({ min: 3, max: 6 }), { minLength: 6, maxLength: 6 }),
        ),
      );
    await fc.assert(
      fc.asyncProperty(calls, async ([results, shuffled, ks]) => {
        const classes = [];
        for (const order of [results, shuffled]) {
          const { id: task } = await api.givenTask();
          for (const [index, one] of order.entries()) {
            const { counts } = expectDone(await record(task, { k: ks[index] }, [one]));
            expect(counts).toMatchObject({ recorded: 1 });
          }
          const again = expectDone(await record(task, { k: 3 }, order));
          const k = Math.max(...ks.slice(0, order.length));
          expect(await theEval(task)).toMatchObject({ k });
          classes.push(again.counts);
        }
        expect(classes[0]).toEqual(classes[1]);
        expect(classes[0]).toMatchObject({ exists: results.length, conflict: 0 });
      }),
      { numRuns: 6, seed },
    );
  });
});
