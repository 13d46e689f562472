import { bootstrapIntervals, type Interval, normalInterval, wilsonInterval } from "./intervals.ts";
import { passAtEach } from "./pass-at-k.ts";
import { type ScoreSummary, type SlotScores, summarizeScores } from "./scores.ts";
import type { SlotMember } from "./slot.ts";

/** The trials of one model on one task that have a verdict. Errored trials have none, and neither have scored ones. */
export interface Score {
  n: number;
  /** The number of trials that passed. */
  c: number;
}

/** The tasks on which a model has the same score. */
export interface ScoreGroup extends Score {
  tasks: number;
}

/** The results of one slot: of a model, or of the combination that `slotBy` of its evals names. */
export interface ModelScores {
  model: string;
  slot: Partial<Record<SlotMember, string | null>>;
  /** The revisions that were reported. Trials without one add none. */
  modelRevisions: readonly string[];
  errored: number;
  groups: readonly ScoreGroup[];
  /** Null if no trial has a score. */
  scores: SlotScores | null;
}

/** The tasks on which two models have the same pair of scores. */
export interface PairGroup {
  one: Score;
  other: Score;
  tasks: number;
}

/** How an interval was computed. */
export const INTERVAL_METHODS = ["wilson", "bootstrap", "normal"] as const;
export type IntervalMethod = (typeof INTERVAL_METHODS)[number];

/** A value for each k, keyed by k as a string. */
export type ByK<Value> = Record<string, Value>;

export interface ModelSummary extends Score {
  model: string;
  slot: ModelScores["slot"];
  modelRevisions: readonly string[];
  errored: number;
  scores: ScoreSummary | null;
  /** Null if no task has k scored trials. */
  passAt: ByK<number | null>;
  /** The number of tasks with at least k scored trials. */
  tasks: ByK<number>;
  /** The 95% intervals. Absent for a null value. */
  interval: ByK<Interval>;
  method: ByK<IntervalMethod>;
}

/** The difference between two models on the tasks that both were evaluated on. */
export interface Comparison {
  models: [one: string, other: string];
  /** Mean over tasks of the first model's pass@k minus the second's. Null if no task has k trials of both. */
  difference: ByK<number | null>;
  tasks: ByK<number>;
  /** The 95% intervals. Absent if the difference is the same for all tasks. */
  interval: ByK<Interval>;
}

export const RESAMPLES_MAX = 2000;
/** With fewer resamples the bounds of an interval would be too noisy. */
const RESAMPLES_MIN = 400;
/** In multiplications of a value by its count: about 250 ms of CPU time in a Worker. */
const WORK_MAX = 60_000_000;
/** The cost of drawing one task, in multiplications. */
const DRAW_WORK = 8;

/**
 * Returns the number of resamples for a summary: fewer for many tasks and values, and 0 if even RESAMPLES_MIN would take
 * too long. With 0, intervals use the normal approximation.
 */
export function resamplesFor(
  models: readonly (readonly { n: number; tasks: number }[])[],
  k: number,
): number {
  const work = models.reduce((sum, groups) => sum + workOf(groups, k), 0);
  const affordable = Math.floor(WORK_MAX / Math.max(work, 1));
  return affordable < RESAMPLES_MIN ? 0 : Math.min(RESAMPLES_MAX, affordable);
}

/** Returns the work of a model's groups and scores, as input of `resamplesFor`. Each draws for itself. */
export function workloads({ groups, scores }: ModelScores): { n: number; tasks: number }[][] {
  const values = scores?.values?.map(({ units }) => ({ n: 1, tasks: units })) ?? [];
  return [groups.map(({ n, tasks }) => ({ n, tasks })), values];
}

/** Returns the maximum work of one resample of a model, in multiplications. */
function workOf(groups: readonly { n: number; tasks: number }[], k: number): number {
  // Values over the same tasks share their draws. Each number of trials has its own set of tasks.
  const numbers = new Set(groups.map(({ n }) => Math.min(n, k)));
  const draws = [...numbers].reduce((sum, number) => {
    return sum + taskCount(groups.filter(({ n }) => n >= number));
  }, 0);
  return DRAW_WORK * draws + groups.reduce((sum, { n }) => sum + Math.min(n, k), 0);
}

/** Returns pass@1 to pass@k of one model with intervals, as means over tasks of equal weight. */
export function summarizeModel(scores: ModelScores, k: number, resamples: number): ModelSummary {
  const { model, slot, modelRevisions, errored, groups } = scores;
  const summary: ModelSummary = {
    model,
    slot,
    modelRevisions,
    n: groups.reduce((sum, { n, tasks }) => sum + n * tasks, 0),
    c: groups.reduce((sum, { c, tasks }) => sum + c * tasks, 0),
    errored,
    scores: scores.scores === null ? null : summarizeScores(scores.scores, resamples),
    passAt: {},
    tasks: {},
    interval: {},
    method: {},
  };
  const resampled: Estimate<ScoreGroup>[] = [];
  for (const estimate of estimatesOf(groups, k, ({ n, c }) => passAtEach(n, c, k))) {
    const { at, among, values } = estimate;
    const mean = meanOf(among, values);
    summary.passAt[at] = mean;
    summary.tasks[at] = taskCount(among);
    if (mean === null) continue;
    const exact = wilsonFor(estimate, mean);
    summary.method[at] = exact !== null ? "wilson" : resamples > 0 ? "bootstrap" : "normal";
    if (exact === null) resampled.push(estimate);
    else summary.interval[at] = exact;
  }
  Object.assign(summary.interval, intervalsOf(resampled, resamples));
  return summary;
}

/** Compares two models by task, so that hard and easy tasks affect both equally. */
export function compareModels(
  models: Comparison["models"],
  groups: readonly PairGroup[],
  { k, resamples }: { k: number; resamples: number },
): Comparison {
  const comparison: Comparison = { models, difference: {}, tasks: {}, interval: {} };
  const resampled: Estimate<PairGroup>[] = [];
  const differences = ({ one, other }: PairGroup) => {
    const subtracted = passAtEach(other.n, other.c, k);
    return passAtEach(one.n, one.c, k).map((value, index) => {
      const less = subtracted[index] ?? null;
      return value === null || less === null ? null : value - less;
    });
  };
  for (const estimate of estimatesOf(groups, k, differences)) {
    const { at, among, values } = estimate;
    comparison.difference[at] = meanOf(among, values);
    comparison.tasks[at] = taskCount(among);
    // If all tasks have the same difference, every resample is equal. An interval of zero width would claim too much.
    if (!areEqual(values)) resampled.push(estimate);
  }
  Object.assign(comparison.interval, intervalsOf(resampled, resamples));
  return comparison;
}

/** The groups of tasks that have a value at k, with those values. */
interface Estimate<Group> {
  at: number;
  among: readonly Group[];
  values: readonly number[];
}

function estimatesOf<Group>(
  groups: readonly Group[],
  k: number,
  valuesOf: (group: Group) => readonly (number | null)[],
): Estimate<Group>[] {
  const all = groups.map(valuesOf);
  return Array.from({ length: k }, (_, index) => {
    const among: Group[] = [];
    const values: number[] = [];
    for (const [place, group] of groups.entries()) {
      const value = all[place]?.[index] ?? null;
      if (value === null) continue;
      among.push(group);
      values.push(value);
    }
    return { at: index + 1, among, values };
  });
}

/**
 * Returns Wilson's interval if the mean comes from independent draws with two outcomes, or null if resampling is needed.
 * The draws are tasks that each pass or fail, or the trials of tasks that all have the same value.
 */
function wilsonFor({ at, among, values }: Estimate<ScoreGroup>, mean: number): Interval | null {
  const count = taskCount(among);
  if (count > 1 && values.every((value) => value === 0 || value === 1)) {
    const passed = among.filter((_, index) => values[index] === 1);
    return wilsonInterval(taskCount(passed), count);
  }
  if (!areEqual(values)) return null;
  const passed = among.reduce((sum, { c, tasks }) => sum + c * tasks, 0);
  const scored = among.reduce((sum, { n, tasks }) => sum + n * tasks, 0);
  const [low, high] = wilsonInterval(passed, scored);
  // pass@k increases with the probability of one trial, so the bounds of that probability give its bounds. Near n = k
  // the unbiased estimate can lie outside, so the interval is widened to include it.
  return [atLeastOnce(low, at), Math.max(atLeastOnce(high, at), mean)];
}

/** Returns true if all values are equal, apart from rounding errors. */
function areEqual(values: readonly number[]): boolean {
  const [first = 0] = values;
  return values.every((value) => Math.abs(value - first) < 1e-9);
}

function atLeastOnce(probability: number, trials: number): number {
  return 1 - (1 - probability) ** trials;
}

/** Returns the intervals for several k, by resampling, or by the normal approximation without resamples. */
function intervalsOf<Group extends { tasks: number }>(
  estimates: readonly Estimate<Group>[],
  resamples: number,
): ByK<Interval> {
  // The tasks with k trials are a subset of those with k - 1, so equal counts mean the same tasks.
  const sharing = Map.groupBy(estimates, ({ among }) => among.length);
  const intervals: ByK<Interval> = {};
  for (const together of sharing.values()) {
    const weights = together[0]?.among.map(({ tasks }) => tasks) ?? [];
    const statistics = together.map(({ values }) => values);
    const found =
      resamples > 0
        ? bootstrapIntervals(weights, statistics, resamples)
        : statistics.map((values) => normalInterval(weights, values));
    for (const [index, interval] of found.entries()) {
      const { at } = together[index] ?? {};
      if (at !== undefined) intervals[at] = interval;
    }
  }
  return intervals;
}

function meanOf(groups: readonly { tasks: number }[], values: readonly number[]): number | null {
  const count = taskCount(groups);
  if (count === 0) return null;
  return groups.reduce((sum, { tasks }, index) => sum + tasks * (values[index] ?? 0), 0) / count;
}

function taskCount(groups: readonly { tasks: number }[]): number {
  return groups.reduce((sum, { tasks }) => sum + tasks, 0);
}
