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

/** Divides all of a sample. */
export function per(sample: Sample, divisor: number): Sample {
  const { median, low, high, count } = sample;
  return { median: median / divisor, low: low / divisor, high: high / divisor, count };
}

/** How many milliseconds it takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/**
 * Measures two things in turn, so that whatever else happens on the machine happens to both. The first turns are not
 * counted: caches fill and code is compiled in them.
 */
export async function inTurn(
  figure: () => Promise<unknown>,
  baseline: () => Promise<unknown>,
  { turns, unmeasured = 1 }: { turns: number; unmeasured?: number },
): Promise<{ figure: Sample; baseline: Sample }> {
  const measured: { figure: number[]; baseline: number[] } = { figure: [], baseline: [] };
  for (let turn = -unmeasured; turn < turns; turn += 1) {
    // Neither always comes right after the other.
    const isFigureFirst = turn % 2 === 0;
    const first = await timed(isFigureFirst ? figure : baseline);
    const second = await timed(isFigureFirst ? baseline : figure);
    if (turn < 0) continue;
    measured.figure.push(isFigureFirst ? first : second);
    measured.baseline.push(isFigureFirst ? second : first);
  }
  return { figure: summarise(measured.figure), baseline: summarise(measured.baseline) };
}
