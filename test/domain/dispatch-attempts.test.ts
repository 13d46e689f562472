import { describe, expect, test } from "vitest";
import {
  DISPATCH_MOVES_BY_HAND,
  DISPATCH_STATES,
  DISPATCH_TRANSITIONS,
} from "../../src/domain/pipelines/states.ts";
import { PIPELINE_NAMES, PIPELINES } from "../../src/domain/pipelines/pipelines.ts";
import type { EndpointAnswer } from "../../src/domain/delivery/endpoint-law.ts";
import {
  DISPATCH_ATTEMPTS_MAX,
  endOfAttempt,
} from "../../src/domain/pipelines/dispatch-attempts.ts";

const retryable = (retryAfterSeconds: number | null = null): EndpointAnswer => ({
  outcome: "answered",
  status: 503,
  retryAfterSeconds,
});
const ATTEMPTS = Array.from({ length: DISPATCH_ATTEMPTS_MAX }, (_, index) => index + 1);

describe("an attempt to deliver a dispatch", () => {
  test.each(ATTEMPTS)("delivers if the endpoint accepts, at attempt %i", (attempt) => {
    const answer = { outcome: "answered", status: 202, retryAfterSeconds: null } as const;
    expect(endOfAttempt(answer, attempt)).toEqual({ state: "delivered" });
  });

  test.each(ATTEMPTS)("ends the dispatch if the endpoint refuses, at attempt %i", (attempt) => {
    const answer: EndpointAnswer = { outcome: "not_allowed", error: "No." };
    expect(endOfAttempt(answer, attempt)).toEqual({
      state: "dead",
      error: "No.",
      reason: "url_not_allowed",
    });
  });

  test("is retried seven times, doubling the delay, over about an hour", () => {
    const ends = ATTEMPTS.map((attempt) => endOfAttempt(retryable(), attempt));
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
  ])("with a Retry-After of %i seconds is retried after %i", (retryAfterSeconds, delaySeconds) => {
    expect(endOfAttempt(retryable(retryAfterSeconds), 1)).toMatchObject({
      state: "sent",
      delaySeconds,
    });
  });

  test("is not retried after the last attempt, even with a Retry-After", () => {
    expect(endOfAttempt(retryable(10), DISPATCH_ATTEMPTS_MAX).state).toBe("dead");
  });
});

describe("a dispatch", () => {
  test.each(DISPATCH_STATES)("that is %s moves by hand only along its transitions", (state) => {
    const lawful = DISPATCH_TRANSITIONS[state];
    expect(DISPATCH_MOVES_BY_HAND[state].filter((to) => !lawful.includes(to))).toEqual([]);
  });

  test.each(PIPELINE_NAMES)("of %s is run by the worker type of the same name", (pipeline) => {
    expect(PIPELINES[pipeline].worker).toBe(pipeline.toUpperCase());
  });
});
