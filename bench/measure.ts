/** What came out of measuring one thing several times. */
export interface Sample {
  median: number;
  /** The middle half of what was measured lies between these. */
  low: number;
  high: number;
  count: number;
}

/** Sums up measurements by their median and quartiles: a machine that others use too has outliers, not a mean. */
export function summarise(values: readonly number[]): Sample {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (part: number) => sorted[Math.round((sorted.length - 1) * part)] ?? Number.NaN;
  return { median: at(0.5), low: at(0.25), high: at(0.75), count: sorted.length };
}

/** Two things that were measured against each other. */
export interface Measured {
  figure: Sample;
  baseline: Sample;
  /** The median of the turns' own: a machine that is slow for a while is slow for both. */
  ratio: number;
}

/** What one of many costs, on both sides. */
export function perEach(
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

/** Sums up turns in which both were measured. */
export function compare(turns: readonly { figure: number; baseline: number }[]): Measured {
  return {
    figure: summarise(turns.map(({ figure }) => figure)),
    baseline: summarise(turns.map(({ baseline }) => baseline)),
    ratio: summarise(turns.map(({ figure, baseline }) => figure / baseline)).median,
  };
}

/** How many milliseconds it takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

interface InTurnOptions {
  turns: number;
  unmeasured?: number;
  warm?: () => Promise<unknown>;
}

/**
 * Measures two things in turn, so that whatever else happens on the machine happens to both. The first turns are not
 * counted: caches fill and code is compiled in them. Where a baseline takes longer than idle connections are kept, `warm`
 * is what the figure does before each time that it is measured.
 */
export async function inTurn(
  figure: () => Promise<unknown>,
  baseline: () => Promise<unknown>,
  { turns, unmeasured = 1, warm = async () => {} }: InTurnOptions,
): Promise<Measured> {
  const timedFigure = async () => {
    await warm();
    return timed(figure);
  };
  const measured: { figure: number; baseline: number }[] = [];
  for (let turn = -unmeasured; turn < turns; turn += 1) {
    // Neither always comes right after the other.
    const isFigureFirst = turn % 2 === 0;
    const first = await (isFigureFirst ? timedFigure() : timed(baseline));
    const second = await (isFigureFirst ? timed(baseline) : timedFigure());
    if (turn < 0) continue;
    measured.push(
      isFigureFirst ? { figure: first, baseline: second } : { figure: second, baseline: first },
    );
  }
  return compare(measured);
}
