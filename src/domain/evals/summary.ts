import { bootstrapIntervals, type Interval, normalInterval, wilsonInterval } from "./intervals.ts";
import { passAtEach } from "./pass-at-k.ts";

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
export const INTERVAL_METHODS = ["wilson", "bootstrap", "normal"] as const;
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
  /** 95 % each, where tasks differ in their difference. */
  interval: ByK<Interval>;
}

export const RESAMPLES_MAX = 2000;
/** With fewer the ends of an interval would be a matter of chance. */
const RESAMPLES_MIN = 400;
/** In products of a value and its count; about a quarter of a second of a Worker's time. */
const WORK_MAX = 60_000_000;
/** To draw one task takes as long as so many products. */
const DRAW_WORK = 8;

/**
 * Resamples of a summary: fewer where tasks and figures are many, and none where that would still take too long. There
 * the normal distribution says what resampling would.
 */
export function resamplesFor(
  models: readonly (readonly { n: number; tasks: number }[])[],
  k: number,
): number {
  const work = models.reduce((sum, groups) => sum + workOf(groups, k), 0);
  const affordable = Math.floor(WORK_MAX / Math.max(work, 1));
  return affordable < RESAMPLES_MIN ? 0 : Math.min(RESAMPLES_MAX, affordable);
}

/** The most that one resample of all figures of a model takes. */
function workOf(groups: readonly { n: number; tasks: number }[], k: number): number {
  // Figures of the same tasks share their draws, and each number of trials has tasks of its own.
  const numbers = new Set(groups.map(({ n }) => Math.min(n, k)));
  const draws = [...numbers].reduce((sum, number) => {
    return sum + taskCount(groups.filter(({ n }) => n >= number));
  }, 0);
  return DRAW_WORK * draws + groups.reduce((sum, { n }) => sum + Math.min(n, k), 0);
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

/** Two models, paired by task, so that hard and easy tasks weigh on both alike. */
export function compareModels(
  models: Comparison["models"],
  groups: readonly PairGroup[],
  { k, resamples }: { k: number; resamples: number },
): Comparison {
  const comparison: Comparison = { models, difference: {}, tasks: {}, interval: {} };
  const resampled: Estimate<PairGroup>[] = [];
  const differences = ({ one, other }: PairGroup) => {
    const subtracted = passAtEach(other.n, other.c, k);
    return passAtEach(one.n, one.c, k).map((figure, index) => {
      const less = subtracted[index] ?? null;
      return figure === null || less === null ? null : figure - less;
    });
  };
  for (const estimate of estimatesOf(groups, k, differences)) {
    const { at, among, values } = estimate;
    comparison.difference[at] = meanOf(among, values);
    comparison.tasks[at] = taskCount(among);
    // Of tasks that are all alike every resample is the same, and an interval of no width would claim too much.
    if (!areAlike(values)) resampled.push(estimate);
  }
  Object.assign(comparison.interval, intervalsOf(resampled, resamples));
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
  figuresOf: (group: Group) => readonly (number | null)[],
): Estimate<Group>[] {
  const figures = groups.map(figuresOf);
  return Array.from({ length: k }, (_, index) => {
    const among: Group[] = [];
    const values: number[] = [];
    for (const [place, group] of groups.entries()) {
      const value = figures[place]?.[index] ?? null;
      if (value === null) continue;
      among.push(group);
      values.push(value);
    }
    return { at: index + 1, among, values };
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

/** Intervals of many k by resampling, or as it would come out where there is no time for it. */
function intervalsOf<Group extends { tasks: number }>(
  estimates: readonly Estimate<Group>[],
  resamples: number,
): ByK<Interval> {
  // A task with k trials has k - 1 too: the tasks of each k hold those of the next, so their number tells them apart.
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
