import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Answer, expectDone, expectProblem, freshApi, type TestApi } from "../support/api.ts";
import { countRows, rowsGained } from "../support/contents.ts";
import { type FaultOptions, ON_WRITE } from "../support/database.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { openTransaction } from "../support/model/locks.ts";
import { retryWithoutWaiting } from "../support/model/quick-retries.ts";
import { silenceLog } from "../support/model/quiet.ts";

silenceLog();
retryWithoutWaiting();

let api: TestApi;

beforeAll(async () => {
  api = await freshApi();
  // Warms the key cache of all roles, so that no key lookup comes between a test and its fault.
  await api.roundTripsOf(async () => {});
});

afterEach(() => api.database.clearFaults());

describe("a database error", () => {
  /** Returns a function that adds a note to a new task. */
  const noteOn = async (): Promise<() => Promise<Answer>> => {
    const { id } = await api.givenTask();
    return () => api.call("POST", `/tasks/${id}/notes`, { body: { text: "A remark" } });
  };

  test.for(["40001", "40P01", "55P03", "57014", "53300", "08006", "57P01", "57P03"])(
    "with %s is retried",
    async (code) => {
      const sendNote = await noteOn();
      await api.database.faults({ ...ON_WRITE, kind: "sqlstate", code, times: 2 });
      expectDone(await sendNote(), 201);
      expect(await api.database.waitingFaults()).toBe(0);
    },
  );

  test.for(["40001", "08006"])("with %s on every attempt returns 503", async (code) => {
    const sendNote = await noteOn();
    await api.database.faults({ ...ON_WRITE, kind: "sqlstate", code, times: null });
    const before = await countRows(api.database);
    expectProblem(await sendNote(), "unavailable", 503);
    expect(rowsGained(before, await countRows(api.database))).toEqual({});
  });

  test.for(["22003", "23514", "42601", "SL001"])(
    "with %s returns 500 and is not retried",
    async (code) => {
      const sendNote = await noteOn();
      await api.database.faults({ ...ON_WRITE, kind: "sqlstate", code, times: 2 });
      const problem = expectProblem(await sendNote(), "internal", 500);
      expect(JSON.stringify(problem)).not.toContain(code);
      expect(await api.database.waitingFaults()).toBe(1);
    },
  );

  const hindrances: [state: string, fault: FaultOptions][] = [
    ["unavailable for a moment", { kind: "unavailable", times: 2 }],
    ["slow", { kind: "delay", delayMilliseconds: 300 }],
  ];
  test.for(hindrances)("does not reach the caller if the database is %s", async ([, fault]) => {
    const sendNote = await noteOn();
    await api.database.faults(fault);
    expectDone(await sendNote(), 201);
    expect(await api.database.waitingFaults()).toBe(0);
  });

  test("of a read is retried too", async () => {
    const { id } = await api.givenTask();
    await api.database.faults({ kind: "cut-after-commit", times: 2 });
    expectDone(await api.call("GET", `/tasks/${id}`));
    expect(await api.database.waitingFaults()).toBe(0);
  });
});

describe("a call that has to wait", () => {
  test("for a lock on its task continues when the lock is released", async () => {
    const { id } = await api.givenTask();
    const held = await openTransaction(api.database, [
      { text: "select from tasks where id = $1 for update", values: [id] },
    ]);
    await api.database.resetRoundTrips();
    const noting = api.call("POST", `/tasks/${id}/notes`, { body: { text: "At last" } });
    // One round trip loads the task, one waits for the lock until it times out, and the third waits again.
    await expect
      .poll(() => api.database.roundTrips(), { interval: 20, timeout: 20_000 })
      .toBeGreaterThan(2);
    await held.end();
    expectDone(await noting, 201);
  });

  test("for the first call with its key gets 409 and Retry-After", async () => {
    const { id } = await api.givenTask();
    const idempotencyKey = crypto.randomUUID();
    const sendNote = () =>
      api.call("POST", `/tasks/${id}/notes`, { body: { text: "Once" }, idempotencyKey });
    const [admin] = await api.database.query(
      "owner",
      "select id from api_keys where tenant_id = $1 and role = 'admin' order by created_at limit 1",
      [api.tenant.id],
    );
    const first = await openTransaction(
      api.database,
      [
        {
          text: `insert into operations (tenant_id, id, actor_id, route, key, fingerprint)
          values ($1, gen_random_uuid(), $2, 'addNote', $3, '')`,
          values: [api.tenant.id, admin?.["id"] ?? null, idempotencyKey],
        },
      ],
      [{ text: "delete from operations where key = $1", values: [idempotencyKey] }],
    );
    const refused = await sendNote();
    expectProblem(refused, "operation_in_progress", 409);
    expect(refused.headers.get("retry-after")).toBe("1");
    await first.end();
    expectDone(await sendNote(), 201);
  });
});

describe("the database after all faults", () => {
  test("holds every invariant", async () => {
    await expectInvariantsHold(api.database);
  });
});
