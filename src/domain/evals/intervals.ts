import { fixedSeries } from "./random.ts";

/** A 95% confidence interval. */
export type Interval = [low: number, high: number];

/** The 97.5% quantile of the normal distribution. */
export const Z = 1.959963984540054;

/** Returns Wilson's score interval for the probability of success (Wilson 1927). `trials` must be positive. */
export function wilsonInterval(successes: number, trials: number): Interval {
  const rate = successes / trials;
  const scale = 1 + Z ** 2 / trials;
  const center = (rate + Z ** 2 / (2 * trials)) / scale;
  const half = (Z / scale) * Math.sqrt((rate * (1 - rate)) / trials + Z ** 2 / (4 * trials ** 2));
  // At 0 and 1 the bound is exact. Rounding errors could otherwise exclude the rate itself.
  return [
    successes === 0 ? 0 : Math.max(0, center - half),
    successes === trials ? 1 : Math.min(1, center + half),
  ];
}

/**
 * Returns percentile bootstrap intervals of means over tasks (Efron 1979). Whole tasks are resampled, because the trials
 * of one task are not independent. Tasks with equal values form a group: `weights` has the number of tasks in each group,
 * and each statistic has one value per group. All statistics use the same resamples, drawn with `below`.
 */
export function bootstrapIntervals(
  weights: readonly number[],
  statistics: readonly (readonly number[])[],
  resamples: number,
  below = fixedSeries(),
): Interval[] {
  const groupOfTask = Uint32Array.from(
    weights.flatMap((tasks, group) => Array<number>(tasks).fill(group)),
  );
  const drawn = new Uint32Array(weights.length);
  const samples = statistics.map((values) => {
    return { values: Float64Array.from(values), means: new Float64Array(resamples) };
  });
  // Index loops, because most of a summary's time is spent here and iterators are several times slower.
  for (let resample = 0; resample < resamples; resample += 1) {
    drawn.fill(0);
    for (let draw = 0; draw < groupOfTask.length; draw += 1) {
      const group = groupOfTask[below(groupOfTask.length)] ?? 0;
      drawn[group] = (drawn[group] ?? 0) + 1;
    }
    for (const { values, means } of samples) {
      let sum = 0;
      for (let group = 0; group < values.length; group += 1) {
        sum += (values[group] ?? 0) * (drawn[group] ?? 0);
      }
      means[resample] = sum / groupOfTask.length;
    }
  }
  return samples.map(({ means }) => {
    means.sort();
    return [quantile(means, 0.025), quantile(means, 0.975)];
  });
}

/**
 * Returns the interval of a mean over tasks from the normal approximation, which the bootstrap approaches for many tasks.
 * The interval is clamped to the range of the values, because no resample can have a mean outside it.
 */
export function normalInterval(weights: readonly number[], values: readonly number[]): Interval {
  let [tasks, sum, squares] = [0, 0, 0];
  let [lowest, highest] = [Infinity, -Infinity];
  for (const [group, value] of values.entries()) {
    const weight = weights[group] ?? 0;
    tasks += weight;
    sum += weight * value;
    squares += weight * value ** 2;
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
  }
  const mean = sum / tasks;
  const half = Z * Math.sqrt(Math.max(0, squares / tasks - mean ** 2) / tasks);
  return [Math.max(lowest, mean - half), Math.min(highest, mean + half)];
}

/** Returns a quantile of a sorted sample, by linear interpolation. */
function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const before = Math.floor(place);
  const low = sorted[before] ?? Number.NaN;
  const high = sorted[before + 1] ?? low;
  return low + (high - low) * (place - before);
}
