/** A summary of several measurements of one thing. */
export interface Sample {
  median: number;
  /** The first quartile. */
  low: number;
  /** The third quartile. */
  high: number;
  count: number;
}

/** Returns the median and the quartiles. Unlike a mean, they are robust against outliers on a shared machine. */
export function summarize(values: readonly number[]): Sample {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (part: number) => sorted[Math.round((sorted.length - 1) * part)] ?? Number.NaN;
  return { median: at(0.5), low: at(0.25), high: at(0.75), count: sorted.length };
}

/** A figure and the baseline that it was measured against. */
export interface Measured {
  figure: Sample;
  baseline: Sample;
  /** The median of the ratios of the turns. Within a turn, a slow phase of the machine affects both sides. */
  ratio: number;
}

/** Returns the cost per item on both sides. */
export function perItem(
  { figure, baseline, ratio }: Measured,
  counts: { figure: number; baseline: number },
): Measured {
  return {
    figure: per(figure, counts.figure),
    baseline: per(baseline, counts.baseline),
    ratio: (ratio * counts.baseline) / counts.figure,
  };
}

function per({ median, low, high, count }: Sample, divisor: number): Sample {
  return { median: median / divisor, low: low / divisor, high: high / divisor, count };
}

/** Summarizes turns in which both sides were measured. */
export function compare(turns: readonly { figure: number; baseline: number }[]): Measured {
  return {
    figure: summarize(turns.map(({ figure }) => figure)),
    baseline: summarize(turns.map(({ baseline }) => baseline)),
    ratio: summarize(turns.map(({ figure, baseline }) => figure / baseline)).median,
  };
}

/** Returns how long `work` takes, in milliseconds. */
async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

interface TurnOptions {
  turns: number;
  /** Turns before the measured ones, in which caches fill and code is compiled. */
  warmUpTurns?: number;
  /** Runs before each measurement of the figure. Use it if the baseline takes longer than idle connections live. */
  beforeFigure?: () => Promise<unknown>;
}

/** Measures two things alternately, so that other load on the machine affects both. */
export async function measureInTurns(
  figure: () => Promise<unknown>,
  baseline: () => Promise<unknown>,
  { turns, warmUpTurns = 1, beforeFigure = async () => {} }: TurnOptions,
): Promise<Measured> {
  const timeOfFigure = async () => {
    await beforeFigure();
    return timeOf(figure);
  };
  const measured: { figure: number; baseline: number }[] = [];
  for (let turn = -warmUpTurns; turn < turns; turn += 1) {
    // Swap the order in every turn, so that no side always runs right after the other.
    const isFigureFirst = turn % 2 === 0;
    const first = await (isFigureFirst ? timeOfFigure() : timeOf(baseline));
    const second = await (isFigureFirst ? timeOf(baseline) : timeOfFigure());
    if (turn < 0) continue;
    measured.push(
      isFigureFirst ? { figure: first, baseline: second } : { figure: second, baseline: first },
    );
  }
  return compare(measured);
}
