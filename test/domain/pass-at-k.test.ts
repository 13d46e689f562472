import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  bootstrapIntervals,
  normalInterval,
  wilsonInterval,
} from "../../src/domain/evals/intervals.ts";
import { passAtEach } from "../../src/domain/evals/pass-at-k.ts";
import { fixedSeries } from "../../src/domain/evals/random.ts";
import {
  compareModels,
  type ModelScores,
  RESAMPLES_MAX,
  resamplesFor,
  type ScoreGroup,
  summariseModel,
} from "../../src/domain/evals/summary.ts";
import { countedPassAtK } from "../support/pass-at-k.ts";

/** pass@k alone. */
const passAtK = (n: number, c: number, k: number) => passAtEach(n, c, k)[k - 1] ?? null;

const scored = fc
  .tuple(fc.integer({ min: 1, max: 300 }), fc.nat(), fc.nat())
  .map(([n, c, k]) => ({ n, c: c % (n + 1), k: 1 + (k % n) }));

describe("pass@k", () => {
  it("is the share of all choices of k trials in which one passed", () => {
    const trials = fc.array(fc.boolean(), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(trials, (each) => {
        const c = each.filter((passed) => passed).length;
        for (let k = 1; k <= each.length; k += 1) {
          expect(passAtK(each.length, c, k)).toBeCloseTo(countedPassAtK(each, k), 12);
        }
      }),
    );
  });

  it("is a chance, and grows with what passed and with k", () => {
    fc.assert(
      fc.property(scored, ({ n, c, k }) => {
        const chance = passAtK(n, c, k) ?? Number.NaN;
        expect(chance).toBeGreaterThanOrEqual(0);
        expect(chance).toBeLessThanOrEqual(1);
        if (c < n) expect(passAtK(n, c + 1, k)).toBeGreaterThanOrEqual(chance);
        if (k < n) expect(passAtK(n, c, k + 1)).toBeGreaterThanOrEqual(chance);
      }),
    );
  });

  test("of all trials is whether any passed, and of one their rate", () => {
    fc.assert(
      fc.property(scored, ({ n, c }) => {
        expect(passAtK(n, c, n)).toBe(c === 0 ? 0 : 1);
        expect(passAtK(n, c, 1)).toBeCloseTo(c / n, 12);
      }),
    );
  });

  it("is unknown where fewer than k were scored", () => {
    expect(passAtEach(3, 3, 5)).toEqual([1, 1, 1, null, null]);
    expect(passAtEach(0, 0, 1)).toEqual([null]);
  });

  it("stays exact where the binomials would overflow", () => {
    expect(passAtK(1000, 500, 500)).toBeCloseTo(1, 12);
    expect(passAtK(1000, 1, 999)).toBeCloseTo(0.999, 12);
  });
});

describe("Wilson's interval", () => {
  test.each([
    // Figures of Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I.
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])("of %i in %i is what the literature says", (successes, trials, low, high) => {
    const [lower, upper] = wilsonInterval(successes, trials);
    expect(lower).toBeCloseTo(low, 4);
    expect(upper).toBeCloseTo(high, 4);
  });

  it("is a mirror image when successes and failures change places, and holds the rate", () => {
    fc.assert(
      fc.property(scored, ({ n, c }) => {
        const [low, high] = wilsonInterval(c, n);
        const [mirroredLow, mirroredHigh] = wilsonInterval(n - c, n);
        expect(low).toBeCloseTo(1 - mirroredHigh, 12);
        expect(high).toBeCloseTo(1 - mirroredLow, 12);
        expect(low).toBeLessThanOrEqual(c / n);
        expect(high).toBeGreaterThanOrEqual(c / n);
      }),
    );
  });
});

describe("the bootstrap", () => {
  it("comes close to what the central limit theorem says of many tasks", () => {
    const [[low, high] = [0, 0]] = bootstrapIntervals([400, 600], [[0.25, 0.75]], 2000);
    const half = 1.96 * Math.sqrt((0.4 * 0.6 * 0.5 ** 2) / 1000);
    expect(low).toBeCloseTo(0.55 - half, 2);
    expect(high).toBeCloseTo(0.55 + half, 2);
  });

  it("says the same of the same trials every time", () => {
    const intervals = () => bootstrapIntervals([3, 4, 5], [[0, 0.5, 1]], 500);
    expect(intervals()).toEqual(intervals());
  });

  it("draws every task about as often as any other", () => {
    const below = fixedSeries();
    const drawn = Array<number>(10).fill(0);
    for (let draw = 0; draw < 100_000; draw += 1) {
      const place = below(10);
      drawn[place] = (drawn[place] ?? Number.NaN) + 1;
    }
    // 99.9 % of fair series have a chi-square below 27.9 at nine degrees of freedom.
    const chiSquare = drawn.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
    expect(chiSquare).toBeLessThan(27.9);
  });
});

describe("the normal interval", () => {
  it("is what the central limit theorem says of the mean", () => {
    const [low, high] = normalInterval([400, 600], [0.25, 0.75]);
    const half = 1.959964 * Math.sqrt((0.4 * 0.6 * 0.5 ** 2) / 1000);
    expect(low).toBeCloseTo(0.55 - half, 6);
    expect(high).toBeCloseTo(0.55 + half, 6);
  });

  it("comes close to the bootstrap where tasks are many, also for differences", () => {
    for (const values of [
      [0.1, 0.5, 0.9],
      [-0.4, 0, 0.3],
    ]) {
      const weights = [900, 1500, 600];
      const [[low, high] = [0, 0]] = bootstrapIntervals(weights, [values], RESAMPLES_MAX);
      const [normalLow, normalHigh] = normalInterval(weights, values);
      expect(normalLow).toBeCloseTo(low, 2);
      expect(normalHigh).toBeCloseTo(high, 2);
    }
  });

  it("does not reach beyond the figures of the tasks", () => {
    const [low, high] = normalInterval([49_999, 1], [0, 0.5]);
    expect([low, high]).toEqual([0, expect.closeTo(0.00003, 5)]);
  });
});

const scoresOf = (...groups: ScoreGroup[]): ModelScores => ({
  model: "a-model",
  modelRevisions: ["r1"],
  errored: 0,
  groups,
});
const summaryOf = (k: number, ...groups: ScoreGroup[]) =>
  summariseModel(scoresOf(...groups), k, RESAMPLES_MAX);

const someGroups = fc.array(
  fc
    .tuple(fc.integer({ min: 1, max: 8 }), fc.nat(), fc.integer({ min: 1, max: 20 }))
    .map(([n, c, tasks]) => ({ n, c: c % (n + 1), tasks })),
  { minLength: 1, maxLength: 6 },
);

describe("the summary of a model", () => {
  it("of one task takes Wilson's interval over its trials, for each k", () => {
    const summary = summaryOf(3, { n: 2, c: 1, tasks: 1 });
    expect(summary).toMatchObject({ n: 2, c: 1, passAt: { 1: 0.5, 2: 1, 3: null } });
    expect(summary.method).toEqual({ 1: "wilson", 2: "wilson" });
    const [low, high] = wilsonInterval(1, 2);
    expect(summary.interval[1]?.[0]).toBeCloseTo(low, 12);
    expect(summary.interval[1]?.[1]).toBeCloseTo(high, 12);
    expect(summary.interval[2]?.[0]).toBeCloseTo(1 - (1 - low) ** 2, 12);
  });

  it("of many tasks with one trial each takes Wilson's interval over the tasks", () => {
    const summary = summaryOf(1, { n: 1, c: 1, tasks: 286 }, { n: 1, c: 0, tasks: 1033 });
    expect(summary).toMatchObject({ n: 1319, c: 286, method: { 1: "wilson" } });
    expect(summary.interval[1]).toEqual(wilsonInterval(286, 1319));
  });

  it("of tasks that all passed does not claim to be certain", () => {
    const [low = 1] = summaryOf(1, { n: 4, c: 4, tasks: 10 }).interval[1] ?? [];
    expect(low).toBeCloseTo(wilsonInterval(10, 10)[0], 12);
  });

  it("of tasks that all came out alike takes Wilson's interval over their trials: resampling would tell nothing", () => {
    const summary = summaryOf(2, { n: 4, c: 2, tasks: 10 });
    expect(summary.method).toEqual({ 1: "wilson", 2: "wilson" });
    const [low, high] = wilsonInterval(20, 40);
    for (const [k, bounds] of Object.entries(summary.interval)) {
      expect(bounds[0]).toBeCloseTo(1 - (1 - low) ** Number(k), 12);
      expect(bounds[1]).toBeCloseTo(1 - (1 - high) ** Number(k), 12);
    }
  });

  it("of tasks with several trials takes the bootstrap over tasks", () => {
    const summary = summaryOf(2, { n: 4, c: 1, tasks: 30 }, { n: 4, c: 3, tasks: 10 });
    expect(summary.method).toEqual({ 1: "bootstrap", 2: "bootstrap" });
    expect(summary.passAt[1]).toBeCloseTo((30 * 0.25 + 10 * 0.75) / 40, 12);
  });

  it("leaves out of each k the tasks that had fewer trials, and says how many are left", () => {
    const summary = summaryOf(3, { n: 1, c: 1, tasks: 5 }, { n: 2, c: 1, tasks: 2 });
    expect(summary.tasks).toEqual({ 1: 7, 2: 2, 3: 0 });
    expect(summary.passAt).toEqual({ 1: 6 / 7, 2: 1, 3: null });
    expect(Object.keys(summary.interval)).toEqual(["1", "2"]);
  });

  it("has a figure with an interval around it wherever a task has k scored trials", () => {
    fc.assert(
      fc.property(someGroups, (groups) => {
        const summary = summariseModel(scoresOf(...groups), 8, 400);
        for (const [at, figure] of Object.entries(summary.passAt)) {
          const behind = groups.filter(({ n }) => n >= Number(at));
          expect(figure === null).toBe(behind.length === 0);
          expect(summary.interval[at] === undefined).toBe(figure === null);
          expect(summary.method[at] === undefined).toBe(figure === null);
          if (figure === null) continue;
          const [low, high] = summary.interval[at] ?? [Number.NaN, Number.NaN];
          expect(low).toBeGreaterThanOrEqual(0);
          expect(high).toBeLessThanOrEqual(1);
          expect(low - 1e-9).toBeLessThanOrEqual(figure);
          expect(high + 1e-9).toBeGreaterThanOrEqual(figure);
          expect(low).toBeLessThan(high);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("of no scored trial has no figure", () => {
    const summary = summariseModel({ ...scoresOf(), errored: 3 }, 2, RESAMPLES_MAX);
    expect(summary).toMatchObject({ n: 0, c: 0, errored: 3, passAt: { 1: null, 2: null } });
    expect(summary.interval).toEqual({});
  });
});

describe("the comparison of two models", () => {
  const options = { k: 2, resamples: RESAMPLES_MAX };

  it("is the mean difference at the tasks that both were tried at", () => {
    const comparison = compareModels(
      ["one", "other"],
      [
        { one: { n: 2, c: 2 }, other: { n: 2, c: 0 }, tasks: 3 },
        { one: { n: 2, c: 0 }, other: { n: 1, c: 1 }, tasks: 1 },
      ],
      options,
    );
    expect(comparison.difference).toEqual({ 1: 0.5, 2: 1 });
    expect(comparison.tasks).toEqual({ 1: 4, 2: 3 });
    // At 2 all tasks are alike, so that resampling tells nothing.
    expect(Object.keys(comparison.interval)).toEqual(["1"]);
  });

  it("of tasks that differ by the same has no interval, however the difference was rounded", () => {
    const pairs = [
      { one: { n: 1, c: 0 }, other: { n: 3, c: 1 }, tasks: 2 },
      { one: { n: 3, c: 2 }, other: { n: 1, c: 1 }, tasks: 2 },
    ];
    const comparison = compareModels(["one", "other"], pairs, { ...options, k: 1 });
    expect(comparison.difference[1]).toBeCloseTo(-1 / 3, 12);
    expect(comparison.interval).toEqual({});
  });

  it("pairs: a steady advantage shows although tasks differ more than the models do", () => {
    const groups = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((c) => ({
      one: { n: 10, c: c + (c % 2) },
      other: { n: 10, c },
      tasks: 10,
    }));
    const [low = 0] = compareModels(["one", "other"], groups, options).interval[1] ?? [];
    expect(low).toBeGreaterThan(0);
    const alone = (which: "one" | "other") => {
      const each = groups.map(({ tasks, ...pair }) => ({ ...pair[which], tasks }));
      return summariseModel(scoresOf(...each), 1, RESAMPLES_MAX).interval[1] ?? [0, 0];
    };
    expect(alone("one")[0]).toBeLessThan(alone("other")[1]);
  });

  it("turns round when the models change places", () => {
    const groups = [
      { one: { n: 3, c: 2 }, other: { n: 3, c: 1 }, tasks: 4 },
      { one: { n: 3, c: 0 }, other: { n: 3, c: 3 }, tasks: 2 },
    ];
    const there = compareModels(["one", "other"], groups, options);
    const turned = groups.map(({ one, other, tasks }) => ({ one: other, other: one, tasks }));
    const back = compareModels(["other", "one"], turned, options);
    expect(back.difference[1]).toBeCloseTo(-(there.difference[1] ?? Number.NaN), 12);
    const [low = 0, high = 0] = there.interval[1] ?? [];
    expect(back.interval[1]?.[0]).toBeCloseTo(-high, 12);
    expect(back.interval[1]?.[1]).toBeCloseTo(-low, 12);
  });

  it("of no common task has no figure", () => {
    const comparison = compareModels(["one", "other"], [], options);
    expect(comparison).toMatchObject({ difference: { 1: null }, tasks: { 1: 0 }, interval: {} });
  });
});

describe("the time of a summary", () => {
  const alike = (tasks: number, n = 4) => [{ n, tasks }];

  it("is kept by resampling less often where tasks are many, and not at all where that would be too seldom", () => {
    expect(resamplesFor([alike(100)], 4)).toBe(RESAMPLES_MAX);
    expect(resamplesFor([alike(10_000)], 4)).toBe(749);
    expect(resamplesFor([alike(10_000), alike(10_000)], 4)).toBe(0);
  });

  it("counts the draws for each number of trials, and the figures for each k", () => {
    const each = Array.from({ length: 10 }, (_, index) => ({ n: index + 1, tasks: 400 }));
    expect(resamplesFor([each], 1)).toBe(1874);
    expect(resamplesFor([each], 10)).toBe(0);
    const apart = Array.from({ length: 300 }, () => ({ n: 1000, tasks: 1 }));
    expect(resamplesFor([apart], 4)).toBe(RESAMPLES_MAX);
    expect(resamplesFor([apart], 1000)).toBe(0);
  });

  it("is kept by the normal distribution where nothing is resampled, and the summary says so", () => {
    const groups = [
      { n: 4, c: 1, tasks: 20_000 },
      { n: 4, c: 3, tasks: 30_000 },
    ];
    const summary = summariseModel(scoresOf(...groups), 4, 0);
    expect(summary.method).toEqual({ 1: "normal", 2: "normal", 3: "normal", 4: "wilson" });
    const [low = 0, high = 0] = summary.interval[1] ?? [];
    expect(low).toBeLessThan(0.55);
    expect(high).toBeGreaterThan(0.55);
    expect(high - low).toBeCloseTo((2 * 1.96 * 0.5 * Math.sqrt(0.24)) / Math.sqrt(50_000), 4);
    const pairs = [
      { one: { n: 2, c: 1 }, other: { n: 2, c: 0 }, tasks: 30_000 },
      { one: { n: 2, c: 0 }, other: { n: 2, c: 1 }, tasks: 20_000 },
    ];
    const { interval } = compareModels(["one", "other"], pairs, { k: 1, resamples: 0 });
    expect(interval[1]?.[0]).toBeGreaterThan(0.09);
    expect(interval[1]?.[1]).toBeLessThan(0.11);
  });
});
