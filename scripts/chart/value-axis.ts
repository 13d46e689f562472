/** How values are divided into the rows of a chart. */
export interface ValueAxis {
  /** How much one row stands for. */
  perRow: number;
  rows: number;
  /** The row, counted from 0 at the bottom, whose top edge is at `value`. */
  ticks: readonly { row: number; value: number }[];
}

const TICKS_MAX = 5;

/**
 * Divides 0 to `max` into at most `rowsMax` rows of 1, 2 or 5 times a power of ten. So every tick is at the edge of a row,
 * and no value is scaled to something between two rows.
 */
export function valueAxis(max: number, rowsMax: number): ValueAxis {
  const perRow = firstRound((round) => max / round <= rowsMax);
  const rows = Math.max(1, Math.ceil(max / perRow));
  const step = firstRound((round) => round % perRow === 0 && (rows * perRow) / round <= TICKS_MAX);
  const ticks = Array.from({ length: Math.floor((rows * perRow) / step) }, (_, index) => {
    const value = (index + 1) * step;
    return { value, row: value / perRow - 1 };
  });
  return { perRow, rows, ticks };
}

/** Returns the first of 1, 2, 5, 10, 20, 50, … that fits. */
function firstRound(fits: (round: number) => boolean): number {
  for (let power = 1; ; power *= 10) {
    const round = [1, 2, 5].map((digit) => digit * power).find(fits);
    if (round !== undefined) return round;
  }
}
