import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import { addNote, execute, expectInLedger, planTokenFor, rowCounts } from "./support.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});
afterAll(() => expectInvariantsHold(api.database));

const TO = "REJECTED" as const;

describe("Repeating a bulk change", () => {
  test("returns the first answer byte for byte, and writes nothing", async () => {
    const changed = await api.givenTaskLabelled("PASSED");
    const refused = await api.givenTaskLabelled("REJECTED");
    const gone = await api.givenTaskLabelled("PASSED");
    const taskIds = [changed.id, refused.id, gone.id, changed.id, "ext:nobody"];
    const planToken = await planTokenFor(api, { taskIds, targetStatus: TO });
    await addNote(api, gone.id);
    const body = { taskIds, targetStatus: TO, planToken, onStale: "skip" } as const;
    const idempotencyKey = crypto.randomUUID();
    const first = await execute(api, body, { idempotencyKey });
    expect(first.headers.get("idempotency-replayed")).toBeNull();
    expect(expectDone(first).counts).toMatchObject({ changed: 1, refused: 2, stale: 1 });
    await expectInLedger(api, first.body);

    const before = await rowCounts(api);
    for (let repeat = 0; repeat < 3; repeat += 1) {
      const repeated = await execute(api, body, { idempotencyKey });
      expect(repeated.text).toBe(first.text);
      expect(repeated.headers.get("idempotency-replayed")).toBe("true");
    }
    expect(await rowCounts(api)).toEqual(before);
  });

  test("with another body returns 422", async () => {
    const task = await api.givenTaskLabelled("PASSED");
    const idempotencyKey = crypto.randomUUID();
    const body = { taskIds: [task.id], targetStatus: TO };
    expectDone(await execute(api, body, { idempotencyKey }));
    const other = { ...body, runAttachedWorkflows: true };
    const answer = await execute(api, other, { idempotencyKey });
    expectProblem(answer, "idempotency_key_reused", 422);
  });

  test("by another actor or tenant with the same key is a new call", async () => {
    const idempotencyKey = crypto.randomUUID();
    const body = { taskIds: [crypto.randomUUID()], targetStatus: TO };
    const ids = new Set<string>();
    for (const options of [
      { as: "reviewer" },
      { as: "admin" },
      { as: "reviewer", tenant: api.otherTenant },
    ] as const) {
      const answer = await execute(api, body, { idempotencyKey, ...options });
      expect(answer.headers.get("idempotency-replayed")).toBeNull();
      ids.add(expectDone(answer).operationId);
    }
    expect(ids.size).toBe(3);
  });

  test("after the whole call was refused is decided again", async () => {
    const task = await api.givenTaskLabelled("PASSED");
    const idempotencyKey = crypto.randomUUID();
    const body = { taskIds: [task.id], targetStatus: TO };
    const planToken = await planTokenFor(api, body);
    await addNote(api, task.id);
    const stale = await execute(api, { ...body, planToken }, { idempotencyKey });
    expectProblem(stale, "plan_stale", 409);
    const skipping = { ...body, planToken, onStale: "skip" } as const;
    expectDone(await execute(api, skipping, { idempotencyKey }));
  });

  test("sixteen times concurrently has one effect", async () => {
    const tasks = await Promise.all([1, 2, 3].map(() => api.givenTaskLabelled("PASSED")));
    const body = { taskIds: tasks.map(({ id }) => id), targetStatus: TO };
    const idempotencyKey = crypto.randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 16 }, () => execute(api, body, { idempotencyKey })),
    );
    const done = answers.filter(({ status }) => status === 200);
    expect(done.length).toBeGreaterThan(0);
    expect(new Set(done.map(({ text }) => text)).size).toBe(1);
    for (const answer of answers.filter(({ status }) => status !== 200)) {
      expectProblem(answer, "operation_in_progress", 409);
    }
    const [first] = done;
    if (first !== undefined) await expectInLedger(api, first.body);
    expect(first?.body.counts.changed).toBe(3);
  });
});

describe("Concurrent bulk changes of the same tasks", () => {
  test("change each task once, without a deadlock", async () => {
    const tasks = await Promise.all(
      Array.from({ length: 12 }, () => api.givenTaskLabelled("PASSED")),
    );
    const taskIds = tasks.map(({ id }) => id);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        execute(api, {
          taskIds: index % 2 === 0 ? taskIds : taskIds.toReversed(),
          targetStatus: TO,
        }),
      ),
    );
    const changed = answers.map((answer) => expectDone(answer).counts.changed);
    expect(changed.reduce((sum, count) => sum + count, 0)).toBe(12);
    for (const { body } of answers) await expectInLedger(api, body);
    const [row] = await api.database.query(
      "superuser",
      "select deadlocks from pg_stat_database where datname = current_database()",
    );
    expect(row).toEqual({ deadlocks: "0" });
  });
});
