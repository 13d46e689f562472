import { describe, expect, test } from "vitest";
import { parseAfter, parseTime, parseTimeOrDay } from "../../src/domain/moments.ts";
import { chanceFrom } from "../support/chance.ts";

const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

const valueOf = (parsed: ReturnType<typeof parseTime>) =>
  parsed.ok ? parsed.value : `refused: ${parsed.message}`;

describe("A time", () => {
  test.each([
    ["2026-11-21T20:19:57Z", "2026-11-21T20:19:57.000000Z"],
    ["2026-11-22T01:49:57+05:30", "2026-11-21T20:19:57.000000Z"],
    ["2026-11-22T01:49:57 05:30", "2026-11-21T20:19:57.000000Z"],
    ["2026-11-22T01:49:57+0530", "2026-11-21T20:19:57.000000Z"],
    ["2026-11-21T12:19:57-08:00", "2026-11-21T20:19:57.000000Z"],
    ["2026-11-21T12:19:57-08", "2026-11-21T20:19:57.000000Z"],
    ["2026-11-21T20:19:57-00:00", "2026-11-21T20:19:57.000000Z"],
    ["2026-11-21t20:19:57z", "2026-11-21T20:19:57.000000Z"],
    ["2026-11-21 20:19:57Z", "2026-11-21T20:19:57.000000Z"],
    ["2026-11-21T20:19Z", "2026-11-21T20:19:00.000000Z"],
    ["2026-11-21T20:19:57.2Z", "2026-11-21T20:19:57.200000Z"],
    ["2026-11-21T20:19:57.204813Z", "2026-11-21T20:19:57.204813Z"],
    ["2026-11-21T20:19:57.204813999Z", "2026-11-21T20:19:57.204813Z"],
    ["2026-12-31T23:59:59.999999999Z", "2026-12-31T23:59:59.999999Z"],
    ["2027-01-01T00:30:00+01:00", "2026-12-31T23:30:00.000000Z"],
    ["2024-02-29T12:00:00+14:00", "2024-02-28T22:00:00.000000Z"],
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"],
    ["0001-01-01T00:00:00-00:01", "0001-01-01T00:01:00.000000Z"],
    ["9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"],
  ])("%s is %s", (text, expected) => {
    expect(valueOf(parseTime(text))).toBe(expected);
  });

  test.each([
    ["2026-11-21T20:19:60Z", /Leap seconds/],
    ["2026-11-21T20:19:57.1234567890Z", /nine|9 digits/],
    ["2026-11-21", /time is required/],
    ["2026-11-21T20:19:57", /with an offset/],
    ["2026-02-29T00:00:00Z", /no such time/],
    ["2026-13-01T00:00:00Z", /no such time/],
    ["2026-11-31T00:00:00Z", /no such time/],
    ["2026-11-21T24:00:00Z", /no such time/],
    ["2026-11-21T20:60:00Z", /no such time/],
    ["2026-11-21T20:19:61Z", /no such time/],
    ["2026-11-21T20:19:57+24:00", /no such time/],
    ["2026-11-21T20:19:57+05:60", /no such time/],
    ["0000-12-31T23:59:59Z", /year/],
    ["0001-01-01T00:00:00+00:01", /year/],
    ["9999-12-31T23:59:59-00:01", /year/],
    ["+12026-11-21T20:19:57Z", /with an offset/],
    ["2026-11-21T20:19:57.Z", /with an offset/],
    ["2026-11-21T20:19:57\u22125:00", /with an offset/],
    ["now", /with an offset/],
    ["", /with an offset/],
    ["1764000000", /with an offset/],
  ])("%j is refused, with the reason", (text, reason) => {
    expect(valueOf(parseTime(text))).toMatch(/^refused: /);
    expect(valueOf(parseTime(text))).toMatch(reason);
  });

  test(`is the same moment in every offset and with every number of digits (seed ${SEED})`, () => {
    const chance = chanceFrom(SEED);
    const two = (value: number) => String(value).padStart(2, "0");
    for (let count = 0; count < 5_000; count += 1) {
      const utcSeconds = Date.UTC(1000, 0, 1) / 1000 + chance.below(60_000_000_000 / 2);
      const nanoseconds = String(chance.below(1_000_000_000)).padStart(9, "0");
      const digits = nanoseconds.slice(0, chance.below(10));
      const minutes = chance.below(24 * 60) * (chance.isHit(0.5) ? 1 : -1);
      const local = new Date((utcSeconds + minutes * 60) * 1000).toISOString().slice(0, 19);
      const [hours, rest] = [Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
      const offset = `${minutes < 0 ? "-" : "+"}${two(hours)}:${two(rest)}`;
      const text = `${local}${digits === "" ? "" : `.${digits}`}${offset}`;
      const utc = new Date(utcSeconds * 1000).toISOString().slice(0, 19);
      const expected = `${utc}.${digits.slice(0, 6).padEnd(6, "0")}Z`;
      expect([text, valueOf(parseTime(text))]).toEqual([text, expected]);
      // An answer can be sent back.
      expect(valueOf(parseTime(expected))).toBe(expected);
    }
  });
});

describe("A date alone", () => {
  test.each([
    ["2026-11-21", "2026-11-21T00:00:00.000000Z", "2026-11-20T23:59:59.999999Z"],
    ["2024-03-01", "2024-03-01T00:00:00.000000Z", "2024-02-29T23:59:59.999999Z"],
    ["2026-01-01", "2026-01-01T00:00:00.000000Z", "2025-12-31T23:59:59.999999Z"],
    ["0001-01-01", "0001-01-01T00:00:00.000000Z", "0001-01-01T00:00:00.000000Z"],
  ])("%s bounds a window at %s, and what is after it includes the day", (day, bound, after) => {
    expect(valueOf(parseTimeOrDay(day))).toBe(bound);
    expect(valueOf(parseAfter(day))).toBe(after);
  });

  test.each(["2026-02-29", "2026-00-10", "2026-1-1", "20261121", "2026-11", "0000-05-05"])(
    "%s is no date",
    (text) => {
      expect(valueOf(parseTimeOrDay(text))).toMatch(/^refused/);
      expect(valueOf(parseAfter(text))).toMatch(/^refused/);
    },
  );

  test("does not change what a time means", () => {
    const text = "2026-11-22T01:49:57+05:30";
    expect(parseAfter(text)).toEqual(parseTime(text));
    expect(parseTimeOrDay(text)).toEqual(parseTime(text));
  });
});
