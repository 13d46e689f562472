import { readFileSync } from "node:fs";
import { describe, expect, inject, test } from "vitest";
import {
  ENDPOINT_LAW,
  type EndpointAnswer,
  lawFor,
} from "../../src/domain/delivery/endpoint-law.ts";
import {
  DISPATCH_ATTEMPTS_MAX,
  endOfAttempt,
} from "../../src/domain/pipelines/dispatch-attempts.ts";
import { endOfDelivery } from "../../src/domain/webhooks/delivery-attempts.ts";
import { DELIVERY_ATTEMPTS_MAX } from "../../src/domain/webhooks/delivery-backoff.ts";
import { chanceFrom } from "../support/chance.ts";

const { seed } = inject("stack");
const STATUSES = Array.from({ length: 500 }, (_, index) => 100 + index);

/** The law once more, as a condition of the status. */
const PASSES_OFTEN = [401, 403, 404, 408, 409, 421, 423, 425, 429];
const isDelivered = (status: number) => status >= 200 && status < 300;
const isRetriedForDispatch = (status: number) =>
  PASSES_OFTEN.includes(status) || status < 200 || status >= 500;

describe("the law of endpoints' answers", () => {
  test.each(STATUSES)("for %i", (status) => {
    const { webhook, dispatch } = lawFor(status);
    if (isDelivered(status)) expect([webhook, dispatch]).toEqual(["delivered", "delivered"]);
    else {
      expect(webhook).toBe(status === 410 ? "switch_off" : "retry");
      expect(dispatch).toBe(isRetriedForDispatch(status) ? "retry" : "end");
    }
  });

  test("lists each status code and each class once", () => {
    const listed = ENDPOINT_LAW.flatMap(({ statuses }) => statuses);
    expect(new Set(listed).size).toBe(listed.length);
    expect(listed.filter((status) => typeof status === "string").toSorted()).toEqual([
      "1xx",
      "2xx",
      "3xx",
      "4xx",
      "5xx",
    ]);
  });

  test.each([0, 99, 600, 999, -1, 200.5, Number.NaN])(
    "takes %d, which is no status code, for a failure of the endpoint",
    (status) => expect(lawFor(status)).toBe(lawFor(500)),
  );

  test.each(["webhooks.md", "dispatches.md"])("is in docs/%s", (page) => {
    const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), "utf8");
    const codes = ENDPOINT_LAW.flatMap(({ statuses }) => statuses.map(String));
    const named = codes.filter((code) => !code.endsWith("xx"));
    expect(named.filter((code) => !text.includes(code))).toEqual([]);
  });
});

/** A random answer, with a status that the law lists in every second case. */
function randomAnswer({ below, isHit }: ReturnType<typeof chanceFrom>): EndpointAnswer {
  if (isHit(0.1)) return { outcome: "unanswered", error: "The connection failed." };
  if (isHit(0.05)) return { outcome: "not_allowed", error: "The address is not public." };
  const named = ENDPOINT_LAW.flatMap(({ statuses }) => statuses).filter(
    (status) => typeof status === "number",
  );
  const status = isHit(0.5) ? (named[below(named.length)] ?? 400) : 100 + below(500);
  return { outcome: "answered", status, retryAfterSeconds: isHit(0.3) ? below(3601) : null };
}

describe(`a receiver that answers at random (replay with SEED=${seed})`, () => {
  const CASES = 2000;

  test("gets each message to a webhook until it takes it, is gone, or ten attempts have failed", () => {
    const chance = chanceFrom(seed);
    for (let index = 0; index < CASES; index += 1) {
      for (let attempt = 1; ; attempt += 1) {
        const answer = randomAnswer(chance);
        const end = endOfDelivery(answer, attempt);
        const what = JSON.stringify({ answer, attempt, end });
        if (answer.outcome === "not_allowed") {
          expect(end, what).toMatchObject({ state: "dead", reason: "url_not_allowed" });
          break;
        }
        const status = answer.outcome === "answered" ? answer.status : null;
        if (status !== null && isDelivered(status)) {
          expect(end, what).toEqual({ state: "delivered", responseStatus: status });
          break;
        }
        if (status === 410) {
          expect(end, what).toMatchObject({ state: "pending", isGone: true, isCounted: true });
          break;
        }
        if (attempt >= DELIVERY_ATTEMPTS_MAX) {
          expect(end, what).toMatchObject({ state: "dead", reason: "attempts_exhausted" });
          break;
        }
        expect(end, what).toMatchObject({ state: "pending", isGone: false, isCounted: true });
        const asked = answer.outcome === "answered" ? (answer.retryAfterSeconds ?? 0) : 0;
        if (end.state === "pending") expect(end.delaySeconds).toBeGreaterThanOrEqual(asked);
      }
    }
  });

  test("gets each dispatch until it takes it, rejects it, or eight attempts have failed", () => {
    const chance = chanceFrom(seed + 1);
    for (let index = 0; index < CASES; index += 1) {
      for (let attempt = 1; ; attempt += 1) {
        const answer = randomAnswer(chance);
        const end = endOfAttempt(answer, attempt);
        const what = JSON.stringify({ answer, attempt, end });
        const status = answer.outcome === "answered" ? answer.status : 500;
        if (answer.outcome === "answered" && isDelivered(status)) {
          expect(end, what).toEqual({ state: "delivered" });
          break;
        }
        if (answer.outcome === "not_allowed" || !isRetriedForDispatch(status)) {
          const isAddress = answer.outcome === "not_allowed" || (status >= 300 && status < 400);
          const reason = isAddress ? "url_not_allowed" : `endpoint_answered_${status}`;
          expect(end, what).toMatchObject({ state: "dead", reason });
          break;
        }
        if (attempt >= DISPATCH_ATTEMPTS_MAX) {
          expect(end, what).toMatchObject({ state: "dead", reason: "attempts_exhausted" });
          break;
        }
        expect(end, what).toMatchObject({ state: "sent", isCounted: true });
        const asked = answer.outcome === "answered" ? (answer.retryAfterSeconds ?? 0) : 0;
        if (end.state === "sent") expect(end.delaySeconds).toBeGreaterThanOrEqual(asked);
      }
    }
  });
});
