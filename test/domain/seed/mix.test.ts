import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SEED_OUTCOMES, seedMix } from "../../../src/domain/seed/mix.ts";
import { chosenAtRate, quotasOf } from "../../../src/domain/seed/quota.ts";
import { streamsOf } from "../../../src/domain/seed/random.ts";

const anyShares = fc
  .array(fc.integer({ min: 0, max: 100 }), { minLength: 5, maxLength: 5 })
  .filter((weights) => weights.some((weight) => weight > 0))
  .map((weights) => {
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return Object.fromEntries(
      SEED_OUTCOMES.map((outcome, index) => [outcome, (weights[index] ?? 0) / sum]),
    );
  });

describe("the mix of a story", () => {
  test("has defaults whose shares add up to 1, and keeps what a caller sets", () => {
    const { outcomes, rates } = seedMix.parse({});
    const sum = SEED_OUTCOMES.reduce((total, outcome) => total + outcomes[outcome], 0);
    expect(sum).toBeCloseTo(1, 9);
    expect(Object.values(rates).every((rate) => rate > 0 && rate < 1)).toBe(true);
    const mix = seedMix.parse({ outcomes: { delivered: 1 }, rates: { held: 0 } });
    expect(mix.outcomes).toEqual({
      delivered: 1,
      approved: 0,
      rejected: 0,
      duplicate: 0,
      in_progress: 0,
    });
    expect(mix.rates).toEqual({ ...rates, held: 0 });
  });

  test.each([
    { outcomes: { delivered: 0.5 } },
    { outcomes: { delivered: 1.5, approved: -0.5 } },
    { outcomes: { delivered: 1, lost: 0 } },
    { rates: { held: 1.1 } },
    { rates: { held: "often" } },
    { rates: { sleeps: 0.1 } },
    { more: 1 },
  ])("refuses %j", (mix) => {
    expect(seedMix.safeParse(mix).success).toBe(false);
  });
});

describe("quotas", () => {
  test("add up to the tasks, and no share is missed by a whole task", () => {
    fc.assert(
      fc.property(anyShares, fc.integer({ min: 0, max: 1000 }), (shares, tasks) => {
        const quotas = quotasOf(shares, tasks);
        expect(Object.values(quotas).reduce((sum, quota) => sum + quota, 0)).toBe(tasks);
        for (const [name, share] of Object.entries(shares)) {
          expect(Math.abs((quotas[name] ?? 0) - share * tasks)).toBeLessThan(1);
        }
      }),
    );
  });

  test("are exact where the shares are whole tasks, although 0.29 of 100 is less than 29 in floating point", () => {
    expect(quotasOf({ one: 0.29, other: 0.71 }, 100)).toEqual({ one: 29, other: 71 });
    expect(quotasOf({ one: 0.5, two: 0.14, three: 0.1, four: 0.06, five: 0.2 }, 1000)).toEqual({
      one: 500,
      two: 140,
      three: 100,
      four: 60,
      five: 200,
    });
  });
});

describe("what happens at a rate", () => {
  const candidates = Array.from({ length: 37 }, (_, index) => index * 2);

  test("happens to the whole number below or above it, and on average to as many as the rate says", () => {
    const counts = Array.from({ length: 2000 }, (_, seed) => {
      const chosen = chosenAtRate(candidates, 0.25, streamsOf(seed)("rate"));
      expect([...chosen].every((one) => candidates.includes(one))).toBe(true);
      return chosen.size;
    });
    expect(new Set(counts)).toEqual(new Set([9, 10]));
    expect(counts.reduce((sum, count) => sum + count, 0) / counts.length).toBeCloseTo(9.25, 1);
  });

  test("happens to at least one of many if the rate is not 0, to all at 1, and to no one at 0", () => {
    const chance = streamsOf(1)("rate");
    expect(chosenAtRate(candidates, 0.001, chance).size).toBe(1);
    expect(chosenAtRate(candidates, 1, chance).size).toBe(candidates.length);
    expect(chosenAtRate(candidates, 0, chance).size).toBe(0);
    expect(chosenAtRate([], 1, chance).size).toBe(0);
  });
});
