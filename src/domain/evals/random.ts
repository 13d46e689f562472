/** Any nonzero seed: the first 128 bits of the fractional part of pi. */
const SEED = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344] as const;

/**
 * Returns a generator of integers from 0 to below a bound. It is xoshiro128** (Blackman and Vigna, "Scrambled Linear
 * Pseudorandom Number Generators", 2021) with a fixed seed, so that the same trials always give the same interval.
 */
export function fixedSeries(): (bound: number) => number {
  let [a, b, c, d]: [number, number, number, number] = [...SEED];
  return (bound) => {
    const word = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return Math.floor((word / 2 ** 32) * bound);
  };
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
