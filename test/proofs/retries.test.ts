import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { loadRoutes } from "../../src/routes/app/areas.ts";
import { type Answer, expectDone, expectProblem, freshApi, type TestApi } from "../support/api.ts";
import { countRows, rowsGained } from "../support/contents.ts";
import type { FaultOptions } from "../support/database.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { inParallel } from "../support/model/load.ts";
import { retryWithoutWaiting } from "../support/model/quick-retries.ts";
import { silenceLog } from "../support/model/quiet.ts";
import { ON_WRITE, send, unique, type WriteCase, WRITES } from "./support/writes.ts";

const routes = await loadRoutes();

/** Every route that writes: those that take an Idempotency-Key, and those that are idempotent by themselves. */
const WRITE_ROUTES = routes
  .map(({ contract }) => contract)
  .filter(
    ({ method, idempotency }) => idempotency !== "none" || ["PUT", "DELETE"].includes(method),
  );
const takesKey = ({ operationId }: WriteCase): boolean =>
  WRITE_ROUTES.some((route) => route.operationId === operationId && route.idempotency !== "none");

silenceLog();
retryWithoutWaiting();

let api: TestApi;

beforeAll(async () => {
  api = await freshApi();
  // Warms the keys of all roles, so that no look-up of a key stands between a test and its fault.
  await api.roundTripsOf(async () => {});
});

afterEach(() => api.database.clearFaults());

/** A key for the calls of one test, where the route takes one. */
const keyFor = (one: WriteCase): string | undefined => (takesKey(one) ? unique("key") : undefined);

/**
 * Runs what is to be measured, and returns the rows it created. Without a key no repeat looks for the operation in the
 * ledger, so its row is not part of the effect. The counts after one measurement serve as those before the next if
 * nothing is written in between.
 */
async function gainOf<Value>(
  one: WriteCase,
  run: () => Promise<Value>,
  before?: Record<string, number>,
): Promise<{ value: Value; gain: Record<string, number>; after: Record<string, number> }> {
  const counted = before ?? (await countRows(api.database));
  const value = await run();
  const after = await countRows(api.database);
  const { operations, ...gain } = rowsGained(counted, after);
  const isKept = operations !== undefined && takesKey(one);
  return { value, gain: isKept ? { operations, ...gain } : gain, after };
}

const effects = new Map<string, Record<string, number>>();

/** The rows that one undisturbed call makes. */
async function effectOf(one: WriteCase & { name: string }): Promise<Record<string, number>> {
  const known = effects.get(one.name);
  if (known !== undefined) return known;
  const write = await one.given(api);
  const { value, gain } = await gainOf(one, () => send(api, write, keyFor(one)));
  expectDone(value, one.status);
  expect(value.headers.has("idempotency-replayed")).toBe(false);
  effects.set(one.name, gain);
  return gain;
}

/** The answer as any repeat tells it. */
function repeatable({ body, text }: Answer, { toldOnce = [] }: WriteCase): string {
  if (toldOnce.length === 0) return text;
  return JSON.stringify({
    ...body,
    ...Object.fromEntries(toldOnce.map((member) => [member, null])),
  });
}

const named = WRITES.map((one) => ({
  ...one,
  name: one.variant === undefined ? one.operationId : `${one.operationId} ${one.variant}`,
}));

describe("the table of writes", () => {
  test("has every route of the contract list that writes", () => {
    const inTable = new Set(WRITES.map(({ operationId }) => operationId));
    expect([...inTable].toSorted()).toEqual(
      WRITE_ROUTES.map(({ operationId }) => operationId).toSorted(),
    );
  });
});

describe.for(named)("$name", (one) => {
  const faults: [what: string, fault: FaultOptions][] = [
    ["the answer of the database is lost after the commit", { kind: "cut-after-commit" }],
    [
      "every answer of the database to the write is lost",
      { kind: "cut-after-commit", times: null },
    ],
    ["the connection breaks before the commit", { kind: "cut-before-commit", times: 2 }],
    ["the database asks twice for another try", { kind: "sqlstate", code: "40001", times: 2 }],
  ];

  test.for(faults)("answers as if nothing had happened where %s", async ([, fault]) => {
    const effect = await effectOf(one);
    const write = await one.given(api);
    const key = keyFor(one);
    await api.database.faults({ ...ON_WRITE, ...fault });
    const { value: answer, gain, after } = await gainOf(one, () => send(api, write, key));
    expectDone(answer, one.status);
    expect(answer.headers.has("idempotency-replayed")).toBe(false);
    for (const member of one.toldOnce ?? [])
      expect(answer.body[member]).toEqual(expect.any(String));
    expect(gain).toEqual(effect);
    expect(await api.database.waitingFaults()).toBe(fault.times === null ? 1 : 0);

    await api.database.clearFaults();
    const { value: repeat, gain: more } = await gainOf(one, () => send(api, write, key), after);
    expect(repeat.status).toBe(one.status);
    expect(repeat.text).toBe(repeatable(answer, one));
    expect(more).toEqual({});
  });

  test("says 503 while the database is away, having done nothing, and works afterwards", async () => {
    const effect = await effectOf(one);
    const write = await one.given(api);
    const key = keyFor(one);
    await api.database.faults({ kind: "unavailable", times: null });
    const { value: refused, gain: nothing, after } = await gainOf(one, () => send(api, write, key));
    expectProblem(refused, "unavailable", 503);
    expect(refused.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(nothing).toEqual({});

    await api.database.clearFaults();
    const { value: done, gain } = await gainOf(one, () => send(api, write, key), after);
    expectDone(done, one.status);
    expect(gain).toEqual(effect);
  });

  test("says 503 where nobody knows whether it committed, and a repeat has one effect", async () => {
    const effect = await effectOf(one);
    const write = await one.given(api);
    const key = keyFor(one);
    await api.database.faults({ ...ON_WRITE, kind: "cut-after-commit" });
    await api.database.faults({ ...ON_WRITE, kind: "unavailable", times: null });
    const { value: answers, gain } = await gainOf(one, async () => {
      const unknown = await send(api, write, key);
      await api.database.clearFaults();
      const known = await send(api, write, key);
      // What the first call put into the outbox and could not send on.
      await api.sweep();
      return { unknown, known };
    });
    expectProblem(answers.unknown, "unavailable", 503);
    expectDone(answers.known, one.status);
    expect(answers.known.headers.get("idempotency-replayed")).toBe(takesKey(one) ? "true" : null);
    expect(gain).toEqual(effect);
  });

  test("has one effect and one answer however often it is sent with its key", async () => {
    const effect = await effectOf(one);
    const write = await one.given(api);
    const key = keyFor(one);
    const { value: answers, gain } = await gainOf(one, async () => ({
      first: await send(api, write, key),
      repeats: await inParallel({ count: 5, clients: 5 }, () => send(api, write, key)),
    }));
    const { first, repeats } = answers;
    expectDone(first, one.status);
    for (const repeat of repeats) {
      expect(repeat.text).toBe(repeatable(first, one));
      expect(repeat.status).toBe(one.status);
      expect(repeat.headers.get("etag")).toBe(first.headers.get("etag"));
      expect(repeat.headers.get("location")).toBe(first.headers.get("location"));
      if (takesKey(one)) expect(repeat.headers.get("idempotency-replayed")).toBe("true");
    }
    expect(gain).toEqual(effect);
  });

  test("has one effect where it is sent five times at once, and answers are lost", async () => {
    const effect = await effectOf(one);
    const write = await one.given(api);
    const key = keyFor(one);
    await api.database.faults({ ...ON_WRITE, kind: "cut-after-commit", times: 2 });
    const { value: answers, gain } = await gainOf(one, () =>
      inParallel({ count: 5, clients: 5 }, () => send(api, write, key)),
    );
    // One that has waited for the first call too long is told so, and no more.
    const isWaiting = ({ body }: Answer) => body.error === "operation_in_progress";
    const told = answers.filter((answer) => !isWaiting(answer));
    expect(new Set(told.map(({ status }) => status))).toEqual(new Set([one.status]));
    expect(new Set(told.map((answer) => repeatable(answer, one))).size).toBe(1);
    expect(gain).toEqual(effect);
  });
});

const unkeyedOnes = named.filter(({ unkeyed }) => unkeyed !== null);

describe("a call without a key whose answer the database loses after the commit", () => {
  test.for(unkeyedOnes)("$name answers as if nothing had happened", async (one) => {
    const undisturbed = await one.given(api);
    const { gain: effect } = await gainOf(one, () => send(api, undisturbed));
    const write = await one.given(api);
    await api.database.faults({ ...ON_WRITE, kind: "cut-after-commit", times: null });
    const { value: answer, gain } = await gainOf(one, () => send(api, write));
    expectDone(answer, one.status);
    expect(answer.headers.has("idempotency-replayed")).toBe(false);
    expect(gain).toEqual(effect);
  });
});

describe("a call without a key, sent again", () => {
  test.for(unkeyedOnes)("$name", async (one) => {
    const write = await one.given(api);
    expectDone(await send(api, write), one.status);
    const { value: again, gain } = await gainOf(one, () => send(api, write));
    const { operations: _, ...effect } = gain;
    const { unkeyed } = one;
    if (typeof unkeyed === "string") expectProblem(again, unkeyed, 409);
    else expectDone(again, unkeyed?.status);
    const isOnceMore = typeof unkeyed === "object" && unkeyed?.effect === "once more";
    expect(Object.keys(effect).length > 0).toBe(isOnceMore);
  });
});

describe("the database after all faults", () => {
  test("holds every invariant", async () => {
    await expectInvariantsHold(api.database);
  });
});
