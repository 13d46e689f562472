import { succeed, type Outcome, refuse, validationFailed } from "../refusals.ts";

/** The time range of a statistics query. `from` is inclusive, `to` is exclusive, and a null `to` is now. */
export interface Window {
  from: string;
  to: string | null;
}

/** The window as a caller states it. */
interface WindowInput {
  from?: string | undefined;
  to?: string | undefined;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export const WINDOW_DAYS_DEFAULT = 30;
/** A longer window says little about current work, and would read a tenant's whole history. */
export const WINDOW_DAYS_MAX = 366;

/**
 * Returns the requested window. `from` defaults to WINDOW_DAYS_DEFAULT before the end. Refuses a window that is empty or
 * longer than WINDOW_DAYS_MAX.
 */
export function windowOf({ from, to }: WindowInput, now: Date): Outcome<Window> {
  const endMs = to === undefined ? now.getTime() : Date.parse(to);
  const begin = from ?? timestampOf(endMs - WINDOW_DAYS_DEFAULT * DAY_MS);
  const beginMs = Date.parse(begin);
  if (to !== undefined && beginMs >= endMs) return emptyWindow();
  if (endMs - beginMs > WINDOW_DAYS_MAX * DAY_MS) {
    return tooLong(
      "window_too_long",
      `The window must not be longer than ${WINDOW_DAYS_MAX} days.`,
    );
  }
  return succeed({ from: begin, to: to ?? null });
}

export const BUCKET_SIZES = ["hour", "day", "week"] as const;
export type BucketSize = (typeof BUCKET_SIZES)[number];

/** The maximum number of buckets in a series. */
export const BUCKETS_MAX = 400;

/** The length of a bucket, and how many buckets a window has by default. Without a time zone, buckets are aligned to UTC. */
export const BUCKETS: Record<BucketSize, { lengthMs: number; countDefault: number }> = {
  hour: { lengthMs: HOUR_MS, countDefault: 48 },
  day: { lengthMs: DAY_MS, countDefault: 30 },
  week: { lengthMs: 7 * DAY_MS, countDefault: 26 },
};

/** A Monday, because weeks start on Monday. */
const MONDAY_MS = Date.UTC(1970, 0, 5);

/** A window of whole buckets. */
export interface BucketedWindow {
  from: string;
  to: string;
  lengthSeconds: number;
}

/**
 * Returns the requested window, extended to whole buckets. Without `to`, it ends with the current bucket. Refuses a
 * window that is empty or has more than BUCKETS_MAX buckets.
 */
export function bucketedWindowOf(
  { bucket, from, to }: WindowInput & { bucket: BucketSize },
  now: Date,
): Outcome<BucketedWindow> {
  const { lengthMs, countDefault } = BUCKETS[bucket];
  const beginOf = (ms: number) => Math.floor((ms - MONDAY_MS) / lengthMs) * lengthMs + MONDAY_MS;
  const fromMs = from === undefined ? null : Date.parse(from);
  if (fromMs !== null && to !== undefined && fromMs >= Date.parse(to)) return emptyWindow();

  // The last moment of the window is just before its end.
  const lastMs = to === undefined ? Math.max(now.getTime(), fromMs ?? 0) : Date.parse(to) - 1;
  const endMs = beginOf(lastMs) + lengthMs;
  const beginMs = fromMs === null ? endMs - countDefault * lengthMs : beginOf(fromMs);
  if ((endMs - beginMs) / lengthMs > BUCKETS_MAX) return tooManyBuckets();
  return succeed({
    from: timestampOf(beginMs),
    to: timestampOf(endMs),
    lengthSeconds: lengthMs / 1000,
  });
}

/** A window of whole buckets of a time zone. Only the database knows where they start. */
export interface ZonedWindow {
  bucket: BucketSize;
  timeZone: string;
  /** A time in the first bucket; null for the default number of buckets. */
  first: string | null;
  /** A time in the last bucket. */
  last: string;
  /** A window that contains all buckets, for the database to search in. */
  around: { from: string; to: string };
}

/**
 * Returns the requested window, in which days and weeks begin at midnight of the time zone. Refuses a window that is empty
 * or surely has more than BUCKETS_MAX buckets.
 */
export function zonedWindowOf(
  { bucket, timeZone, from, to }: WindowInput & { bucket: BucketSize; timeZone: string },
  now: Date,
): Outcome<ZonedWindow> {
  const { lengthMs, countDefault } = BUCKETS[bucket];
  const fromMs = from === undefined ? null : Date.parse(from);
  if (fromMs !== null && to !== undefined && fromMs >= Date.parse(to)) return emptyWindow();
  const lastMs = to === undefined ? Math.max(now.getTime(), fromMs ?? 0) : Date.parse(to) - 1;
  const beginMs = fromMs ?? lastMs - countDefault * lengthMs;
  if ((lastMs - beginMs) / lengthMs > BUCKETS_MAX + 1) return tooManyBuckets();
  // A day has at most 25 hours, and local midnight is at most 14 hours from that of UTC.
  const paddingMs = lengthMs + 2 * DAY_MS;
  return succeed({
    bucket,
    timeZone,
    first: fromMs === null ? null : timestampOf(fromMs),
    last: timestampOf(lastMs),
    around: { from: timestampOf(beginMs - paddingMs), to: timestampOf(lastMs + paddingMs) },
  });
}

/**
 * Whether a text names a time zone of the IANA database by area and location, or is `UTC`. Names without an area are not
 * accepted, because Postgres takes some of them for abbreviations: its `CET` has no summer time.
 */
export function isTimeZone(name: string): boolean {
  if (name === "UTC") return true;
  if (!/^[A-Za-z][\w+-]*(\/[A-Za-z][\w+-]*)+$/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

/** The refusal of a time zone that the database does not know. */
export function unknownTimeZone() {
  const message = "Must be a time zone of the IANA database, such as Europe/Berlin, or UTC.";
  return refuse(validationFailed({ path: ["timeZone"], code: "unknown_time_zone", message }));
}

/** Returns the start of each bucket of the window. */
export function bucketStarts({ from, to, lengthSeconds }: BucketedWindow): string[] {
  const [beginMs, lengthMs] = [Date.parse(from), lengthSeconds * 1000];
  return Array.from({ length: (Date.parse(to) - beginMs) / lengthMs }, (_, index) =>
    timestampOf(beginMs + index * lengthMs),
  );
}

/** Returns the time with microseconds, as the database formats it. */
function timestampOf(ms: number): string {
  return new Date(ms).toISOString().replace("Z", "000Z");
}

function emptyWindow() {
  const message = "The window must end after it starts.";
  return refuse(validationFailed({ path: ["from"], code: "empty_window", message }));
}

/** The refusal of a window with more than BUCKETS_MAX buckets. */
export function tooManyBuckets() {
  const message = `A series has at most ${BUCKETS_MAX} buckets. Choose longer buckets or a shorter window.`;
  return tooLong("too_many_buckets", message);
}

function tooLong(code: "window_too_long" | "too_many_buckets", message: string) {
  return refuse(validationFailed({ path: ["from"], code, message }));
}
