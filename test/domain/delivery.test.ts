import { describe, expect, test } from "vitest";
import {
  DISPATCH_MOVES_BY_HAND,
  DISPATCH_STATES,
  DISPATCH_TRANSITIONS,
} from "../../src/domain/pipelines/states.ts";
import { PIPELINE_NAMES, PIPELINES } from "../../src/domain/pipelines/pipelines.ts";
import {
  DISPATCH_ATTEMPTS_MAX,
  type EndpointAnswer,
  endOfAttempt,
} from "../../src/domain/pipelines/delivery.ts";

const away = (retryAfterSeconds: number | null = null): EndpointAnswer => ({
  outcome: "retryable",
  error: "The endpoint returned 503.",
  retryAfterSeconds,
});
const ATTEMPTS = Array.from({ length: DISPATCH_ATTEMPTS_MAX }, (_, index) => index + 1);

describe("an attempt at an endpoint", () => {
  test.each(ATTEMPTS)("that accepts delivers, at attempt %i", (attempt) => {
    expect(endOfAttempt({ outcome: "accepted" }, attempt)).toEqual({ state: "delivered" });
  });

  test.each(ATTEMPTS)("that refuses is the end, at attempt %i", (attempt) => {
    const answer: EndpointAnswer = { outcome: "refused", error: "No.", reason: "url_not_allowed" };
    expect(endOfAttempt(answer, attempt)).toEqual({
      state: "dead",
      error: "No.",
      reason: "url_not_allowed",
    });
  });

  test("that fails is followed by seven more, each after twice the time, in about an hour", () => {
    const ends = ATTEMPTS.map((attempt) => endOfAttempt(away(), attempt));
    const delays = ends.flatMap((end) => (end.state === "sent" ? [end.delaySeconds] : []));
    expect(delays).toEqual([30, 60, 120, 240, 480, 960, 1920]);
    expect(ends.at(-1)).toEqual({
      state: "dead",
      error: "The endpoint returned 503.",
      reason: "attempts_exhausted",
    });
  });

  test.each([
    [0, 30],
    [29, 30],
    [31, 31],
    [3600, 3600],
  ])("that asks to wait for %i seconds is followed by one after %i", (asked, delaySeconds) => {
    expect(endOfAttempt(away(asked), 1)).toMatchObject({ state: "sent", delaySeconds });
  });

  test("that asks to wait and is the last is the last", () => {
    expect(endOfAttempt(away(10), DISPATCH_ATTEMPTS_MAX).state).toBe("dead");
  });
});

describe("dispatches", () => {
  test.each(DISPATCH_STATES)(
    "that are %s go by hand where the table leads, if anywhere",
    (state) => {
      const lawful = DISPATCH_TRANSITIONS[state];
      expect(DISPATCH_MOVES_BY_HAND[state].filter((to) => !lawful.includes(to))).toEqual([]);
    },
  );

  test.each(PIPELINE_NAMES)("of %s are the work of the worker of that name", (pipeline) => {
    expect(PIPELINES[pipeline].worker).toBe(pipeline.toUpperCase());
  });
});
