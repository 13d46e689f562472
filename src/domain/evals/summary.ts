import { bootstrapIntervals, type Interval, wilsonInterval } from "./intervals.ts";
import { passAtK } from "./pass-at-k.ts";

/** The scored trials of one model at one task. Errored ones are not scored: nobody judged. */
export interface Score {
  n: number;
  /** How many of them passed. */
  c: number;
}

/** Tasks at which a model has the same score. */
export interface ScoreGroup extends Score {
  tasks: number;
}

export interface ModelScores {
  model: string;
  /** The revisions that were tried; those without one are not named. */
  modelRevisions: readonly string[];
  errored: number;
  groups: readonly ScoreGroup[];
}

/** Tasks at which two models have the same pair of scores. */
export interface PairGroup {
  one: Score;
  other: Score;
  tasks: number;
}

/** How an interval was made. */
export const INTERVAL_METHODS = ["wilson", "bootstrap"] as const;
export type IntervalMethod = (typeof INTERVAL_METHODS)[number];

/** A figure for each k, under k as text. */
export type ByK<Value> = Record<string, Value>;

export interface ModelSummary extends Score {
  model: string;
  modelRevisions: readonly string[];
  errored: number;
  /** null where no task has k scored trials. */
  passAt: ByK<number | null>;
  /** The tasks behind each figure: those with k scored trials or more. */
  tasks: ByK<number>;
  /** 95 % each, where there is a figure. */
  interval: ByK<Interval>;
  method: ByK<IntervalMethod>;
}

/** How much better the first model is than the second at the tasks that both were tried at. */
export interface Comparison {
  models: [one: string, other: string];
  /** The mean over tasks of pass@k of the first less that of the second; null where no task has k of both. */
  difference: ByK<number | null>;
  tasks: ByK<number>;
  /** 95 % each, where tasks differ in their difference: a bootstrap over tasks. */
  interval: ByK<Interval>;
}

export const RESAMPLES_MAX = 2000;
const RESAMPLES_MIN = 400;
/** About a quarter of a second of a Worker's time. */
const WORK_MAX = 10_000_000;

/** Resamples of a summary: fewer where tasks are so many that each one says more. */
export function resamplesFor(groups: readonly (readonly { tasks: number }[])[], k: number): number {
  const work = groups.reduce((sum, group) => sum + taskCount(group) + group.length * k, 0);
  const affordable = Math.floor(WORK_MAX / Math.max(work, 1));
  return Math.min(RESAMPLES_MAX, Math.max(RESAMPLES_MIN, affordable));
}

/** pass@1..k of one model with intervals: the mean over tasks, each with the weight of one. */
export function summariseModel(scores: ModelScores, k: number, resamples: number): ModelSummary {
  const { model, modelRevisions, errored, groups } = scores;
  const summary: ModelSummary = {
    model,
    modelRevisions,
    n: groups.reduce((sum, { n, tasks }) => sum + n * tasks, 0),
    c: groups.reduce((sum, { c, tasks }) => sum + c * tasks, 0),
    errored,
    passAt: {},
    tasks: {},
    interval: {},
    method: {},
  };
  const bootstrapped: Estimate<ScoreGroup>[] = [];
  for (const estimate of estimatesOf(groups, k, ({ n, c }, at) => passAtK(n, c, at))) {
    const { at, among, values } = estimate;
    const mean = meanOf(among, values);
    summary.passAt[at] = mean;
    summary.tasks[at] = taskCount(among);
    if (mean === null) continue;
    const exact = wilsonFor(estimate, mean);
    summary.method[at] = exact === null ? "bootstrap" : "wilson";
    if (exact === null) bootstrapped.push(estimate);
    else summary.interval[at] = exact;
  }
  Object.assign(summary.interval, bootstrapAll(bootstrapped, resamples));
  return summary;
}

/** Two models, paired by task, so that hard and easy tasks weigh on both alike. */
export function compareModels(
  models: Comparison["models"],
  groups: readonly PairGroup[],
  { k, resamples }: { k: number; resamples: number },
): Comparison {
  const comparison: Comparison = { models, difference: {}, tasks: {}, interval: {} };
  const bootstrapped: Estimate<PairGroup>[] = [];
  const difference = ({ one, other }: PairGroup, at: number) => {
    const [first, second] = [passAtK(one.n, one.c, at), passAtK(other.n, other.c, at)];
    return first === null || second === null ? null : first - second;
  };
  for (const estimate of estimatesOf(groups, k, difference)) {
    const { at, among, values } = estimate;
    comparison.difference[at] = meanOf(among, values);
    comparison.tasks[at] = taskCount(among);
    // Of tasks that are all alike every resample is the same, and an interval of no width would claim too much.
    if (!areAlike(values)) bootstrapped.push(estimate);
  }
  Object.assign(comparison.interval, bootstrapAll(bootstrapped, resamples));
  return comparison;
}

/** The groups of tasks that have a figure at k, and that figure of each. */
interface Estimate<Group> {
  at: number;
  among: readonly Group[];
  values: readonly number[];
}

function estimatesOf<Group>(
  groups: readonly Group[],
  k: number,
  figure: (group: Group, at: number) => number | null,
): Estimate<Group>[] {
  return Array.from({ length: k }, (_, index) => {
    const at = index + 1;
    const found = groups.flatMap((group) => {
      const value = figure(group, at);
      return value === null ? [] : [{ group, value }];
    });
    return { at, among: found.map(({ group }) => group), values: found.map(({ value }) => value) };
  });
}

/**
 * Wilson's interval where independent draws with two outcomes lie behind the mean: tasks of which each either passes
 * or fails, or the trials of tasks that all came out alike, as a lone one does. null where only resampling tells.
 */
function wilsonFor({ at, among, values }: Estimate<ScoreGroup>, mean: number): Interval | null {
  const count = taskCount(among);
  if (count > 1 && values.every((value) => value === 0 || value === 1)) {
    const passed = among.filter((_, index) => values[index] === 1);
    return wilsonInterval(taskCount(passed), count);
  }
  if (!areAlike(values)) return null;
  const passed = among.reduce((sum, { c, tasks }) => sum + c * tasks, 0);
  const scored = among.reduce((sum, { n, tasks }) => sum + n * tasks, 0);
  const [low, high] = wilsonInterval(passed, scored);
  // pass@k grows with the chance of one trial, so its bounds are those of the chance. Close to n = k the unbiased
  // figure can lie beyond them, and the interval is widened to hold it.
  return [atLeastOnce(low, at), Math.max(atLeastOnce(high, at), mean)];
}

/** Whether all are one figure, but for what rounding makes of it on the way. */
function areAlike(values: readonly number[]): boolean {
  const [first = 0] = values;
  return values.every((value) => Math.abs(value - first) < 1e-9);
}

function atLeastOnce(chance: number, tries: number): number {
  return 1 - (1 - chance) ** tries;
}

/** Intervals of many k; those over the same tasks share their resamples. */
function bootstrapAll<Group extends { tasks: number }>(
  estimates: readonly Estimate<Group>[],
  resamples: number,
): ByK<Interval> {
  // A task with k trials has k - 1 too: the tasks of each k hold those of the next, so their number tells them apart.
  const sharing = Map.groupBy(estimates, ({ among }) => among.length);
  const intervals: ByK<Interval> = {};
  for (const together of sharing.values()) {
    const weights = together[0]?.among.map(({ tasks }) => tasks) ?? [];
    const statistics = together.map(({ values }) => values);
    const found = bootstrapIntervals(weights, statistics, resamples);
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
