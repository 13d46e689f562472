import { beforeAll, describe, expect, inject, it, test } from "vitest";
import type { Throughput } from "../../../src/db/stats/throughput.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";
import { chanceFrom } from "../../support/chance.ts";

const { seed } = inject("stack");
const HOUR_MS = 3_600_000;

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

interface Answer extends Throughput {
  timeZone: string;
}
const read = async (query: string) =>
  expectDone(await api.call<Answer>("GET", `/stats/throughput?${query}`, { as: "viewer" }));

/** A moment on the clocks of a zone, as the runtime's own table of time zones has it. */
function localOf(ms: number, timeZone: string) {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    weekday: "short",
    timeZoneName: "longOffset",
  }).formatToParts(ms);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? "";
  const date = `${part("year")}-${part("month")}-${part("day")}`;
  // An hour that clocks show again after summer time is another hour.
  const hour = `${date} ${part("hour")} ${part("timeZoneName")}`;
  return { date, hour, weekday: part("weekday") };
}

const lengthsOf = ({ buckets, to }: Answer) =>
  buckets.map(({ start }, index) => {
    const end = buckets[index + 1]?.start ?? to;
    return (Date.parse(end) - Date.parse(start)) / HOUR_MS;
  });

describe("The days of a time zone", () => {
  test.each([
    ["Europe/Berlin", "2025-03-29T12:00:00Z", "2025-03-31T12:00:00Z", [24, 23, 24]],
    ["Europe/Berlin", "2025-10-25T12:00:00Z", "2025-10-27T12:00:00Z", [24, 25, 24]],
    ["America/New_York", "2025-11-01T12:00:00Z", "2025-11-03T12:00:00Z", [24, 25, 24]],
    // Midnight occurs twice: the day begins with the first one.
    ["America/Havana", "2025-11-01T12:00:00Z", "2025-11-03T12:00:00Z", [24, 25, 24]],
    // Midnight does not occur.
    ["America/Havana", "2025-03-08T12:00:00Z", "2025-03-10T12:00:00Z", [24, 23, 24]],
    ["Asia/Beirut", "2022-03-26T12:00:00Z", "2022-03-28T12:00:00Z", [24, 23, 24]],
    // Half an hour.
    ["Australia/Lord_Howe", "2025-04-04T22:00:00Z", "2025-04-06T22:00:00Z", [24, 24.5, 24]],
    // The islands left out the 30th of December.
    ["Pacific/Apia", "2011-12-29T22:00:00Z", "2012-01-01T08:00:00Z", [24, 24, 24]],
    ["Asia/Kathmandu", "2025-10-25T12:00:00Z", "2025-10-27T12:00:00Z", [24, 24, 24]],
  ])("%s have from %s to %s: %j hours", async (timeZone, from, to, hours) => {
    const answer = await read(`timeZone=${timeZone}&from=${from}&to=${to}`);
    expect(answer.timeZone).toBe(timeZone);
    expect(lengthsOf(answer)).toEqual(hours);
    expect(answer.from).toBe(answer.buckets[0]?.start);
    expect(Date.parse(answer.from)).toBeLessThanOrEqual(Date.parse(from));
    expect(Date.parse(answer.to)).toBeGreaterThanOrEqual(Date.parse(to));
  });

  const ZONES = [
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Havana",
    "America/St_Johns",
    "Atlantic/Azores",
    "Asia/Beirut",
    "Asia/Kolkata",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Auckland",
    "Africa/Cairo",
  ] as const;
  const NEXT = { hour: 72, day: 40 * 24, week: 60 * 7 * 24 } as const;

  it(`begin where the clocks of the zone show another day, week or hour (replay with SEED=${seed})`, async () => {
    const { below } = chanceFrom(seed);
    for (let index = 0; index < 60; index += 1) {
      const timeZone = ZONES[below(ZONES.length)] ?? "Europe/Berlin";
      const bucket = (["hour", "day", "week"] as const)[below(3)] ?? "day";
      const fromMs = Date.UTC(2015, 0, 1) + below(10 * 365 * 24 * 60) * 60_000;
      const toMs = fromMs + (1 + below(NEXT[bucket])) * HOUR_MS;
      const [from, to] = [fromMs, toMs].map((ms) => new Date(ms).toISOString());
      const query = `timeZone=${timeZone}&bucket=${bucket}&from=${from}&to=${to}`;
      const answer = await read(query);
      const unit = bucket === "hour" ? "hour" : "date";
      const starts = [...answer.buckets.map(({ start }) => start), answer.to].map((start) =>
        Date.parse(start),
      );
      expect(starts[0], query).toBeLessThanOrEqual(fromMs);
      expect(starts[1], query).toBeGreaterThan(fromMs);
      expect(starts.at(-1), query).toBeGreaterThanOrEqual(toMs);
      expect(starts.at(-2), query).toBeLessThan(toMs);
      for (const [place, start] of starts.entries()) {
        const here = localOf(start, timeZone);
        expect(localOf(start - 1, timeZone)[unit], `${query} at ${place}`).not.toBe(here[unit]);
        if (bucket === "week") expect(here.weekday, query).toBe("Mon");
        const next = starts[place + 1];
        if (next === undefined || bucket === "week") continue;
        expect(localOf(next - 1, timeZone)[unit], `${query} at ${place}`).toBe(here[unit]);
      }
    }
  });

  test.each([
    ["Europe/London", "2016-10-30T00:30:00Z", "2016-10-30T02:30:00Z", [1, 1, 1]],
    ["Europe/London", "2016-03-27T00:30:00Z", "2016-03-27T01:30:00Z", [1, 1]],
    ["Australia/Lord_Howe", "2025-04-05T14:15:00Z", "2025-04-05T16:00:00Z", [1, 0.5, 1]],
    // From 3:45 back to 2:45.
    ["Pacific/Chatham", "2021-04-03T13:30:00Z", "2021-04-03T14:30:00Z", [0.75, 0.25, 1]],
    ["Australia/Lord_Howe", "2025-10-04T14:45:00Z", "2025-10-04T16:15:00Z", [1, 0.5, 1]],
  ])("%s have from %s to %s hours of %j hours", async (timeZone, from, to, lengths) => {
    const answer = await read(`timeZone=${timeZone}&bucket=hour&from=${from}&to=${to}`);
    expect(lengthsOf(answer)).toEqual(lengths);
  });

  it(`begin and end with the days of the zone that a caller names (replay with SEED=${seed})`, async () => {
    const { below } = chanceFrom(seed);
    for (let index = 0; index < 40; index += 1) {
      const timeZone = ["UTC", ...ZONES][below(ZONES.length + 1)] ?? "UTC";
      const fromMs = Date.UTC(2015, 0, 1) + below(10 * 365) * 24 * HOUR_MS;
      const toMs = fromMs + (1 + below(30)) * 24 * HOUR_MS;
      const [from, to] = [fromMs, toMs].map((ms) => new Date(ms).toISOString().slice(0, 10));
      const query = `timeZone=${timeZone}&from=${from}&to=${to}`;
      const answer = await read(query);
      for (const [moment, day] of [
        [answer.from, from],
        [answer.to, to],
      ] as const) {
        const ms = Date.parse(moment);
        expect(localOf(ms, timeZone).date, query).toBe(day);
        expect(localOf(ms - 1, timeZone).date, query).not.toBe(day);
      }
    }
  });

  it("count a change on the day on which it happened there", async () => {
    const task = await api.givenTask();
    const [event] = expectDone(
      await api.call<{ data: { at: string }[] }>("GET", `/tasks/${task.id}/events`),
    ).data;
    const at = event?.at ?? "";
    const to = new Date(Date.parse(at) + 48 * HOUR_MS).toISOString();
    const from = new Date(Date.parse(at) - 48 * HOUR_MS).toISOString();
    for (const timeZone of ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu"]) {
      const { buckets } = await read(`timeZone=${timeZone}&from=${from}&to=${to}`);
      const counted = buckets.filter(({ created }) => created > 0);
      expect(counted.map(({ start }) => localOf(Date.parse(start), timeZone).date)).toEqual([
        localOf(Date.parse(at), timeZone).date,
      ]);
    }
  });

  it("are by default as many as in UTC, up to the current one", async () => {
    for (const [bucket, count] of [
      ["hour", 48],
      ["day", 30],
      ["week", 26],
    ] as const) {
      const answer = await read(`bucket=${bucket}&timeZone=Europe/Berlin`);
      // The hour of a change is in a window of hours twice or not at all.
      expect(answer.buckets.length).toBeGreaterThanOrEqual(count);
      expect(answer.buckets.length).toBeLessThanOrEqual(count + 1);
      expect(Date.parse(answer.to)).toBeGreaterThan(Date.now());
    }
  });

  it("take one round trip", async () => {
    await api.call("GET", "/registry", { as: "viewer" });
    await api.database.resetRoundTrips();
    await read("timeZone=Europe/Berlin");
    expect(await api.database.roundTrips()).toBe(1);
  });
});

describe("A time zone", () => {
  test.each([
    "Europe/Atlantis",
    "Mars/Phobos",
    "CET",
    "EST",
    "XYZ5",
    "+02:00",
    "UTC+2",
    "Europe/Berlin'",
    "Europe/Berlin;select",
    "../etc/passwd",
    "posix/Europe/Berlin",
    "local",
    "",
    `Europe/${"x".repeat(60)}`,
  ])("that is %j is refused", async (timeZone) => {
    const query = `timeZone=${encodeURIComponent(timeZone)}`;
    const answer = await api.call("GET", `/stats/throughput?${query}`, { as: "viewer" });
    const problem = expectProblem(answer, "validation_failed", 400);
    expect(problem.issues?.map(({ path }) => path)).toEqual([["timeZone"]]);
  });

  it("that only the runtime knows is refused, not a failure", async () => {
    await api.database.faults({ kind: "sqlstate", code: "22023", sql: "width_bucket" });
    const answer = await api.call("GET", "/stats/throughput?timeZone=Europe/Berlin");
    const problem = expectProblem(answer, "validation_failed", 400);
    expect(problem.issues).toMatchObject([{ path: ["timeZone"], code: "unknown_time_zone" }]);
  });

  test.each([
    ["2025-01-01T00:00:00Z", "2026-02-06T12:00:00Z", "too_many_buckets"],
    ["2025-01-01T00:00:00Z", "2026-02-05T12:00:00Z", "too_many_buckets"],
    ["2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", "empty_window"],
  ])("keeps the limits of a window (%s, %s)", async (from, to, code) => {
    const query = `timeZone=Europe/Berlin&from=${from}&to=${to}`;
    const answer = await api.call("GET", `/stats/throughput?${query}`);
    const problem = expectProblem(answer, "validation_failed", 400);
    expect(problem.issues?.map((issue) => issue.code)).toEqual([code]);
  });
});
