/** When someone works, on the clocks of a time zone. */
export interface OfficeHours {
  /** An IANA time zone. */
  zone: string;
  /** Days of the week, from 0 (Sunday) to 6. */
  days: readonly number[];
  /** Minutes after midnight. The last minute is not included. */
  from: number;
  to: number;
}

/** The working time of a person. Times are in milliseconds since 1970. */
export interface Calendar {
  isWorking: (at: number) => boolean;
  /** Returns `at` if the person works then, and otherwise the next time at which work begins. */
  nextWorkingTime: (at: number) => number;
  /** Returns the time at which the person has worked for so many minutes since `at`, in whole seconds. */
  addWorkingMinutes: (at: number, minutes: number) => number;
  /** Returns the shift that contains `at`, or the next one. */
  shiftFrom: (at: number) => Shift;
}

/** A stretch of working time, without its end. */
export interface Shift {
  from: number;
  to: number;
}

export const MINUTE_MS = 60_000;
export const DAY_MS = 24 * 60 * MINUTE_MS;
const SECOND_MS = 1000;

/** 1970 began on a Thursday. */
const FIRST_WEEKDAY = 4;

/**
 * Returns the calendar of office hours. It asks Intl for the offset of the zone four times for each day that it needs,
 * and remembers the shifts.
 */
export function calendarOf({ zone, days, from, to }: OfficeHours): Calendar {
  const clock = clockOf(zone);
  const shifts = new Map<number, Shift | null>();
  const shiftOn = (day: number): Shift | null => {
    const known = shifts.get(day);
    if (known !== undefined) return known;
    const isWorkday = days.includes((((day + FIRST_WEEKDAY) % 7) + 7) % 7);
    const instant = (minutes: number) => instantOf(clock, day * DAY_MS + minutes * MINUTE_MS);
    const shift = isWorkday ? { from: instant(from), to: instant(to) } : null;
    shifts.set(day, shift);
    return shift;
  };
  const shiftFrom = (at: number): Shift => {
    // No zone is a whole day away from UTC, so a shift that is in progress began yesterday or today by UTC.
    for (let day = Math.floor(at / DAY_MS) - 1; ; day += 1) {
      const shift = shiftOn(day);
      if (shift !== null && shift.to > at) return shift;
    }
  };
  const nextWorkingTime = (at: number) => Math.max(at, shiftFrom(at).from);
  return {
    isWorking: (at) => shiftFrom(at).from <= at,
    nextWorkingTime,
    addWorkingMinutes: (at, minutes) => {
      let left = Math.round((minutes * MINUTE_MS) / SECOND_MS) * SECOND_MS;
      let time = Math.ceil(at / SECOND_MS) * SECOND_MS;
      for (;;) {
        const shift = shiftFrom(time);
        time = Math.max(time, shift.from);
        if (time + left < shift.to) return time + left;
        left -= shift.to - time;
        time = shift.to;
      }
    },
    shiftFrom,
  };
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Formatters are slow to create, and there are few zones. */
function clockOf(zone: string): Intl.DateTimeFormat {
  const known = clocks.get(zone);
  if (known !== undefined) return known;
  const clock = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  clocks.set(zone, clock);
  return clock;
}

/** Returns the instant at which a clock shows a local time. Between two offsets, the second guess is right. */
function instantOf(clock: Intl.DateTimeFormat, local: number): number {
  const guess = local - offsetAt(clock, local);
  return local - offsetAt(clock, guess);
}

/** Returns how far a clock is ahead of UTC at an instant. */
function offsetAt(clock: Intl.DateTimeFormat, at: number): number {
  const parts: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const { type, value } of clock.formatToParts(at)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return (
    Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / SECOND_MS) * SECOND_MS
  );
}
