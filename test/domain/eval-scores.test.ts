import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isSameJson } from "../../src/domain/evals/difference.ts";
import { seedOf } from "../../src/domain/evals/random.ts";
import { type SlotScores, summarizeScores } from "../../src/domain/evals/scores.ts";

/** The scores of one slot with these units. */
const scoresOf = (...units: number[]): SlotScores => {
  const values = [...Map.groupBy(units, (value) => value)].map(([value, same]) => {
    return { value, units: same.length };
  });
  const tasks = units.length;
  return {
    n: tasks,
    tasks,
    values,
    mean: Number.NaN,
    standardError: Number.NaN,
    lowest: Number.NaN,
    highest: Number.NaN,
  };
};

describe("a summary of scores", () => {
  test("has the mean, its standard error, and an interval around it", () => {
    const summary = summarizeScores(scoresOf(1, 2, 3, 4), 2000);
    // The deviations are 1.5, 0.5, 0.5 and 1.5; their squares add up to 5.
    expect(summary).toMatchObject({ n: 4, tasks: 4, mean: 2.5, method: "bootstrap" });
    expect(summary.standardError).toBeCloseTo(Math.sqrt(5 / 3 / 4), 12);
    const [low, high] = summary.interval ?? [0, 0];
    expect([low, high]).toEqual([expect.closeTo(1.5, 0.3), expect.closeTo(3.5, 0.3)]);
    expect(low).toBeGreaterThanOrEqual(1);
    expect(high).toBeLessThanOrEqual(4);
  });

  test("has no standard error of a single score, and no interval of equal ones", () => {
    const none = { interval: null, method: null };
    expect(summarizeScores(scoresOf(0.3), 400)).toMatchObject({ standardError: null, ...none });
    expect(summarizeScores(scoresOf(0.1, 0.1, 0.1), 400)).toMatchObject({
      mean: 0.1,
      standardError: 0,
      ...none,
    });
  });

  test("uses the normal approximation without resamples, and without the values", () => {
    const all = scoresOf(1, 2, 3, 4);
    expect(summarizeScores(all, 0)).toMatchObject({ method: "normal", mean: 2.5 });
    const unread = {
      ...all,
      values: null,
      mean: 2.5,
      standardError: 0.5,
      lowest: 1,
      highest: 3.25,
    };
    expect(summarizeScores(unread, 2000)).toMatchObject({
      method: "normal",
      mean: 2.5,
      standardError: 0.5,
      interval: [expect.closeTo(1.52, 2), 3.25],
    });
  });

  test("is finite, and the same for the same scores, whatever doubles they are", () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
    const extreme = fc.constantFrom(Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, 0, 1e19);
    fc.assert(
      fc.property(fc.array(fc.oneof(finite, extreme), { minLength: 1, maxLength: 8 }), (units) => {
        const given = scoresOf(...units.toSorted((one, other) => one - other));
        const { mean, standardError, interval } = summarizeScores(given, 400);
        const [lowest, highest] = [Math.min(...units), Math.max(...units)];
        expect(Number.isFinite(mean)).toBe(true);
        expect(mean >= lowest && mean <= highest).toBe(true);
        if (standardError !== null) expect(Number.isFinite(standardError)).toBe(true);
        for (const bound of interval ?? []) {
          expect(bound >= lowest && bound <= highest).toBe(true);
        }
        expect(summarizeScores(given, 400).interval).toEqual(interval);
      }),
    );
  });

  test("draws by a seed that depends on every score", () => {
    expect(seedOf([1, 2])).toEqual(seedOf([1, 2]));
    expect(seedOf([1, 2])).not.toEqual(seedOf([2, 1]));
    expect(seedOf([1, 2])).not.toEqual(seedOf([1, 2 + Number.EPSILON * 2]));
    expect(seedOf([])).not.toEqual([0, 0, 0, 0]);
  });
});

describe("two JSON values", () => {
  const reordered = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reordered);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .toReversed()
        .map(([key, member]) => [key, reordered(member)]),
    );
  };

  test("are the same in any order of their members, and not with another one", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(isSameJson(value, reordered(value))).toBe(true);
        expect(isSameJson({ value }, { value, more: null })).toBe(false);
        expect(isSameJson([value], [value, value])).toBe(false);
      }),
    );
  });

  test.each([
    [{}, []],
    [null, {}],
    [0, null],
    [{ a: null }, {}],
    [{ a: null }, { b: null }],
    [{ a: 1 }, { a: "1" }],
    [{ __proto__: null, a: 1 }, { a: 2 }],
  ])("%j and %j are different", (one, other) => {
    expect([isSameJson(one, other), isSameJson(other, one)]).toEqual([false, false]);
  });
});
