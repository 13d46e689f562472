import type { Chance } from "./random.ts";

/**
 * Divides a number of tasks by shares that add up to 1, with the largest remainders rounded up (Hamilton's method), so
 * no share is missed by a whole task.
 */
export function quotasOf<Name extends string>(
  shares: Readonly<Record<Name, number>>,
  tasks: number,
): Record<Name, number> {
  const names = Object.keys(shares) as Name[]; // keys of a record
  const exact = names.map((name) => ({ name, wanted: shares[name] * tasks }));
  const quotas = new Map(exact.map(({ name, wanted }) => [name, Math.floor(wanted + ROUNDING)]));
  const missing = tasks - [...quotas.values()].reduce((sum, quota) => sum + quota, 0);
  const byRemainder = exact.toSorted(
    (one, other) => remainderOf(other.wanted) - remainderOf(one.wanted),
  );
  for (const { name } of byRemainder.slice(0, missing)) {
    quotas.set(name, (quotas.get(name) ?? 0) + 1);
  }
  return Object.fromEntries(quotas) as Record<Name, number>;
}

/** A share such as 0.29 of 100 is slightly below 29 in floating point. */
const ROUNDING = 1e-9;

function remainderOf(wanted: number): number {
  return wanted - Math.floor(wanted + ROUNDING);
}

/**
 * Returns which of the candidates something happens to: as many as the rate asks for, rounded up or down at random, and
 * at least one of many, so that a story is in every larger team.
 */
export function chosenAtRate(
  candidates: readonly number[],
  rate: number,
  chance: Chance,
): ReadonlySet<number> {
  const wanted = candidates.length * rate;
  const whole = Math.floor(wanted + ROUNDING);
  const rounded = whole + (chance.isHit(wanted - whole) ? 1 : 0);
  const least = rate > 0 && candidates.length >= VISIBLE_FROM ? 1 : 0;
  const count = Math.min(candidates.length, Math.max(rounded, least));
  return new Set(chance.shuffle(candidates).slice(0, count));
}

/** How many tasks something must be able to happen to, before it happens to at least one. */
const VISIBLE_FROM = 5;
