/** A range of time that is divided into columns of equal length. Times are in milliseconds since 1970. */
export interface TimeColumns {
  start: number;
  columnMs: number;
  columns: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** 1970 began on a Thursday; this is the first Monday. */
const MONDAY_MS = 4 * DAY_MS;

/** Lengths of columns in hours: divisors of a day, and then steps of a quarter of a day. */
const SHORT_COLUMNS = [1, 2, 3, 4, 6, 8, 12, 24];
const LONG_STEP = 6;

/** Divides a range into at most `columnsMax` columns. The first may begin before `start`, and the last end after `end`. */
export function timeColumns(start: number, end: number, columnsMax: number): TimeColumns {
  // One column is left for a range that begins and ends in the middle of columns.
  const hours = Math.max(end - start, 1) / (columnsMax - 1) / HOUR_MS;
  const columnMs =
    HOUR_MS *
    (SHORT_COLUMNS.find((each) => each >= hours) ?? Math.ceil(hours / LONG_STEP) * LONG_STEP);
  const first = Math.floor(start / columnMs) * columnMs;
  return { start: first, columnMs, columns: Math.max(1, Math.ceil((end - first) / columnMs)) };
}

/** Returns how long a column is: "2 hours", "3 days", "1 day and 4 hours". */
export function lengthOf({ columnMs }: TimeColumns): string {
  const hours = columnMs / HOUR_MS;
  const parts = [
    { count: Math.floor(hours / 24), unit: "day" },
    { count: hours % 24, unit: "hour" },
  ].filter(({ count }) => count > 0);
  return parts.map(({ count, unit }) => `${count} ${unit}${count === 1 ? "" : "s"}`).join(" and ");
}

/** A tick is at the beginning of its column. */
export interface TimeTick {
  column: number;
  label: string;
}

/** Columns between the beginnings of two labels: a date has up to six characters, and a space follows. */
const TICK_DISTANCE_MIN = 7;
const STEPS_MS = [
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR_MS),
  ...[1, 2].map((days) => days * DAY_MS),
  ...[1, 2, 4, 8, 16, 32].map((weeks) => weeks * 7 * DAY_MS),
];

/** Returns ticks at full hours, at midnights, or at the beginnings of weeks, by UTC. */
export function timeTicks({ start, columnMs, columns }: TimeColumns): TimeTick[] {
  const step =
    STEPS_MS.find((each) => each / columnMs >= TICK_DISTANCE_MIN) ?? columnMs * TICK_DISTANCE_MIN;
  const end = start + columns * columnMs;
  const ticks: TimeTick[] = [];
  const first = Math.ceil((start - MONDAY_MS) / step) * step + MONDAY_MS;
  for (let at = first; at < end; at += step) {
    ticks.push({ column: Math.floor((at - start) / columnMs), label: labelOf(at) });
  }
  return ticks;
}

/** Returns the two lines of an axis: a rule with ticks, and their labels. */
export function timeAxisLines(axis: TimeColumns): { rule: string; labels: string } {
  const rule = Array.from({ length: axis.columns }, () => "─");
  let labels = "";
  for (const { column, label } of timeTicks(axis)) {
    rule[column] = "┬";
    labels = labels.padEnd(column) + label;
  }
  return { rule: rule.join(""), labels };
}

const date = new Intl.DateTimeFormat("en-US", { month: "short", day: "numeric", timeZone: "UTC" });

/** Returns "Sep 7" for a midnight, else "14:00". */
function labelOf(at: number): string {
  if (at % DAY_MS === 0) return date.format(at);
  return new Date(at).toISOString().slice(11, 16);
}
