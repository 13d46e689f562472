import { fixedSeries, seedOf } from "../evals/random.ts";
import type { Pace } from "./stages.ts";

/** Random draws of one stream. */
export interface Chance {
  /** Returns a number above 0 and below 1. */
  uniform: () => number;
  /** Returns an integer from 0 to below the bound. */
  below: (bound: number) => number;
  /** Returns a number from `min` to below `max`. */
  between: (min: number, max: number) => number;
  /** Returns true with the given probability. */
  isHit: (probability: number) => boolean;
  /** Returns one element of a list that is not empty. */
  pick: <Value>(values: readonly Value[]) => Value;
  /** Returns one value. Each is as likely as its weight is high. */
  weighted: <Value>(choices: readonly (readonly [Value, number])[]) => Value;
  /** Returns minutes from a log-normal distribution. */
  minutes: (pace: Pace) => number;
  /** Returns the values in random order (Fisher and Yates). */
  shuffle: <Value>(values: readonly Value[]) => Value[];
}

/** Returns the stream with a name. The same name always gives the same draws, whatever other streams are used for. */
export type Streams = (name: string) => Chance;

/** Returns the streams of a seed. */
export function streamsOf(seed: number): Streams {
  return (name) =>
    chanceFrom(fixedSeries(seedOf([seed, hashOf(name, FNV_OFFSET), hashOf(name, 0)])));
}

const WORD = 2 ** 32;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** FNV-1a over the UTF-16 code units. */
function hashOf(name: string, offset: number): number {
  let hash = offset;
  for (let index = 0; index < name.length; index += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(index), FNV_PRIME);
  }
  return hash >>> 0;
}

function chanceFrom(below: (bound: number) => number): Chance {
  const uniform = () => (below(WORD) + 0.5) / WORD;
  const pick = <Value>(values: readonly Value[]): Value => {
    const value = values[below(values.length)];
    if (value === undefined) throw new Error("There is nothing to pick from");
    return value;
  };
  return {
    uniform,
    below,
    between: (min, max) => min + uniform() * (max - min),
    isHit: (probability) => uniform() < probability,
    pick,
    weighted: (choices) => {
      let left = uniform() * choices.reduce((sum, [, weight]) => sum + weight, 0);
      const found = choices.find(([, weight]) => (left -= weight) < 0) ?? choices.at(-1);
      if (found === undefined) throw new Error("There is nothing to choose from");
      return found[0];
    },
    minutes: ({ medianMinutes, sigma }) => {
      // Box and Muller (1958).
      const normal = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
      return medianMinutes * Math.exp(sigma * normal);
    },
    shuffle: (values) => {
      const shuffled = [...values];
      for (let last = shuffled.length - 1; last > 0; last -= 1) {
        const other = below(last + 1);
        const [one, two] = [shuffled[last], shuffled[other]];
        // Both indexes are inside the list.
        shuffled[last] = two as (typeof values)[number];
        shuffled[other] = one as (typeof values)[number];
      }
      return shuffled;
    },
  };
}
