import { succeed, type Outcome, refuse, validationFailed } from "../refusals.ts";

/** The time that statistics are of: from its first moment up to, and without, its last; null is now. */
export interface Window {
  from: string;
  to: string | null;
}

/** What a caller says of it. */
interface AskedWindow {
  from?: string | undefined;
  to?: string | undefined;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export const WINDOW_DAYS_DEFAULT = 30;
/** More is another question than how things go, and it would read all that a tenant ever did. */
export const WINDOW_DAYS_MAX = 366;

/** The window as it was asked for, or the last thirty days of it. */
export function windowOf({ from, to }: AskedWindow, now: Date): Outcome<Window> {
  const endMs = to === undefined ? now.getTime() : Date.parse(to);
  const begin = from ?? told(endMs - WINDOW_DAYS_DEFAULT * DAY_MS);
  const beginMs = Date.parse(begin);
  if (to !== undefined && beginMs >= endMs) return emptyWindow();
  if (endMs - beginMs > WINDOW_DAYS_MAX * DAY_MS) {
    return tooLong("window_too_long", `A window is ${WINDOW_DAYS_MAX} days long at most.`);
  }
  return succeed({ from: begin, to: to ?? null });
}

export const BUCKET_SIZES = ["hour", "day", "week"] as const;
export type BucketSize = (typeof BUCKET_SIZES)[number];

/** One series has so many buckets at most. */
export const BUCKETS_MAX = 400;

/** How long a bucket is, in UTC, and how many there are when nobody says from when on. */
export const BUCKETS: Record<BucketSize, { lengthMs: number; countDefault: number }> = {
  hour: { lengthMs: HOUR_MS, countDefault: 48 },
  day: { lengthMs: DAY_MS, countDefault: 30 },
  week: { lengthMs: 7 * DAY_MS, countDefault: 26 },
};

/** A Monday, with which weeks begin. */
const MONDAY_MS = Date.UTC(1970, 0, 5);

/** A window of whole buckets. */
export interface BucketedWindow {
  from: string;
  to: string;
  lengthSeconds: number;
}

/** The whole buckets in which the window lies that was asked for; up to the present one where no end was named. */
export function bucketedWindowOf(
  { bucket, from, to }: AskedWindow & { bucket: BucketSize },
  now: Date,
): Outcome<BucketedWindow> {
  const { lengthMs, countDefault } = BUCKETS[bucket];
  const beginOf = (ms: number) => Math.floor((ms - MONDAY_MS) / lengthMs) * lengthMs + MONDAY_MS;
  const askedMs = from === undefined ? null : Date.parse(from);
  if (askedMs !== null && to !== undefined && askedMs >= Date.parse(to)) return emptyWindow();

  // The last moment of the window is just before its end.
  const lastMs = to === undefined ? Math.max(now.getTime(), askedMs ?? 0) : Date.parse(to) - 1;
  const endMs = beginOf(lastMs) + lengthMs;
  const beginMs = askedMs === null ? endMs - countDefault * lengthMs : beginOf(askedMs);
  if ((endMs - beginMs) / lengthMs > BUCKETS_MAX) {
    const message = `A series has ${BUCKETS_MAX} buckets at most: choose longer ones, or a shorter window.`;
    return tooLong("too_many_buckets", message);
  }
  return succeed({ from: told(beginMs), to: told(endMs), lengthSeconds: lengthMs / 1000 });
}

/** The starts of the window's buckets. */
export function bucketStarts({ from, to, lengthSeconds }: BucketedWindow): string[] {
  const [beginMs, lengthMs] = [Date.parse(from), lengthSeconds * 1000];
  return Array.from({ length: (Date.parse(to) - beginMs) / lengthMs }, (_, index) =>
    told(beginMs + index * lengthMs),
  );
}

/** With microseconds, as the database tells times. */
function told(ms: number): string {
  return new Date(ms).toISOString().replace("Z", "000Z");
}

function emptyWindow() {
  const message = "The window ends before it begins.";
  return refuse(validationFailed({ path: ["from"], code: "empty_window", message }));
}

function tooLong(code: "window_too_long" | "too_many_buckets", message: string) {
  return refuse(validationFailed({ path: ["from"], code, message }));
}
