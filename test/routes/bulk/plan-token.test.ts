import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTokenSigner } from "../../../src/actions/call/signed-token.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import {
  addNote,
  execute,
  expectInLedger,
  labelOf,
  planTokenFor,
  preview,
  rowCounts,
} from "./support.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});
afterAll(() => expectInvariantsHold(api.database));

const REJECTED = "REJECTED" as const;
const givenPassed = async (count: number) => {
  const tasks = [];
  for (let index = 0; index < count; index += 1) tasks.push(await api.givenTaskLabelled("PASSED"));
  return tasks.map(({ id }) => id);
};

describe("A plan token", () => {
  test("allows executing the previewed plan, with the tasks in any order", async () => {
    const taskIds = await givenPassed(2);
    const planToken = await planTokenFor(api, { taskIds, targetStatus: REJECTED });
    const body = { taskIds: taskIds.toReversed(), targetStatus: REJECTED, planToken };
    const done = expectDone(await execute(api, body));
    expect(done).toMatchObject({ state: "completed", counts: { changed: 2 } });
    expect(done.items.map(({ taskId }) => taskId)).toEqual(taskIds.toReversed());
  });

  test("grows by eight bytes for each task", async () => {
    const taskIds = Array.from({ length: 1000 }, () => crypto.randomUUID());
    const few = await planTokenFor(api, { taskIds: taskIds.slice(0, 100), targetStatus: REJECTED });
    const many = await planTokenFor(api, { taskIds, targetStatus: REJECTED });
    expect(many.length - few.length).toBe((900 * 8 * 4) / 3);
  });

  test("has digests that depend on the signing secret", async () => {
    const other = await freshApi({
      SIGNING_SECRET: "another secret, also long enough to sign with",
    });
    const taskIds = [crypto.randomUUID()];
    const body = { taskIds, targetStatus: REJECTED };
    const digestsOf = (token: string) =>
      atob(token.replaceAll("-", "+").replaceAll("_", "/")).slice(-40, -32);
    const one = await planTokenFor(api, body);
    const repeated = await planTokenFor(api, body);
    expect(digestsOf(repeated)).toBe(digestsOf(one));
    expect(digestsOf(await planTokenFor(other, body))).not.toBe(digestsOf(one));
  });

  test("is rejected with another body, and nothing is written", async () => {
    const taskIds = await givenPassed(2);
    const [first = "", second = ""] = taskIds;
    const planToken = await planTokenFor(api, { taskIds, targetStatus: REJECTED });
    const previewed = { taskIds, targetStatus: REJECTED, planToken };
    const before = await rowCounts(api);
    for (const body of [
      { ...previewed, targetStatus: "DUPLICATE" as const },
      { ...previewed, runAttachedWorkflows: true },
      { ...previewed, taskIds: [first] },
      { ...previewed, taskIds: [first, second, crypto.randomUUID()] },
      { ...previewed, taskIds: [first, crypto.randomUUID()] },
      { ...previewed, planToken: `${planToken.slice(0, -2)}xx` },
      { ...previewed, planToken: "no token" },
    ]) {
      expectProblem(await execute(api, body), "invalid_plan_token", 400);
    }
    expect(await rowCounts(api)).toEqual(before);
  });

  test("is rejected with another original", async () => {
    const [task = "", original = "", another = ""] = await givenPassed(3);
    const body = { taskIds: [task], targetStatus: "DUPLICATE" } as const;
    const planToken = await planTokenFor(api, { ...body, duplicateOf: original });
    const other = { ...body, duplicateOf: another, planToken };
    expectProblem(await execute(api, other), "invalid_plan_token", 400);
    expectProblem(await execute(api, { ...body, planToken }), "invalid_plan_token", 400);
  });

  test("is rejected for another actor or tenant", async () => {
    const taskIds = [crypto.randomUUID()];
    const body = { taskIds, targetStatus: REJECTED };
    const planToken = await planTokenFor(api, body, { as: "admin" });
    expectProblem(await execute(api, { ...body, planToken }), "invalid_plan_token", 400);
    const tenant = api.otherTenant;
    const theirs = await planTokenFor(api, body, { tenant });
    expectProblem(await execute(api, { ...body, planToken: theirs }), "invalid_plan_token", 400);
    expectDone(await execute(api, { ...body, planToken: theirs }, { tenant }));
  });

  test("is rejected if it was signed for another purpose", async () => {
    for (const taskId of ["one", "other"]) {
      expectDone(await execute(api, { taskIds: [taskId], targetStatus: REJECTED }));
    }
    const page = await api.call<{ nextCursor: string | null }>("GET", "/bulk/operations?limit=1");
    const cursor = expectDone(page).nextCursor ?? "";
    expect(cursor).not.toBe("");
    const body = { taskIds: ["one"], targetStatus: REJECTED, planToken: cursor };
    expectProblem(await execute(api, body), "invalid_plan_token", 400);
  });
});

describe("An old plan token", () => {
  const secret = "a secret of the tests, long enough to sign with";

  /** The token with other members in its header, signed as the service would have. */
  const signAgain = async (token: string, changes: object) => {
    const signer = createTokenSigner(secret);
    const payload = await signer.open("bulk-plan", token);
    if (payload === null) throw new Error("The service did not sign this token");
    const length = new DataView(payload.buffer).getUint16(0);
    const header: object = JSON.parse(new TextDecoder().decode(payload.slice(2, 2 + length)));
    const head = new TextEncoder().encode(JSON.stringify({ ...header, ...changes }));
    const digests = payload.slice(2 + length);
    const older = new Uint8Array(2 + head.length + digests.length);
    new DataView(older.buffer).setUint16(0, head.length);
    older.set(head, 2);
    older.set(digests, 2 + head.length);
    return signer.sign("bulk-plan", older);
  };

  test("expires after an hour, and with a new registry version", async () => {
    const taskIds = await givenPassed(1);
    const body = { taskIds, targetStatus: REJECTED };
    const planToken = await planTokenFor(api, body);
    const before = await rowCounts(api);
    for (const changes of [{ expiresAt: Date.now() - 1 }, { registryVersion: 0 }]) {
      const older = await signAgain(planToken, changes);
      expectProblem(await execute(api, { ...body, planToken: older }), "plan_expired", 409);
    }
    expect(await rowCounts(api)).toEqual(before);
    const sameAgain = await signAgain(planToken, {});
    expectDone(await execute(api, { ...body, planToken: sameAgain }));
  });

  test("is invalid if another release signed other members", async () => {
    const taskIds = [crypto.randomUUID()];
    const body = { taskIds, targetStatus: REJECTED };
    const planToken = await signAgain(await planTokenFor(api, body), { flavour: "new" });
    expectProblem(await execute(api, { ...body, planToken }), "invalid_plan_token", 400);
  });
});

describe("Tasks that have changed since the preview", () => {
  test("stop the whole change, and are listed with their present label and code", async () => {
    const [moved = "", noted = "", still = ""] = await givenPassed(3);
    const taskIds = [moved, noted, still];
    const planToken = await planTokenFor(api, { taskIds, targetStatus: REJECTED });
    expectDone(await execute(api, { taskIds: [moved], targetStatus: REJECTED }));
    await addNote(api, noted);

    const before = await rowCounts(api);
    const answer = await execute(api, { taskIds, targetStatus: REJECTED, planToken });
    const { changed } = expectProblem(answer, "plan_stale", 409);
    const expected = [
      { taskId: moved, unifiedStatus: "REJECTED", code: "already_in_status" },
      { taskId: noted, unifiedStatus: "PASSED", code: null },
    ];
    expect(changed).toEqual(expected.toSorted((a, b) => (a.taskId < b.taskId ? -1 : 1)));
    expect(await rowCounts(api)).toEqual(before);
    expect(await labelOf(api, still)).toBe("PASSED");
  });

  test("are skipped with onStale: skip, and the others are changed", async () => {
    const [noted = "", moved = "", still = ""] = await givenPassed(3);
    const taskIds = [noted, moved, still];
    const planToken = await planTokenFor(api, { taskIds, targetStatus: REJECTED });
    await addNote(api, noted);
    expectDone(await execute(api, { taskIds: [moved], targetStatus: REJECTED }));

    const body = { taskIds, targetStatus: REJECTED, planToken, onStale: "skip" } as const;
    const done = expectDone(await execute(api, body));
    expect(done).toMatchObject({
      state: "partial",
      counts: { requested: 3, changed: 1, refused: 0, stale: 2, failed: 0 },
    });
    expect(done.items).toEqual([
      { taskId: noted, outcome: "stale", code: "stale", from: "PASSED", to: REJECTED },
      { taskId: moved, outcome: "stale", code: "stale", from: "REJECTED", to: REJECTED },
      {
        taskId: still,
        outcome: "changed",
        from: "PASSED",
        to: REJECTED,
        eventSeq: expect.any(Number),
      },
    ]);
    await expectInLedger(api, done);
  });

  test("include a task that was archived", async () => {
    const [task = ""] = await givenPassed(1);
    const body = { taskIds: [task], targetStatus: REJECTED };
    const planToken = await planTokenFor(api, body);
    expectDone(await api.call("POST", `/tasks/${task}/archive`, { body: { reason: "Put away" } }));
    const answer = await execute(api, { ...body, planToken });
    expect(expectProblem(answer, "plan_stale", 409)["changed"]).toEqual([
      { taskId: task, unifiedStatus: "PASSED", code: "archived" },
    ]);
  });

  test("do not matter without a plan token", async () => {
    const [task = ""] = await givenPassed(1);
    expectDone(await preview(api, { taskIds: [task], targetStatus: REJECTED }));
    await addNote(api, task);
    const done = expectDone(await execute(api, { taskIds: [task], targetStatus: REJECTED }));
    expect(done.counts.changed).toBe(1);
  });
});
