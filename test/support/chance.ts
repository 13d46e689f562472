/** Random numbers that a seed reproduces. */
export interface Chance {
  /** Returns a number from 0 up to, but not including, 1. */
  next: () => number;
  /** True with the given probability. */
  isHit: (probability: number) => boolean;
  /** Returns an integer from 0 up to, but not including, the limit. */
  below: (limit: number) => number;
}

/** Random numbers by Mulberry32 (Tommy Ettinger, public domain). */
export function chanceFrom(seed: number): Chance {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    isHit: (probability) => next() < probability,
    below: (limit) => Math.floor(next() * limit),
  };
}
