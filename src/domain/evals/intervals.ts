import { fixedSeries } from "./random.ts";

/** A 95 % confidence interval. */
export type Interval = [low: number, high: number];

/** The 97.5 % quantile of the normal distribution. */
const Z = 1.959963984540054;

/** Wilson's score interval for the chance behind `successes` of `trials` (Wilson 1927). */
export function wilsonInterval(successes: number, trials: number): Interval {
  const rate = successes / trials;
  const scale = 1 + Z ** 2 / trials;
  const centre = (rate + Z ** 2 / (2 * trials)) / scale;
  const half = (Z / scale) * Math.sqrt((rate * (1 - rate)) / trials + Z ** 2 / (4 * trials ** 2));
  // Exact at the ends, where rounding would leave the rate itself outside.
  return [
    successes === 0 ? 0 : Math.max(0, centre - half),
    successes === trials ? 1 : Math.min(1, centre + half),
  ];
}

/**
 * Percentile intervals of means over tasks, by resampling whole tasks (Efron 1979): the trials of one task belong
 * together. Tasks with the same values form a group; `weights` counts its tasks, and each statistic has one value
 * for each group. All statistics see the same resamples.
 */
export function bootstrapIntervals(
  weights: readonly number[],
  statistics: readonly (readonly number[])[],
  resamples: number,
): Interval[] {
  const groupOfTask = Uint32Array.from(
    weights.flatMap((tasks, group) => Array<number>(tasks).fill(group)),
  );
  const below = fixedSeries();
  const drawn = new Uint32Array(weights.length);
  const samples = statistics.map((values) => {
    return { values: Float64Array.from(values), means: new Float64Array(resamples) };
  });
  // Loops that count: nearly all of a summary's time is spent here, and iterators would take many times as much.
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
 * The interval of a mean over tasks by the normal distribution, to which the bootstrap comes the closer the more tasks
 * there are. No resample has a mean beyond the values, and so it has not either.
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

/** Between the two neighbours in a sorted sample, in proportion. */
function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const before = Math.floor(place);
  const low = sorted[before] ?? Number.NaN;
  const high = sorted[before + 1] ?? low;
  return low + (high - low) * (place - before);
}
