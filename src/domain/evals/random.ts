type Seed = readonly [number, number, number, number];

/** Any nonzero seed: the first 128 bits of the fractional part of pi. */
const SEED: Seed = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344];

/**
 * Returns a generator of integers from 0 to below a bound. It is xoshiro128** (Blackman and Vigna, "Scrambled Linear
 * Pseudorandom Number Generators", 2021) with a fixed seed, so that the same trials always give the same interval.
 */
export function fixedSeries(seed: Seed = SEED): (bound: number) => number {
  let [a, b, c, d]: [number, number, number, number] = [...seed];
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

/** Returns a seed that depends on every bit of the numbers: each is mixed in as MurmurHash3 ends (Appleby 2011). */
export function seedOf(numbers: readonly number[]): Seed {
  const words = new Uint32Array(Float64Array.from(numbers).buffer);
  const hash = (start: number) => words.reduce((mixed, word) => mix(mixed ^ word), start);
  const [a, b, c, d] = SEED;
  return [hash(a), hash(b), hash(c), hash(d)];
}

function mix(word: number): number {
  const first = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35);
  return (second ^ (second >>> 16)) >>> 0;
}
