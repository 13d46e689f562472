/** A time or a day as callers write it, or what is wrong with it. */
export type Parsed = { ok: true; value: string } | { ok: false; message: string };

/** RFC 3339. A query string turns the plus of an offset into a space. Postgres writes offsets without minutes. */
const TIME =
  /^(?<day>\d{4}-\d\d-\d\d)[Tt ](?<minute>\d\d:\d\d)(?::(?<second>\d\d)(?:[.,](?<fraction>\d+))?)?(?:[Zz]|(?<sign>[+ -])(?<hours>\d\d)(?::?(?<minutes>\d\d))?)$/;
const DAY = /^\d{4}-\d\d-\d\d$/;

const FRACTION_DIGITS_MAX = 9;
const MICROSECOND_DIGITS = 6;
const MINUTE_MS = 60_000;

/**
 * Parses a time with any offset, and returns it in UTC with microseconds, as the database keeps it. Further digits are cut
 * off, so a time never moves into the future.
 */
export function parseTime(text: string): Parsed {
  const {
    day,
    minute,
    second = "00",
    fraction = "",
    sign,
    hours,
    minutes,
  } = TIME.exec(text)?.groups ?? {};
  if (day === undefined || minute === undefined) {
    const message = DAY.test(text)
      ? "A time is required here, such as 2026-11-21T20:19:57Z."
      : "Must be a time with an offset, such as 2026-11-21T20:19:57Z or 2026-11-22T01:49:57+05:30.";
    return { ok: false, message };
  }
  if (second === "60") {
    return { ok: false, message: "Leap seconds are not supported. Use the next minute instead." };
  }
  if (fraction.length > FRACTION_DIGITS_MAX) {
    return {
      ok: false,
      message: `At most ${FRACTION_DIGITS_MAX} digits are allowed after the second.`,
    };
  }
  const [offsetHours, offsetMinutes] = [Number(hours ?? 0), Number(minutes ?? 0)];
  const localMs = millisecondsOf(day, `${minute}:${second}`);
  if (localMs === null || offsetHours > 23 || offsetMinutes > 59) {
    return { ok: false, message: "The calendar or the clock has no such time." };
  }
  const offsetMs = (offsetHours * 60 + offsetMinutes) * MINUTE_MS * (sign === "-" ? -1 : 1);
  const utc = new Date(localMs - offsetMs).toISOString();
  // Years outside of 0 to 9999 have a sign. ISO 8601 has a year 0; Postgres has none.
  if (!/^\d/.test(utc) || utc.startsWith("0000")) {
    return { ok: false, message: "The year must be from 1 to 9999 in UTC." };
  }
  const micros = fraction.slice(0, MICROSECOND_DIGITS).padEnd(MICROSECOND_DIGITS, "0");
  return { ok: true, value: `${utc.slice(0, "2026-11-21T20:19:57".length)}.${micros}Z` };
}

/** Parses a time, or a date, which means the first moment of that day in UTC. */
export function parseTimeOrDay(text: string): Parsed {
  return parseTime(DAY.test(text) ? `${text}T00:00:00Z` : text);
}

/** Parses a time, or a date, which stays a date: its first moment depends on a time zone (`momentIn`). */
export function parseTimeOrLocalDay(text: string): Parsed {
  const parsed = parseTimeOrDay(text);
  return parsed.ok && DAY.test(text) ? { ok: true, value: text } : parsed;
}

/** The time zones of the world are at most 14 hours from UTC, and one day is at most 25 hours long. */
const ZONE_MINUTES_MAX = 15 * 60;

/** Returns a time as it is, and the first moment of a date on the clocks of a time zone, in UTC. */
export function momentIn(timeZone: string, timeOrDay: string): string {
  if (!DAY.test(timeOrDay)) return timeOrDay;
  const clock = new Intl.DateTimeFormat("en-CA", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
  const midnightMs = Date.parse(timeOrDay);
  // Dates only go forward on a clock, even where it is set back, so the first moment can be found by bisection.
  let [before, reached] = [-ZONE_MINUTES_MAX, ZONE_MINUTES_MAX];
  while (reached - before > 1) {
    const middle = Math.floor((before + reached) / 2);
    if (clock.format(midnightMs + middle * MINUTE_MS) >= timeOrDay) reached = middle;
    else before = middle;
  }
  return new Date(midnightMs + reached * MINUTE_MS).toISOString().replace("Z", "000Z");
}

/** Parses the time after which something happened. A date means the moment before that day, so the day is included. */
export function parseAfter(text: string): Parsed {
  const parsed = parseTimeOrDay(text);
  if (!parsed.ok || !DAY.test(text)) return parsed;
  const before = new Date(Date.parse(parsed.value) - 1).toISOString();
  // The day before the first year is no time of Postgres, and nothing happened then.
  if (before.startsWith("0000")) return parsed;
  return { ok: true, value: before.replace(/\.\d+Z$/, ".999999Z") };
}

/** Returns null for a day or a time that does not exist, which Date.parse would move to the next one. */
function millisecondsOf(day: string, time: string): number | null {
  const ms = Date.parse(`${day}T${time}Z`);
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 19) !== `${day}T${time}`
    ? null
    : ms;
}
