import { bootstrapIntervals, type Interval, normalInterval, Z } from "./intervals.ts";
import { fixedSeries, seedOf } from "./random.ts";

/**
 * The scores of one slot. The units of a summary are tasks, each with the mean of its trials' scores. With a single task
 * they are its trials.
 */
export interface SlotScores {
  /** The number of trials with a score. */
  n: number;
  /** The number of tasks with such a trial. */
  tasks: number;
  /** The number of units with each value. Null if there are too many values to read. */
  values: readonly { value: number; units: number }[] | null;
  mean: number;
  /** The sample standard deviation of the units by the root of their number. Null for a single unit. */
  standardError: number | null;
  /** The smallest and the largest value. */
  lowest: number;
  highest: number;
}

export interface ScoreSummary {
  n: number;
  tasks: number;
  mean: number;
  standardError: number | null;
  /** The 95% interval of the mean. Null if all units have the same value. */
  interval: Interval | null;
  method: "bootstrap" | "normal" | null;
}

/**
 * Returns the mean score of a slot, its standard error, and the percentile interval of a bootstrap over the units (Efron
 * and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13). The seed comes from the values, so the same
 * scores always give the same interval. Without resamples or values, the interval is the normal approximation.
 */
export function summarizeScores(scores: SlotScores, resamples: number): ScoreSummary {
  const { n, tasks, values } = scores;
  const { mean, standardError } = values === null ? scores : momentsOf(values);
  const summary = { n, tasks, mean, standardError };
  if (standardError === null || standardError === 0) {
    return { ...summary, interval: null, method: null };
  }
  if (values === null) {
    const half = Z * standardError;
    const bounds: Interval = [
      Math.max(scores.lowest, mean - half),
      Math.min(scores.highest, mean + half),
    ];
    return { ...summary, interval: bounds, method: "normal" };
  }
  const { scaled, weights, unscale } = scaledUnits(values);
  const [interval] =
    resamples > 0
      ? bootstrapIntervals(weights, [scaled], resamples, fixedSeries(seedOf(flat(values))))
      : [normalInterval(weights, scaled)];
  const [low = 0, high = 0] = interval ?? [];
  const method = resamples > 0 ? "bootstrap" : "normal";
  return { ...summary, interval: [unscale(low), unscale(high)], method };
}

type Values = NonNullable<SlotScores["values"]>;

const flat = (values: Values): number[] => values.flatMap(({ value, units }) => [value, units]);

/**
 * Returns the values divided by a power of two, so that no sum or square of the largest doubles overflows. `unscale`
 * takes a mean back, which lies between its values whatever its rounding.
 */
function scaledUnits(values: Values) {
  const given = values.map(({ value }) => value);
  const [lowest, highest] = [Math.min(...given), Math.max(...given)];
  const largest = Math.max(Math.abs(lowest), Math.abs(highest));
  // The logarithm of the largest double is rounded up, to an exponent that no double has.
  const scale = largest === 0 ? 1 : 2 ** Math.min(1023, Math.floor(Math.log2(largest)));
  return {
    scale,
    scaled: given.map((value) => value / scale),
    weights: values.map(({ units }) => units),
    unscale: (mean: number) => Math.min(Math.max(mean * scale, lowest), highest),
  };
}

function momentsOf(values: Values): Pick<SlotScores, "mean" | "standardError"> {
  const { scale, scaled, weights, unscale } = scaledUnits(values);
  const count = sumOf(weights);
  const mean = sumOf(scaled.map((value, index) => value * (weights[index] ?? 0))) / count;
  const squares = scaled.map((value, index) => (value - mean) ** 2 * (weights[index] ?? 0));
  // Equal values deviate by nothing, whatever the rounding of their mean.
  const variance = values.length === 1 ? 0 : sumOf(squares) / (count - 1);
  return {
    mean: unscale(mean),
    standardError: count === 1 ? null : Math.sqrt(variance / count) * scale,
  };
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
