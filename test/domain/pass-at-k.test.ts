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
  summarizeModel,
} from "../../src/domain/evals/summary.ts";
import { countedPassAtK } from "../support/pass-at-k.ts";

/** Returns pass@k for a single k. */
const passAtK = (n: number, c: number, k: number) => passAtEach(n, c, k)[k - 1] ?? null;

const scored = fc
  .tuple(fc.integer({ min: 1, max: 300 }), fc.nat(), fc.nat())
  .map(([n, c, k]) => ({ n, c: c % (n + 1), k: 1 + (k % n) }));

describe("pass@k", () => {
  it("is the share of all selections of k trials that contain a passed one", () => {
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

  it("is a probability that grows with the passed trials and with k", () => {
    fc.assert(
      fc.property(scored, ({ n, c, k }) => {
        const probability = passAtK(n, c, k) ?? Number.NaN;
        expect(probability).toBeGreaterThanOrEqual(0);
        expect(probability).toBeLessThanOrEqual(1);
        if (c < n) expect(passAtK(n, c + 1, k)).toBeGreaterThanOrEqual(probability);
        if (k < n) expect(passAtK(n, c, k + 1)).toBeGreaterThanOrEqual(probability);
      }),
    );
  });

  test("is 1 or 0 for k equal to all trials, and the pass rate for k = 1", () => {
    fc.assert(
      fc.property(scored, ({ n, c }) => {
        expect(passAtK(n, c, n)).toBe(c === 0 ? 0 : 1);
        expect(passAtK(n, c, 1)).toBeCloseTo(c / n, 12);
      }),
    );
  });

  it("is null if fewer than k trials were scored", () => {
    expect(passAtEach(3, 3, 5)).toEqual([1, 1, 1, null, null]);
    expect(passAtEach(0, 0, 1)).toEqual([null]);
  });

  it("stays exact even if the binomials would overflow", () => {
    expect(passAtK(1000, 500, 500)).toBeCloseTo(1, 12);
    expect(passAtK(1000, 1, 999)).toBeCloseTo(0.999, 12);
  });
});

describe("Wilson's interval", () => {
  test.each([
    // From Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I.
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])("for %i of %i matches the literature", (successes, trials, low, high) => {
    const [lower, upper] = wilsonInterval(successes, trials);
    expect(lower).toBeCloseTo(low, 4);
    expect(upper).toBeCloseTo(high, 4);
  });

  it("is mirrored if successes and failures are swapped, and contains the rate", () => {
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
  it("approximates the central limit theorem for many tasks", () => {
    const [[low, high] = [0, 0]] = bootstrapIntervals([400, 600], [[0.25, 0.75]], 2000);
    const half = 1.96 * Math.sqrt((0.4 * 0.6 * 0.5 ** 2) / 1000);
    expect(low).toBeCloseTo(0.55 - half, 2);
    expect(high).toBeCloseTo(0.55 + half, 2);
  });

  it("returns the same interval for the same trials every time", () => {
    const intervals = () => bootstrapIntervals([3, 4, 5], [[0, 0.5, 1]], 500);
    expect(intervals()).toEqual(intervals());
  });

  it("draws every task about equally often", () => {
    const below = fixedSeries();
    const drawn = Array<number>(10).fill(0);
    for (let draw = 0; draw < 100_000; draw += 1) {
      const index = below(10);
      drawn[index] = (drawn[index] ?? Number.NaN) + 1;
    }
    // 99.9 % of fair series have a chi-square below 27.9 at nine degrees of freedom.
    const chiSquare = drawn.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
    expect(chiSquare).toBeLessThan(27.9);
  });
});

describe("the normal interval", () => {
  it("follows the central limit theorem for the mean", () => {
    const [low, high] = normalInterval([400, 600], [0.25, 0.75]);
    const half = 1.959964 * Math.sqrt((0.4 * 0.6 * 0.5 ** 2) / 1000);
    expect(low).toBeCloseTo(0.55 - half, 6);
    expect(high).toBeCloseTo(0.55 + half, 6);
  });

  it("approximates the bootstrap for many tasks, for differences as well", () => {
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

  it("stays within the smallest and the largest value of the tasks", () => {
    const [low, high] = normalInterval([49_999, 1], [0, 0.5]);
    expect([low, high]).toEqual([0, expect.closeTo(0.00003, 5)]);
  });
});

const scoresOf = (...groups: ScoreGroup[]): ModelScores => ({
  model: "a-model",
  modelRevisions: ["r1"],
  errored: 0,
  slot: { model: "m" },
  scores: null,
  groups,
});
const summaryOf = (k: number, ...groups: ScoreGroup[]) =>
  summarizeModel(scoresOf(...groups), k, RESAMPLES_MAX);

const someGroups = fc.array(
  fc
    .tuple(fc.integer({ min: 1, max: 8 }), fc.nat(), fc.integer({ min: 1, max: 20 }))
    .map(([n, c, tasks]) => ({ n, c: c % (n + 1), tasks })),
  { minLength: 1, maxLength: 6 },
);

describe("the summary of a model", () => {
  it("uses Wilson's interval over the trials of a single task, for each k", () => {
    const summary = summaryOf(3, { n: 2, c: 1, tasks: 1 });
    expect(summary).toMatchObject({ n: 2, c: 1, passAt: { 1: 0.5, 2: 1, 3: null } });
    expect(summary.method).toEqual({ 1: "wilson", 2: "wilson" });
    const [low, high] = wilsonInterval(1, 2);
    expect(summary.interval[1]?.[0]).toBeCloseTo(low, 12);
    expect(summary.interval[1]?.[1]).toBeCloseTo(high, 12);
    expect(summary.interval[2]?.[0]).toBeCloseTo(1 - (1 - low) ** 2, 12);
  });

  it("uses Wilson's interval over the tasks if each has one trial", () => {
    const summary = summaryOf(1, { n: 1, c: 1, tasks: 286 }, { n: 1, c: 0, tasks: 1033 });
    expect(summary).toMatchObject({ n: 1319, c: 286, method: { 1: "wilson" } });
    expect(summary.interval[1]).toEqual(wilsonInterval(286, 1319));
  });

  it("does not claim certainty if all tasks passed", () => {
    const [low = 1] = summaryOf(1, { n: 4, c: 4, tasks: 10 }).interval[1] ?? [];
    expect(low).toBeCloseTo(wilsonInterval(10, 10)[0], 12);
  });

  it("uses Wilson's interval over the trials if all tasks scored alike, because resampling would show no spread", () => {
    const summary = summaryOf(2, { n: 4, c: 2, tasks: 10 });
    expect(summary.method).toEqual({ 1: "wilson", 2: "wilson" });
    const [low, high] = wilsonInterval(20, 40);
    for (const [k, bounds] of Object.entries(summary.interval)) {
      expect(bounds[0]).toBeCloseTo(1 - (1 - low) ** Number(k), 12);
      expect(bounds[1]).toBeCloseTo(1 - (1 - high) ** Number(k), 12);
    }
  });

  it("bootstraps over tasks if they have several trials", () => {
    const summary = summaryOf(2, { n: 4, c: 1, tasks: 30 }, { n: 4, c: 3, tasks: 10 });
    expect(summary.method).toEqual({ 1: "bootstrap", 2: "bootstrap" });
    expect(summary.passAt[1]).toBeCloseTo((30 * 0.25 + 10 * 0.75) / 40, 12);
  });

  it("omits tasks with fewer than k trials for each k, and counts the rest", () => {
    const summary = summaryOf(3, { n: 1, c: 1, tasks: 5 }, { n: 2, c: 1, tasks: 2 });
    expect(summary.tasks).toEqual({ 1: 7, 2: 2, 3: 0 });
    expect(summary.passAt).toEqual({ 1: 6 / 7, 2: 1, 3: null });
    expect(Object.keys(summary.interval)).toEqual(["1", "2"]);
  });

  it("has a value inside an interval for each k that a task has scored trials for", () => {
    fc.assert(
      fc.property(someGroups, (groups) => {
        const summary = summarizeModel(scoresOf(...groups), 8, 400);
        for (const [at, value] of Object.entries(summary.passAt)) {
          const counted = groups.filter(({ n }) => n >= Number(at));
          expect(value === null).toBe(counted.length === 0);
          expect(summary.interval[at] === undefined).toBe(value === null);
          expect(summary.method[at] === undefined).toBe(value === null);
          if (value === null) continue;
          const [low, high] = summary.interval[at] ?? [Number.NaN, Number.NaN];
          expect(low).toBeGreaterThanOrEqual(0);
          expect(high).toBeLessThanOrEqual(1);
          expect(low - 1e-9).toBeLessThanOrEqual(value);
          expect(high + 1e-9).toBeGreaterThanOrEqual(value);
          expect(low).toBeLessThan(high);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("has no value without a scored trial", () => {
    const summary = summarizeModel({ ...scoresOf(), errored: 3 }, 2, RESAMPLES_MAX);
    expect(summary).toMatchObject({ n: 0, c: 0, errored: 3, passAt: { 1: null, 2: null } });
    expect(summary.interval).toEqual({});
  });
});

describe("the comparison of two models", () => {
  const options = { k: 2, resamples: RESAMPLES_MAX };

  it("is the mean difference over the tasks that both models attempted", () => {
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
    // For k = 2 all tasks are alike, so resampling would show no spread.
    expect(Object.keys(comparison.interval)).toEqual(["1"]);
  });

  it("has no interval if all tasks differ equally, whatever the rounding", () => {
    const pairs = [
      { one: { n: 1, c: 0 }, other: { n: 3, c: 1 }, tasks: 2 },
      { one: { n: 3, c: 2 }, other: { n: 1, c: 1 }, tasks: 2 },
    ];
    const comparison = compareModels(["one", "other"], pairs, { ...options, k: 1 });
    expect(comparison.difference[1]).toBeCloseTo(-1 / 3, 12);
    expect(comparison.interval).toEqual({});
  });

  it("pairs the tasks, so that a steady advantage shows even if tasks vary more than models", () => {
    const groups = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((c) => ({
      one: { n: 10, c: c + (c % 2) },
      other: { n: 10, c },
      tasks: 10,
    }));
    const [low = 0] = compareModels(["one", "other"], groups, options).interval[1] ?? [];
    expect(low).toBeGreaterThan(0);
    const intervalOf = (which: "one" | "other") => {
      const each = groups.map(({ tasks, ...pair }) => ({ ...pair[which], tasks }));
      return summarizeModel(scoresOf(...each), 1, RESAMPLES_MAX).interval[1] ?? [0, 0];
    };
    expect(intervalOf("one")[0]).toBeLessThan(intervalOf("other")[1]);
  });

  it("changes its sign if the models are swapped", () => {
    const groups = [
      { one: { n: 3, c: 2 }, other: { n: 3, c: 1 }, tasks: 4 },
      { one: { n: 3, c: 0 }, other: { n: 3, c: 3 }, tasks: 2 },
    ];
    const original = compareModels(["one", "other"], groups, options);
    const swappedGroups = groups.map(({ one, other, tasks }) => ({
      one: other,
      other: one,
      tasks,
    }));
    const swapped = compareModels(["other", "one"], swappedGroups, options);
    expect(swapped.difference[1]).toBeCloseTo(-(original.difference[1] ?? Number.NaN), 12);
    const [low = 0, high = 0] = original.interval[1] ?? [];
    expect(swapped.interval[1]?.[0]).toBeCloseTo(-high, 12);
    expect(swapped.interval[1]?.[1]).toBeCloseTo(-low, 12);
  });

  it("has no value without a common task", () => {
    const comparison = compareModels(["one", "other"], [], options);
    expect(comparison).toMatchObject({ difference: { 1: null }, tasks: { 1: 0 }, interval: {} });
  });
});

describe("the cost of a summary", () => {
  const alike = (tasks: number, n = 4) => [{ n, tasks }];

  it("is bounded by fewer resamples for many tasks, and by none if too few would remain", () => {
    expect(resamplesFor([alike(100)], 4)).toBe(RESAMPLES_MAX);
    expect(resamplesFor([alike(10_000)], 4)).toBe(749);
    expect(resamplesFor([alike(10_000), alike(10_000)], 4)).toBe(0);
  });

  it("counts the draws for each number of trials, and the values for each k", () => {
    const each = Array.from({ length: 10 }, (_, index) => ({ n: index + 1, tasks: 400 }));
    expect(resamplesFor([each], 1)).toBe(1874);
    expect(resamplesFor([each], 10)).toBe(0);
    const distinct = Array.from({ length: 300 }, () => ({ n: 1000, tasks: 1 }));
    expect(resamplesFor([distinct], 4)).toBe(RESAMPLES_MAX);
    expect(resamplesFor([distinct], 1000)).toBe(0);
  });

  it("is bounded by the normal approximation without resamples, and the summary names the method", () => {
    const groups = [
      { n: 4, c: 1, tasks: 20_000 },
      { n: 4, c: 3, tasks: 30_000 },
    ];
    const summary = summarizeModel(scoresOf(...groups), 4, 0);
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
