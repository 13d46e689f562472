/** Any four words that are not all zero: the first 128 bits of the fraction of pi. */
const SEED = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344] as const;

/**
 * Whole numbers below a bound, the same series every time: xoshiro128** (Blackman and Vigna, "Scrambled Linear
 * Pseudorandom Number Generators", 2021) from a fixed seed, so that one set of trials has one interval.
 */
export function fixedSeries(): (bound: number) => number {
  let [a, b, c, d]: [number, number, number, number] = [...SEED];
  return (bound) => {
    const word = Math.imul(rotated(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotated(d, 11);
    return Math.floor((word / 2 ** 32) * bound);
  };
}

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
