import { uuidv7 } from "uuidv7";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { LedgerItem } from "../../../src/db/bulk/bulk-ledger.ts";
import { openDatabase } from "../../../src/db/connection/client.ts";
import { recordBulkMoves } from "../../../src/db/moves/record-moves.ts";
import { REGISTRY_VERSION } from "../../../src/domain/registry-version.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import { addNote, eventsOf, execute, expectInLedger, labelOf, rowCounts } from "./support.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
  // Makes the database refuse the events of chosen tasks, as an unforeseen fault would.
  await api.database.transaction("owner", [
    { text: "create table poisoned (task_id uuid)" },
    { text: "grant select on poisoned to stepledger_app" },
    {
      text: `create function refuse_poisoned() returns trigger language plpgsql as $$
        begin
          if exists (select from poisoned p where p.task_id = new.task_id) then
            raise exception 'poisoned by %', new.reason;
          end if;
          return new;
        end $$`,
    },
    {
      text: `create trigger poison before insert on step_events
        for each row execute function refuse_poisoned()`,
    },
  ]);
});
afterAll(() => expectInvariantsHold(api.database));
afterEach(async () => {
  await api.database.clearFaults();
  await api.database.query("owner", "delete from poisoned");
});

const givenPassed = async (count: number) => {
  const start = { kind: "expert_review", status: "approved", reason: "Begun elsewhere" };
  const tasks = Array.from({ length: count }, () => ({ title: "One of many", start }));
  const imported = await api.call<{ items: { id: string }[] }>("POST", "/tasks/import", {
    body: { tasks },
  });
  return expectDone(imported).items.map(({ id }) => id);
};
const poison = (taskIds: readonly string[]) =>
  api.database.query("owner", "insert into poisoned select unnest($1::uuid[])", [taskIds]);

const TO = "REJECTED" as const;

describe("A task whose change the database refuses", () => {
  test("does not affect the other tasks", async () => {
    const taskIds = await givenPassed(20);
    const bad = taskIds[6] ?? "";
    await poison([bad]);
    const body = { taskIds: [...taskIds, crypto.randomUUID()], targetStatus: TO };
    const done = expectDone(await execute(api, body));
    expect(done.state).toBe("partial");
    expect(done.counts).toEqual({ requested: 21, changed: 19, refused: 1, stale: 0, failed: 1 });
    expect(done.items.find(({ taskId }) => taskId === bad)).toEqual({
      taskId: bad,
      outcome: "failed",
      code: "database_refused",
      from: "PASSED",
      to: TO,
    });
    await expectInLedger(api, done);
    expect(await labelOf(api, bad)).toBe("PASSED");
  });

  test("is reported without the database's own message", async () => {
    const [bad = ""] = await givenPassed(1);
    await poison([bad]);
    const reason = "a reason that the trigger quotes";
    const done = expectDone(await execute(api, { taskIds: [bad], targetStatus: TO, reason }));
    expect(done).toMatchObject({ state: "failed", counts: { requested: 1, failed: 1 } });
    await expectInLedger(api, done);
    const path = `/bulk/operations/${done.operationId}/items?outcome=failed`;
    const items = await api.call<{ data: { error: string }[] }>("GET", path, { as: "viewer" });
    expect(expectDone(items).data[0]?.error).toBe(
      "The database refused this task's change (SQLSTATE P0001).",
    );
    expect(items.text).not.toContain("poisoned");
  });

  test("gives the same answer to a repeat of the call", async () => {
    const taskIds = await givenPassed(9);
    await poison([taskIds[0] ?? "", taskIds[8] ?? ""]);
    const idempotencyKey = crypto.randomUUID();
    const body = { taskIds, targetStatus: TO };
    const first = await execute(api, body, { idempotencyKey });
    expect(expectDone(first).counts).toMatchObject({ changed: 7, failed: 2 });
    const before = await rowCounts(api);
    const repeated = await execute(api, body, { idempotencyKey });
    expect(repeated.text).toBe(first.text);
    expect(repeated.headers.get("idempotency-replayed")).toBe("true");
    expect(await rowCounts(api)).toEqual(before);
  });

  test("takes a number of round trips logarithmic in the number of tasks", async () => {
    const taskIds = await givenPassed(256);
    await poison([taskIds[100] ?? ""]);
    const roundTrips = await api.roundTripsOf(async () => {
      const done = expectDone(await execute(api, { taskIds, targetStatus: TO }));
      expect(done.counts).toMatchObject({ changed: 255, failed: 1 });
    });
    // One to load, one for the whole, two halves on each of eight levels, and one to read the ledger.
    expect(roundTrips).toBeLessThanOrEqual(2 + 2 * 8 + 1);
  });

  test("leaves the rest to a repeat of the call if there are too many of them", async () => {
    const taskIds = await givenPassed(60);
    await poison(taskIds.slice(0, 50));
    const idempotencyKey = crypto.randomUUID();
    const body = { taskIds, targetStatus: TO };
    const first = await execute(api, body, { idempotencyKey });
    expectProblem(first, "unavailable", 503);
    expect(first.headers.get("retry-after")).not.toBeNull();
    let last = first;
    for (let repeat = 0; repeat < 5 && last.status === 503; repeat += 1) {
      last = await execute(api, body, { idempotencyKey });
    }
    const done = expectDone(last);
    expect(done.counts).toMatchObject({ requested: 60, changed: 10, failed: 50 });
    await expectInLedger(api, done);
  });
});

describe("A bulk change whose answer was lost", () => {
  test("is found by the service's own retry, and not answered as a replay", async () => {
    const taskIds = await givenPassed(3);
    await api.database.faults({ kind: "cut-after-commit", sql: "insert into bulk_operations" });
    const answer = await execute(api, { taskIds, targetStatus: TO });
    const done = expectDone(answer);
    expect(done.counts.changed).toBe(3);
    expect(answer.headers.get("idempotency-replayed")).toBeNull();
    await expectInLedger(api, done);
  });

  test("has one effect and one answer, however often the call is repeated", async () => {
    const taskIds = await givenPassed(3);
    const idempotencyKey = crypto.randomUUID();
    const body = { taskIds: [...taskIds, "nobody"], targetStatus: TO };
    await api.database.faults({ kind: "cut-after-commit", sql: "insert into bulk_operations" });
    // The database fails afterwards, so that neither the call's own retry nor its caller learns the outcome.
    await api.database.faults({ kind: "unavailable", times: null, skip: 1 });
    expectProblem(await execute(api, body, { idempotencyKey }), "unavailable", 503);
    await api.database.clearFaults();

    const second = await execute(api, body, { idempotencyKey });
    const third = await execute(api, body, { idempotencyKey });
    expect(second.headers.get("idempotency-replayed")).toBe("true");
    expect(third.text).toBe(second.text);
    const done = expectDone(second);
    expect(done.counts).toMatchObject({ changed: 3, refused: 1 });
    await expectInLedger(api, done);
  });

  test("is done by a repeat of the call if it was not committed", async () => {
    const taskIds = await givenPassed(2);
    const idempotencyKey = crypto.randomUUID();
    const body = { taskIds, targetStatus: TO };
    const before = await rowCounts(api);
    await api.database.faults({ kind: "cut-before-commit", times: 5, sql: "into bulk_operations" });
    expectProblem(await execute(api, body, { idempotencyKey }), "unavailable", 503);
    expect(await rowCounts(api)).toEqual(before);
    const done = expectDone(await execute(api, body, { idempotencyKey }));
    expect(done.counts.changed).toBe(2);
    await expectInLedger(api, done);
  });
});

describe("A bulk change that stopped between two batches", () => {
  /** The first half is written. Then the database becomes unavailable. */
  const givenInterrupted = async () => {
    const taskIds = await givenPassed(4);
    const [, , third = "", fourth = ""] = taskIds;
    await poison([fourth]);
    const idempotencyKey = crypto.randomUUID();
    const body = { taskIds, targetStatus: TO };
    await api.database.faults({ kind: "unavailable", skip: 2, times: 5, sql: "into operations" });
    expectProblem(await execute(api, body, { idempotencyKey }), "unavailable", 503);
    const [operation] = await api.database.query(
      "owner",
      "select id, state, changed from bulk_operations order by created_at desc limit 1",
    );
    expect(operation).toMatchObject({ state: "running", changed: "2" });
    const operationId = operation?.["id"] ?? "";
    expect(await eventsOf(api, operationId)).toHaveLength(2);
    return { body, idempotencyKey, operationId, third, fourth };
  };

  test("is finished by a repeat of the call", async () => {
    const { body, idempotencyKey, operationId, third } = await givenInterrupted();
    const second = await execute(api, body, { idempotencyKey });
    const done = expectDone(second);
    expect(second.headers.get("idempotency-replayed")).toBeNull();
    expect(done.operationId).toBe(operationId);
    expect(done.items.map(({ outcome }) => outcome)).toEqual([
      "changed",
      "changed",
      "changed",
      "failed",
    ]);
    await expectInLedger(api, done);
    expect(await labelOf(api, third)).toBe(TO);

    const again = await execute(api, body, { idempotencyKey });
    expect(again.text).toBe(second.text);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
  });

  test("does not plan pending tasks again: those that have changed are stale", async () => {
    const { body, idempotencyKey, third, fourth } = await givenInterrupted();
    await api.database.query("owner", "delete from poisoned");
    await addNote(api, third);
    const done = expectDone(await execute(api, body, { idempotencyKey }));
    expect(done.items.slice(2)).toEqual([
      { taskId: third, outcome: "stale", code: "stale", from: "PASSED", to: TO },
      expect.objectContaining({ taskId: fourth, outcome: "changed" }),
    ]);
    await expectInLedger(api, done);
  });

  test("keeps the outcome of a task if a batch that was planned earlier is recorded late", async () => {
    const { body, idempotencyKey, operationId } = await givenInterrupted();
    const late: LedgerItem = {
      position: 0,
      taskId: body.taskIds[0] ?? "",
      id: null,
      plannedSeq: null,
      stepId: null,
      fromStatus: null,
      fromGate: null,
      fromLabel: null,
      toLabel: null,
      outcome: "failed",
      code: "database_refused",
      error: null,
    };
    const actor = { id: "late", name: "Late", kind: "key", role: "admin" } as const;
    await recordBulkMoves(openDatabase(api.database).forTenant(api.tenant.id), [], {
      actor,
      operation: {
        id: uuidv7(),
        actorId: actor.id,
        route: "workOnBulk",
        key: null,
        fingerprint: "",
      },
      requestId: uuidv7(),
      registryVersion: REGISTRY_VERSION,
      isKeptIfEmpty: true,
      answer: null,
      bulk: { id: operationId, reason: "Late", opening: null, items: [late] },
    });
    const done = expectDone(await execute(api, body, { idempotencyKey }));
    expect(done.counts).toMatchObject({ changed: 3, failed: 1 });
    await expectInLedger(api, done);
  });

  test("is finished once by concurrent repeats", async () => {
    const { body, idempotencyKey } = await givenInterrupted();
    const repeats = await Promise.all(
      Array.from({ length: 6 }, () => execute(api, body, { idempotencyKey })),
    );
    for (const { status, text } of repeats) {
      if (status === 200) continue;
      expect(JSON.parse(text)).toMatchObject({ error: "operation_in_progress" });
    }
    const last = expectDone(await execute(api, body, { idempotencyKey }));
    expect(last.counts).toMatchObject({ changed: 3, failed: 1 });
    await expectInLedger(api, last);
    for (const { status, text } of repeats) {
      if (status === 200) expect(JSON.parse(text)).toEqual(last);
    }
  });
});
