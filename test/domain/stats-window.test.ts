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

describe("the time window of statistics", () => {
  test("is by default the last thirty days, without an end", () => {
    expect(windowOf({}, NOW)).toEqual({
      ok: true,
      value: { from: "2026-10-28T20:19:57.204000Z", to: null },
    });
  });

  test("keeps a given start and end, and starts by default thirty days before the end", () => {
    const to = "2026-03-31T00:00:00.123456Z";
    expect(windowOf({ to }, NOW)).toEqual({
      ok: true,
      value: { from: "2026-03-01T00:00:00.123000Z", to },
    });
    const from = "2025-03-31T00:00:00.5Z";
    expect(windowOf({ from, to }, NOW)).toEqual({ ok: true, value: { from, to } });
  });

  test.each([
    ["it ends before it starts", { from: "2026-02-02T00:00:00Z", to: "2026-02-01T00:00:00Z" }],
    ["it ends when it starts", { from: "2026-02-01T00:00:00Z", to: "2026-02-01T00:00:00Z" }],
  ])("is refused if %s", (_, requested) => {
    const refusal = {
      code: "validation_failed",
      issues: [{ path: ["from"], code: "empty_window" }],
    };
    expect(windowOf(requested, NOW)).toMatchObject({ ok: false, refusal });
    for (const bucket of BUCKET_SIZES) {
      expect(bucketedWindowOf({ ...requested, bucket }, NOW)).toMatchObject({ ok: false, refusal });
    }
  });

  test("is at most a leap year long", () => {
    const to = "2025-01-01T00:00:00Z";
    expect(windowOf({ from: "2024-01-01T00:00:00Z", to }, NOW).ok).toBe(true);
    const issues = [{ path: ["from"], code: "window_too_long" }];
    const refused = { ok: false, refusal: { code: "validation_failed", issues } };
    expect(windowOf({ from: "2023-12-31T23:59:59.999Z", to }, NOW)).toMatchObject(refused);
    expect(windowOf({ from: "2025-11-26T00:00:00Z" }, NOW)).toMatchObject(refused);
  });

  test("can start in the future", () => {
    const from = "2026-11-28T00:00:00Z";
    expect(windowOf({ from }, NOW)).toEqual({ ok: true, value: { from, to: null } });
    expect(bucketedWindowOf({ bucket: "day", from }, NOW)).toMatchObject({
      ok: true,
      value: { from: "2026-11-28T00:00:00.000000Z", to: "2026-11-29T00:00:00.000000Z" },
    });
  });
});

describe("buckets", () => {
  test.each([
    ["hour", "2026-11-25T21:00:00.000000Z", "2026-11-27T21:00:00.000000Z", 48],
    ["day", "2026-10-29T00:00:00.000000Z", "2026-11-28T00:00:00.000000Z", 30],
    // Both dates are Mondays.
    ["week", "2026-06-01T00:00:00.000000Z", "2026-11-30T00:00:00.000000Z", 26],
  ] as const)("by the %s are whole, and include the current one", (bucket, from, to, count) => {
    const window = bucketedWindowOf({ bucket }, NOW);
    if (!window.ok) return expect.fail("It was refused");
    expect(window.value).toEqual({ from, to, lengthSeconds: BUCKETS[bucket].lengthMs / 1000 });
    const starts = bucketStarts(window.value);
    expect(starts).toHaveLength(count);
    expect(starts[0]).toBe(from);
    expect(Date.parse(starts.at(-1) ?? "") + BUCKETS[bucket].lengthMs).toBe(Date.parse(to));
  });

  test("contain both ends of the window, and none starts at its end", () => {
    const day = (from: string, to: string) => bucketedWindowOf({ bucket: "day", from, to }, NOW);
    const firstDay = { from: "2026-03-01T00:00:00.000000Z", to: "2026-03-02T00:00:00.000000Z" };
    expect(day("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z")).toMatchObject({ value: firstDay });
    expect(day("2026-03-01T23:59:59.999Z", "2026-03-02T00:00:00Z")).toMatchObject({
      value: firstDay,
    });
    expect(day("2026-03-01T00:00:00Z", "2026-03-02T00:00:00.001Z")).toMatchObject({
      value: { ...firstDay, to: "2026-03-03T00:00:00.000000Z" },
    });
  });

  test.each(BUCKET_SIZES)("by the %s are limited to BUCKETS_MAX", (bucket) => {
    const { lengthMs } = BUCKETS[bucket];
    // A Monday, so that a week starts here as well as an hour and a day.
    const to = "2026-11-30T00:00:00Z";
    const from = (count: number) => new Date(Date.parse(to) - count * lengthMs).toISOString();
    expect(bucketedWindowOf({ bucket, from: from(BUCKETS_MAX), to }, NOW).ok).toBe(true);
    expect(bucketedWindowOf({ bucket, from: from(BUCKETS_MAX + 1), to }, NOW)).toMatchObject({
      ok: false,
      refusal: { code: "validation_failed", issues: [{ code: "too_many_buckets" }] },
    });
  });
});
