import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Calendar,
  calendarOf,
  DAY_MS,
  MINUTE_MS,
  type OfficeHours,
} from "../../../src/domain/seed/office-hours.ts";

const ZONES = [
  "America/New_York",
  "Europe/Berlin",
  "Asia/Tokyo",
  "Africa/Cairo",
  "Australia/Lord_Howe",
];
const FROM = 9 * 60;
const TO = 17 * 60 + 30;
const hoursIn = (zone: string): OfficeHours => ({
  zone,
  days: [1, 2, 3, 4, 5],
  from: FROM,
  to: TO,
});

/** Asks Intl what a clock shows: the day of the week and the minute of the day. */
function shownIn(zone: string): (at: number) => { weekday: string; minute: number } {
  const clock = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  return (at) => {
    const parts = new Map(clock.formatToParts(at).map(({ type, value }) => [type, value]));
    const minute = Number(parts.get("hour")) * 60 + Number(parts.get("minute"));
    return { weekday: parts.get("weekday") ?? "", minute };
  };
}

const YEAR_MS = 366 * DAY_MS;
const anyTime = fc.integer({ min: 0, max: YEAR_MS / 1000 }).map((second) => {
  return Date.UTC(2026, 0, 1) + second * 1000;
});

/** Walks through the minutes between two times, as a slow but simple way to count working time. */
function workingMinutesBetween(calendar: Calendar, from: number, to: number): number {
  let minutes = 0;
  for (let at = from; at < to; at += MINUTE_MS) if (calendar.isWorking(at)) minutes += 1;
  return minutes;
}

test.each(ZONES)(
  "an office in %s that opens early keeps its hours on the days when clocks change",
  (zone) => {
    const hours = { zone, days: [0, 1, 2, 3, 4, 5, 6], from: 4 * 60, to: 6 * 60 };
    const calendar = calendarOf(hours);
    const shown = shownIn(zone);
    for (let day = 0; day < 366; day += 1) {
      const shift = calendar.shiftFrom(Date.UTC(2026, 0, 1) + day * DAY_MS);
      expect(shown(shift.from).minute, new Date(shift.from).toISOString()).toBe(hours.from);
      expect(shown(shift.to).minute, new Date(shift.to).toISOString()).toBe(hours.to);
    }
  },
);

describe.each(ZONES)("the calendar of an office in %s", (zone) => {
  const calendar = calendarOf(hoursIn(zone));
  const shown = shownIn(zone);

  test("is open exactly while the clocks there show office hours, all year", () => {
    fc.assert(
      fc.property(anyTime, (at) => {
        const { weekday, minute } = shown(at);
        const isOpen = !["Sat", "Sun"].includes(weekday) && minute >= FROM && minute < TO;
        expect(calendar.isWorking(at)).toBe(isOpen);
        expect(calendar.nextWorkingTime(at) === at).toBe(isOpen);
      }),
      { numRuns: 300 },
    );
  });

  test("finds the next working time, before which no one works", () => {
    fc.assert(
      fc.property(anyTime, (at) => {
        const next = calendar.nextWorkingTime(at);
        expect(calendar.isWorking(next)).toBe(true);
        if (next === at) return;
        expect(shown(next).minute).toBe(FROM);
        expect(workingMinutesBetween(calendar, at, next)).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  test("adds working minutes, and no others", () => {
    fc.assert(
      fc.property(anyTime, fc.integer({ min: 0, max: 1500 }), (at, minutes) => {
        const start = Math.floor(at / MINUTE_MS) * MINUTE_MS;
        const end = calendar.addWorkingMinutes(start, minutes);
        expect(calendar.isWorking(end)).toBe(true);
        expect(workingMinutesBetween(calendar, start, end)).toBe(minutes);
      }),
      { numRuns: 100 },
    );
  });
});

test("keeps its local hours across the end of summer time", () => {
  const berlin = calendarOf(hoursIn("Europe/Berlin"));
  const friday = Date.parse("2026-10-23T15:29:00Z");
  expect(new Date(berlin.addWorkingMinutes(friday, 1)).toISOString()).toBe(
    "2026-10-26T08:00:00.000Z",
  );
});

test("rests on the days of the week that the office hours name", () => {
  const cairo = calendarOf({ ...hoursIn("Africa/Cairo"), days: [0, 1, 2, 3, 4] });
  const thursday = Date.parse("2026-11-26T20:00:00Z");
  expect(new Date(cairo.nextWorkingTime(thursday)).toISOString()).toBe("2026-11-29T07:00:00.000Z");
});
