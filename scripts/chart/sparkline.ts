const BARS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;

/**
 * Returns one character for each value: a space for 0, otherwise a bar. The highest bar is the highest of the values, and
 * every other value has a bar of its share, rounded up, so that nothing above 0 disappears.
 */
export function sparkline(values: readonly number[]): string {
  const most = Math.max(0, ...values);
  return values
    .map((value) => (value <= 0 ? " " : (BARS[Math.ceil((value / most) * BARS.length) - 1] ?? "")))
    .join("");
}
