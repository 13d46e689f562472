import { beforeAll, describe, expect, it } from "vitest";
import { expectDone, freshApi, type TestApi } from "../support/api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

/** What people paste into a list of ids. */
const MALFORMED = [
  "",
  " ",
  "ext:",
  `ext:${"x".repeat(201)}`,
  "x".repeat(205),
  "x".repeat(100_000),
  "長".repeat(3_000),
  "00000000-0000-0000-0000",
  "not-an-id",
  "ext:\u0007",
  "a\nb",
  "\u200b",
  "'; drop table tasks; --",
];

/** Puts a malformed name before and after each good one. */
const among = (good: readonly string[]) => [
  ...MALFORMED.slice(0, 6),
  ...good.flatMap((name) => [name, "nothing-by-this-name"]),
  ...MALFORMED.slice(6),
];
const distinct = (names: readonly string[]) => [...new Set(names)];
const place = { at: { kind: "output_generation", status: "queued" } } as const;
const given = async () => [(await api.givenTask(place)).id, (await api.givenTask(place)).id];

describe("A malformed name in a list of tasks does not keep the others from being", () => {
  it("looked up", async () => {
    const good = await given();
    const names = among(good);
    const body = expectDone(
      await api.call<{ found: { id: string }[]; unresolved: string[] }>("POST", "/tasks/lookup", {
        body: { ids: names },
      }),
    );
    expect(body.found.map(({ id }) => id)).toEqual(good);
    expect(body.unresolved).toEqual(names.filter((name) => !good.includes(name)));
  });

  it("previewed and changed in bulk", async () => {
    const good = await given();
    const taskIds = among(good);
    const change = { taskIds, targetStatus: "REJECTED", reason: "Wrong" };
    const unknown = distinct(taskIds).length - good.length;
    const preview = await api.call<{ planToken: string }>("POST", "/bulk/preview", {
      body: change,
    });
    const { planToken } = expectDone(preview);
    expect(preview.body).toMatchObject({
      counts: { eligible: 2, refused: unknown },
      byCode: { not_found: unknown },
    });
    const executed = await api.call<{ operationId: string; items: { taskId: string }[] }>(
      "POST",
      "/bulk/execute",
      { idempotencyKey: crypto.randomUUID(), body: { ...change, planToken } },
    );
    expect(expectDone(executed)).toMatchObject({ counts: { changed: 2, refused: unknown } });
    expect(executed.body.items.map(({ taskId }) => taskId)).toEqual(distinct(taskIds));
    const stored = await api.call<{ data: { code?: string }[] }>(
      "GET",
      `/bulk/operations/${executed.body.operationId}/items?limit=200`,
    );
    expect(expectDone(stored).data.filter(({ code }) => code === "not_found")).toHaveLength(
      unknown,
    );
  });

  it("accepted for a large change", async () => {
    const good = await given();
    const many = Array.from({ length: 1000 }, (_, index) => `unknown-${index}`);
    const body = { taskIds: [...among(good), ...many], targetStatus: "REJECTED", reason: "Wrong" };
    const idempotencyKey = crypto.randomUUID();
    expectDone(await api.call("POST", "/bulk/execute", { idempotencyKey, body }), 202);
  });

  it("moved", async () => {
    const good = [(await api.givenTask()).id, (await api.givenTask()).id];
    const names = distinct(among(good));
    const moves = names.map((task) => ({ task, status: "running" }));
    const moved = expectDone(
      await api.call<{ items: { outcome: string; error?: string }[] }>("POST", "/moves", {
        body: { moves },
      }),
    );
    expect(moved.items.map(({ outcome, error }) => error ?? outcome)).toEqual(
      names.map((name) => (good.includes(name) ? "changed" : "not_found")),
    );
  });

  it("evaluated", async () => {
    const good = await given();
    const names = distinct(among(good));
    const results = names.map((task) => ({ task, model: "solver-7b", k: 1, passed: true }));
    const recorded = expectDone(
      await api.call<{ items: { outcome: string }[] }>("POST", "/evals/record", {
        body: { name: "accuracy", k: 1, results },
      }),
    );
    expect(recorded.items.map(({ outcome }) => outcome)).toEqual(
      names.map((name) => (good.includes(name) ? "recorded" : "not_found")),
    );
  });
});
