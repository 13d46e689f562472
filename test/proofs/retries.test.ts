import { afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import {
  type Answer,
  expectDone,
  expectProblem,
  freshApi,
  type Tenant,
  type TestApi,
} from "../support/api.ts";
import { countRows, rowsGained } from "../support/contents.ts";
import { type FaultOptions, ON_WRITE } from "../support/database.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { inParallel } from "../support/model/load.ts";
import { retryWithoutWaiting } from "../support/model/quick-retries.ts";
import { silenceLog } from "../support/model/quiet.ts";
import { type Repeat, type Sample, titleOf } from "../support/samples/sample.ts";
import { SAMPLES } from "../support/samples/samples.ts";
import { contractOf, namesIn, sendSample, statusOf } from "../support/samples/send-sample.ts";
import { givenThings } from "../support/samples/things.ts";

silenceLog();
retryWithoutWaiting();

let api: TestApi;

beforeAll(async () => {
  api = await freshApi();
});

afterEach(() => api.database.clearFaults());

/** A sample of a route that writes. */
interface Write {
  title: string;
  sample: Sample;
  repeat: Repeat;
}
// A write to the bucket only does not reach the database, whose faults these are.
const WRITES = SAMPLES.flatMap((sample): Write[] =>
  sample.repeat === undefined || sample.cost.first === 0
    ? []
    : [{ title: titleOf(sample), sample, repeat: sample.repeat }],
);

const takesKey = ({ sample }: Write): boolean => contractOf(sample).idempotency !== "none";
/** An idempotency key for the calls of one test, if the route takes one. */
const keyFor = (write: Write): string | undefined =>
  takesKey(write) ? crypto.randomUUID() : undefined;

const tenants = new Map<string, Promise<Tenant>>();

/** The tenant of a sample. Each has its own, because the rows of a small tenant are counted faster than a whole table. */
function tenantOf({ title, sample }: Write): Promise<Tenant> {
  const kind = contractOf(sample).demoOnly ? "demo" : "customer";
  const tenant = tenants.get(title) ?? api.givenTenant(kind);
  tenants.set(title, tenant);
  return tenant;
}

/** Prepares a request that has never been sent. The function that is returned sends the same request each time. */
async function ready(write: Write): Promise<(idempotencyKey?: string) => Promise<Answer>> {
  const { sample } = write;
  const tenant = await tenantOf(write);
  const named = namesIn(sample, await givenThings(api, sample, tenant));
  return (idempotencyKey) => sendSample(api, sample, named, { tenant, idempotencyKey });
}

/**
 * Runs calls and reports which rows they created. Rows of the ledger of operations count only if the route takes a
 * key: without one, no repeat can find them. The counts after one measurement serve as those before the next if
 * nothing is written in between.
 */
async function gainOf<Value>(
  write: Write,
  run: () => Promise<Value>,
  before?: Record<string, number>,
): Promise<{ value: Value; gain: Record<string, number>; after: Record<string, number> }> {
  const { id } = await tenantOf(write);
  const counted = before ?? (await countRows(api.database, id));
  const value = await run();
  const after = await countRows(api.database, id);
  const { operations, ...gain } = rowsGained(counted, after);
  const isKept = operations !== undefined && takesKey(write);
  return { value, gain: isKept ? { operations, ...gain } : gain, after };
}

const effects = new Map<string, Record<string, number>>();

/** The rows that one undisturbed call creates. */
async function effectOf(write: Write): Promise<Record<string, number>> {
  const known = effects.get(write.title);
  if (known !== undefined) return known;
  const send = await ready(write);
  const { value, gain } = await gainOf(write, () => send(keyFor(write)));
  expectDone(value, statusOf(write.sample));
  expect(value.headers.has("idempotency-replayed")).toBe(false);
  effects.set(write.title, gain);
  return gain;
}

/** The text of a repeat of this answer. */
function repeated({ body, text }: Answer, { repeat: { shownOnce = [] } }: Write): string {
  if (shownOnce.length === 0) return text;
  return JSON.stringify({
    ...body,
    ...Object.fromEntries(shownOnce.map((member) => [member, null])),
  });
}

const statusOfRepeat = ({ sample, repeat }: Write): number => repeat.status ?? statusOf(sample);

const FAULTS: [what: string, fault: FaultOptions][] = [
  ["the database's answer is lost after the commit", { kind: "cut-after-commit" }],
  ["every answer of the database to the write is lost", { kind: "cut-after-commit", times: null }],
  ["the connection breaks before the commit", { kind: "cut-before-commit", times: 2 }],
  ["the database asks twice for a retry", { kind: "sqlstate", code: "40001", times: 2 }],
];

const { seed, faultStride } = inject("stack");

describe.for(WRITES)(`$title (faults of SEED=${seed})`, (write) => {
  const status = statusOf(write.sample);
  // Each run sends a part of the faults to each write, and over the writes all of them.
  const shift = seed + WRITES.indexOf(write);
  const faults = FAULTS.filter(
    ([, { times }], index) =>
      (index + shift) % faultStride === 0 && !(write.sample.goesOn && times === null),
  );

  test.for(faults)("answers as if nothing had happened when %s", async ([, fault]) => {
    const effect = await effectOf(write);
    const send = await ready(write);
    const key = keyFor(write);
    await api.database.faults({ ...ON_WRITE, ...fault });
    const { value: answer, gain, after } = await gainOf(write, () => send(key));
    expectDone(answer, status);
    expect(answer.headers.has("idempotency-replayed")).toBe(false);
    for (const member of write.repeat.shownOnce ?? [])
      expect(answer.body[member]).toEqual(expect.any(String));
    expect(gain).toEqual(effect);
    expect(await api.database.waitingFaults()).toBe(fault.times === null ? 1 : 0);

    await api.database.clearFaults();
    const { value: repeat, gain: more } = await gainOf(write, () => send(key), after);
    expect(repeat.status).toBe(statusOfRepeat(write));
    expect(repeat.text).toBe(repeated(answer, write));
    expect(more).toEqual({});
  });

  test("answers 503 without an effect while the database is away, and works afterwards", async () => {
    const effect = await effectOf(write);
    const send = await ready(write);
    const key = keyFor(write);
    await api.database.faults({ kind: "unavailable", times: null });
    const { value: refused, gain: nothing, after } = await gainOf(write, () => send(key));
    expectProblem(refused, "unavailable", 503);
    expect(refused.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(nothing).toEqual({});

    await api.database.clearFaults();
    const { value: done, gain } = await gainOf(write, () => send(key), after);
    expectDone(done, status);
    expect(gain).toEqual(effect);
  });

  test("answers 503 when the commit is unknown, and a repeat adds no second effect", async () => {
    const effect = await effectOf(write);
    const send = await ready(write);
    const key = keyFor(write);
    await api.database.faults({ ...ON_WRITE, kind: "cut-after-commit" });
    await api.database.faults({ ...ON_WRITE, kind: "unavailable", times: null });
    const { value: answers, gain } = await gainOf(write, async () => {
      const unknown = await send(key);
      await api.database.clearFaults();
      const known = await send(key);
      // Relays what the first call wrote to the outbox and could not send.
      await api.sweep();
      return { unknown, known };
    });
    expectProblem(answers.unknown, "unavailable", 503);
    expectDone(answers.known, statusOfRepeat(write));
    expect(answers.known.headers.get("idempotency-replayed")).toBe(takesKey(write) ? "true" : null);
    expect(gain).toEqual(effect);
  });

  test("has one effect and one answer however often it is sent under its key", async () => {
    const effect = await effectOf(write);
    const send = await ready(write);
    const key = keyFor(write);
    const { value: answers, gain } = await gainOf(write, async () => ({
      first: await send(key),
      repeats: await inParallel({ count: 5, clients: 5 }, () => send(key)),
    }));
    const { first, repeats } = answers;
    expectDone(first, status);
    for (const repeat of repeats) {
      expect(repeat.text).toBe(repeated(first, write));
      expect(repeat.status).toBe(statusOfRepeat(write));
      expect(repeat.headers.get("etag")).toBe(first.headers.get("etag"));
      expect(repeat.headers.get("location")).toBe(first.headers.get("location"));
      if (takesKey(write)) expect(repeat.headers.get("idempotency-replayed")).toBe("true");
    }
    expect(gain).toEqual(effect);
  });

  test("has one effect when it is sent five times concurrently and answers are lost", async () => {
    const effect = await effectOf(write);
    const send = await ready(write);
    const key = keyFor(write);
    await api.database.faults({ ...ON_WRITE, kind: "cut-after-commit", times: 2 });
    const { value: answers, gain } = await gainOf(write, () =>
      inParallel({ count: 5, clients: 5 }, () => send(key)),
    );
    // A call that waited too long for the first one answers with this code and does nothing.
    const isWaiting = ({ body }: Answer) => body.error === "operation_in_progress";
    const done = answers.filter((answer) => !isWaiting(answer));
    const statuses = new Set(done.map((answer) => answer.status));
    expect(
      statuses.isSubsetOf(new Set([status, statusOfRepeat(write)])),
      [...statuses].join(),
    ).toBe(true);
    expect(new Set(done.map((answer) => repeated(answer, write))).size).toBe(1);
    expect(gain).toEqual(effect);
  });
});

const UNKEYED = WRITES.filter(({ repeat }) => repeat.unkeyed !== null);

describe("a call without a key, when the database's answer is lost after the commit", () => {
  test.for(UNKEYED.filter(({ sample }) => !sample.goesOn))(
    "$title answers as if nothing had happened",
    async (write) => {
      const undisturbed = await ready(write);
      const { gain: effect } = await gainOf(write, () => undisturbed());
      const send = await ready(write);
      await api.database.faults({ ...ON_WRITE, kind: "cut-after-commit", times: null });
      const { value: answer, gain } = await gainOf(write, () => send());
      expectDone(answer, statusOf(write.sample));
      expect(answer.headers.has("idempotency-replayed")).toBe(false);
      expect(gain).toEqual(effect);
    },
  );
});

describe("a call without a key, sent a second time", () => {
  test.for(UNKEYED)("$title", async (write) => {
    const send = await ready(write);
    const first = expectDone(await send(), statusOf(write.sample));
    const { value: again, gain } = await gainOf(write, () => send());
    const { operations: _, ...effect } = gain;
    const { unkeyed } = write.repeat;
    if (unkeyed === "no effect" || unkeyed === "second effect") {
      expectDone(again, statusOfRepeat(write));
    } else expectProblem(again, unkeyed ?? "internal", 409);
    expect(Object.keys(effect).length > 0, JSON.stringify(first)).toBe(unkeyed === "second effect");
  });
});

describe("the database after all faults", () => {
  test("holds every invariant", async () => {
    await expectInvariantsHold(api.database);
  });
});
