import { describe, expect, test } from "vitest";
import { streamsOf } from "../../../src/domain/seed/random.ts";

const DRAWS = 20_000;
const draws = <Value>(draw: () => Value): Value[] => Array.from({ length: DRAWS }, draw);
const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

describe("a stream of random draws", () => {
  test("is the same for the same seed and name, whatever other streams are used for", () => {
    const once = streamsOf(7)("one");
    const again = streamsOf(7);
    again("other").uniform();
    const second = again("one");
    again("another").shuffle([1, 2, 3]);
    const list = () => Array.from({ length: 50 }, (_, index) => index);
    expect(list().map(() => second.uniform())).toEqual(list().map(() => once.uniform()));
  });

  test("differs for another seed, and for another name", () => {
    const first = (seed: number, name: string) => streamsOf(seed)(name).uniform();
    const names = Array.from({ length: 500 }, (_, index) => `task ${index}: check`);
    expect(new Set(names.map((name) => first(1, name))).size).toBe(names.length);
    expect(new Set(names.map((_, seed) => first(seed, "task"))).size).toBe(names.length);
    expect(first(1, "a")).not.toBe(first(2, "a"));
  });

  test("is uniform over names as well as within a stream", () => {
    const within = streamsOf(3)("within");
    const streams = streamsOf(3);
    const across = draws(() => 0).map((_, index) => streams(`stream ${index}`).uniform());
    for (const values of [draws(within.uniform), across]) {
      const counts = Array<number>(10).fill(0);
      for (const value of values) {
        const bin = Math.floor(value * 10);
        counts[bin] = (counts[bin] ?? 0) + 1;
      }
      const expected = DRAWS / 10;
      const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
      // The 99.9 % quantile with 9 degrees of freedom. The seeds are fixed, so this cannot fail by chance.
      expect(chiSquare).toBeLessThan(27.88);
    }
  });

  test("draws log-normal minutes with the median and the spread of the pace", () => {
    const chance = streamsOf(5)("minutes");
    const minutes = draws(() => chance.minutes({ medianMinutes: 30, sigma: 0.6 })).toSorted(
      (one, other) => one - other,
    );
    const quantile = (share: number) => minutes[Math.floor(share * DRAWS)] ?? 0;
    expect(quantile(0.5) / 30).toBeCloseTo(1, 1);
    // One standard deviation above the mean of the logarithm.
    expect(Math.log(quantile(0.8413) / 30)).toBeCloseTo(0.6, 1);
    expect(Math.log(quantile(0.1587) / 30)).toBeCloseTo(-0.6, 1);
  });

  test("chooses by weight, within bounds, and keeps every value when it shuffles", () => {
    const chance = streamsOf(11)("choices");
    const chosen = draws(() =>
      chance.weighted([
        ["rare", 1],
        ["often", 3],
        ["never", 0],
      ]),
    );
    expect(chosen.filter((one) => one === "often").length / DRAWS).toBeCloseTo(0.75, 1);
    expect(chosen).not.toContain("never");
    expect(mean(draws(() => (chance.isHit(0.2) ? 1 : 0)))).toBeCloseTo(0.2, 1);
    const between = draws(() => chance.between(5, 7));
    expect(Math.min(...between)).toBeGreaterThanOrEqual(5);
    expect(Math.max(...between)).toBeLessThan(7);
    expect(new Set(draws(() => chance.below(3)))).toEqual(new Set([0, 1, 2]));
    const values = Array.from({ length: 40 }, (_, index) => index);
    const shuffled = chance.shuffle(values);
    expect(shuffled).not.toEqual(values);
    expect(shuffled.toSorted((one, other) => one - other)).toEqual(values);
  });
});
