import { describe, expect, test } from "vitest";
import type { Colleague } from "../../../src/domain/seed/team/colleague.ts";
import { colleagueOf } from "../../../src/domain/seed/team/colleague.ts";
import { ReviewDesk } from "../../../src/domain/seed/team/desk.ts";
import { Engine, type Process } from "../../../src/domain/seed/team/engine.ts";

const MONDAY = Date.parse("2026-11-23T00:00:00Z");
const HOUR_MS = 3_600_000;

function reviewer(key: string): Colleague {
  const hours = { zone: "UTC", days: [1, 2, 3, 4, 5], from: 9 * 60, to: 17 * 60 };
  const email = `${key}@example.com`;
  return colleagueOf({
    key,
    duty: "reviewer",
    role: "reviewer",
    name: key,
    email,
    language: "en",
    hours,
  });
}

/** Lets tasks queue up at the desk, each with a review of one hour, and returns who took what, and when. */
function taken(
  reviewers: readonly Colleague[],
  requests: readonly { name: string; hour: number; priority?: number; author?: string }[],
): [at: string, name: string, reviewer: string][] {
  const engine = new Engine(MONDAY);
  const desk = new ReviewDesk(engine, reviewers);
  const log: [string, string, string][] = [];
  function* review({ name, priority = 0, author = "someone" }: (typeof requests)[number]): Process {
    let by: Colleague | undefined;
    yield desk.request({ author, priority: () => priority }, (who) => (by = who));
    if (by === undefined) throw new Error("Someone takes the task");
    log.push([new Date(engine.now).toISOString().slice(8, 16), name, by.key]);
    yield by.calendar.addWorkingMinutes(engine.now, 56);
    desk.release(by);
  }
  for (const request of requests) engine.start(MONDAY + request.hour * HOUR_MS, review(request));
  engine.runUntil(MONDAY + 14 * 24 * HOUR_MS);
  return log;
}

describe("the queue of reviews", () => {
  test("hands out by priority, then by waiting longest, one task at a time and in office hours", () => {
    const requests = [
      { name: "first", hour: 1 },
      { name: "second", hour: 2 },
      { name: "urgent", hour: 3, priority: 50 },
      { name: "late", hour: 16 },
      { name: "evening", hour: 20 },
    ];
    expect(taken([reviewer("one")], requests)).toEqual([
      ["23T09:00", "urgent", "one"],
      ["23T10:00", "first", "one"],
      ["23T11:00", "second", "one"],
      ["23T16:00", "late", "one"],
      ["24T09:00", "evening", "one"],
    ]);
  });

  test("lets several reviewers work at once, and no one on their own task", () => {
    const requests = [
      { name: "of one", hour: 10, author: "one" },
      { name: "of two", hour: 10, author: "two" },
      { name: "again of two", hour: 10, author: "two" },
    ];
    expect(taken([reviewer("one"), reviewer("two")], requests)).toEqual([
      ["23T10:00", "of one", "two"],
      ["23T10:00", "of two", "one"],
      ["23T11:00", "again of two", "one"],
    ]);
    expect(taken([reviewer("one")], requests.slice(0, 1))).toEqual([]);
  });
});

describe("the engine", () => {
  test("runs what is scheduled by time, and in the order of scheduling at the same time", () => {
    const engine = new Engine(0);
    const ran: number[] = [];
    const times = Array.from({ length: 200 }, (_, index) => (index * 7919) % 50);
    for (const [index, at] of times.entries()) engine.schedule(at, () => ran.push(index));
    engine.runUntil(30);
    const expected = [...times.keys()]
      .filter((index) => (times[index] ?? 0) <= 30)
      .toSorted((one, other) => (times[one] ?? 0) - (times[other] ?? 0) || one - other);
    expect(ran).toEqual(expected);
  });
});
