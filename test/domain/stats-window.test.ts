import { describe, expect, test } from "vitest";
import {
  BUCKET_SIZES,
  BUCKETS,
  BUCKETS_MAX,
  bucketedWindowOf,
  bucketStarts,
  windowOf,
} from "../../src/domain/stats/window.ts";

/** A Friday. */
const NOW = new Date("2026-11-27T20:19:57.204Z");

describe("The window of statistics", () => {
  test("is the last thirty days where nothing is said, up to whatever moment it is", () => {
    expect(windowOf({}, NOW)).toEqual({
      ok: true,
      value: { from: "2026-10-28T20:19:57.204000Z", to: null },
    });
  });

  test("ends where it is said to, thirty days after its beginning unless that is said too", () => {
    const to = "2026-03-31T00:00:00.123456Z";
    expect(windowOf({ to }, NOW)).toEqual({
      ok: true,
      value: { from: "2026-03-01T00:00:00.123000Z", to },
    });
    const from = "2025-03-31T00:00:00.5Z";
    expect(windowOf({ from, to }, NOW)).toEqual({ ok: true, value: { from, to } });
  });

  test.each([
    ["it ends before it begins", { from: "2026-02-02T00:00:00Z", to: "2026-02-01T00:00:00Z" }],
    ["it ends as it begins", { from: "2026-02-01T00:00:00Z", to: "2026-02-01T00:00:00Z" }],
  ])("is refused where %s", (_, asked) => {
    const refusal = {
      code: "validation_failed",
      issues: [{ path: ["from"], code: "empty_window" }],
    };
    expect(windowOf(asked, NOW)).toMatchObject({ ok: false, refusal });
    for (const bucket of BUCKET_SIZES) {
      expect(bucketedWindowOf({ ...asked, bucket }, NOW)).toMatchObject({ ok: false, refusal });
    }
  });

  test("is a leap year long at most", () => {
    const to = "2025-01-01T00:00:00Z";
    expect(windowOf({ from: "2024-01-01T00:00:00Z", to }, NOW).ok).toBe(true);
    const issues = [{ path: ["from"], code: "window_too_long" }];
    const refused = { ok: false, refusal: { code: "validation_failed", issues } };
    expect(windowOf({ from: "2023-12-31T23:59:59.999Z", to }, NOW)).toMatchObject(refused);
    expect(windowOf({ from: "2025-11-26T00:00:00Z" }, NOW)).toMatchObject(refused);
  });

  test("may begin after now, where nothing is to be found yet", () => {
    const from = "2026-11-28T00:00:00Z";
    expect(windowOf({ from }, NOW)).toEqual({ ok: true, value: { from, to: null } });
    expect(bucketedWindowOf({ bucket: "day", from }, NOW)).toMatchObject({
      ok: true,
      value: { from: "2026-11-28T00:00:00.000000Z", to: "2026-11-29T00:00:00.000000Z" },
    });
  });
});

describe("Buckets", () => {
  test.each([
    ["hour", "2026-11-25T21:00:00.000000Z", "2026-11-27T21:00:00.000000Z", 48],
    ["day", "2026-10-29T00:00:00.000000Z", "2026-11-28T00:00:00.000000Z", 30],
    // Both are Mondays.
    ["week", "2026-06-01T00:00:00.000000Z", "2026-11-30T00:00:00.000000Z", 26],
  ] as const)(
    "by the %s are whole ones, and go through the present one",
    (bucket, from, to, count) => {
      const window = bucketedWindowOf({ bucket }, NOW);
      if (!window.ok) return expect.fail("It was refused");
      expect(window.value).toEqual({ from, to, lengthSeconds: BUCKETS[bucket].lengthMs / 1000 });
      const starts = bucketStarts(window.value);
      expect(starts).toHaveLength(count);
      expect(starts[0]).toBe(from);
      expect(Date.parse(starts.at(-1) ?? "") + BUCKETS[bucket].lengthMs).toBe(Date.parse(to));
    },
  );

  test("hold both ends of what was asked for, and begin none at its end", () => {
    const day = (from: string, to: string) => bucketedWindowOf({ bucket: "day", from, to }, NOW);
    const one = { from: "2026-03-01T00:00:00.000000Z", to: "2026-03-02T00:00:00.000000Z" };
    expect(day("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z")).toMatchObject({ value: one });
    expect(day("2026-03-01T23:59:59.999Z", "2026-03-02T00:00:00Z")).toMatchObject({ value: one });
    expect(day("2026-03-01T00:00:00Z", "2026-03-02T00:00:00.001Z")).toMatchObject({
      value: { ...one, to: "2026-03-03T00:00:00.000000Z" },
    });
  });

  test.each(BUCKET_SIZES)("by the %s are so many at most, and one more is refused", (bucket) => {
    const { lengthMs } = BUCKETS[bucket];
    // Both a Monday.
    const to = "2026-11-30T00:00:00Z";
    const from = (count: number) => new Date(Date.parse(to) - count * lengthMs).toISOString();
    expect(bucketedWindowOf({ bucket, from: from(BUCKETS_MAX), to }, NOW).ok).toBe(true);
    expect(bucketedWindowOf({ bucket, from: from(BUCKETS_MAX + 1), to }, NOW)).toMatchObject({
      ok: false,
      refusal: { code: "validation_failed", issues: [{ code: "too_many_buckets" }] },
    });
  });
});
