import { beforeAll, describe, expect, test } from "vitest";
import type {
  BulkOperationView,
  ListedBulkItemView,
} from "../../../src/actions/views/bulk-views.ts";
import type { CallOptions } from "../../support/api.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";
import { execute } from "./support.ts";

interface Page<Item> {
  data: Item[];
  nextCursor: string | null;
}

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const read = <Body>(path: string, options: CallOptions = {}) =>
  api.call<Body>("GET", `/bulk/operations${path}`, { as: "viewer", ...options });

/** Every item of a list, page by page. */
async function readAll<Item>(path: string, limit: number): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const next: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const separator = path.includes("?") ? "&" : "?";
    const page: Page<Item> = expectDone(await read(`${path}${separator}limit=${limit}${next}`));
    expect(page.data.length).toBeLessThanOrEqual(limit);
    items.push(...page.data);
    cursor = page.nextCursor;
  }
  return items;
}

describe("Reading bulk operations", () => {
  test("returns the actor, the reason, the change and the result", async () => {
    const original = await api.givenTask();
    const task = await api.givenTaskLabelled("PASSED");
    const done = expectDone(
      await execute(api, {
        taskIds: [task.id, "nobody"],
        targetStatus: "DUPLICATE",
        duplicateOf: original.id,
        runAttachedWorkflows: true,
        reason: "Seen before.",
      }),
    );
    const answer = await read<BulkOperationView>(`/${done.operationId}`);
    expect(expectDone(answer)).toEqual({
      id: done.operationId,
      targetStatus: "DUPLICATE",
      action: null,
      changes: null,
      toKind: null,
      reason: "Seen before.",
      duplicateOf: original.id,
      runAttachedWorkflows: true,
      actor: { id: expect.any(String), name: "first reviewer key" },
      state: "completed",
      counts: { requested: 2, changed: 1, refused: 1, stale: 0, failed: 0 },
      dispatched: 0,
      recalled: 0,
      alreadyDelivered: 0,
      progress: { done: 2, pending: 0, at: expect.stringMatching(/\.\d{6}Z$/) },
      cancelRequestedAt: null,
      parentId: null,
      revertedBy: null,
      revertible: true,
      createdAt: expect.stringMatching(/\.\d{6}Z$/),
      finishedAt: expect.stringMatching(/\.\d{6}Z$/),
    });
  });

  test("lists them newest first, page by page", async () => {
    const executed: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      const body = { taskIds: [`nobody-${index}`], targetStatus: "PASSED" } as const;
      executed.unshift(expectDone(await execute(api, body)).operationId);
    }
    const listed = await readAll<BulkOperationView>("", 2);
    expect(listed.slice(0, 5).map(({ id }) => id)).toEqual(executed);
    expect(new Set(listed.map(({ id }) => id)).size).toBe(listed.length);
    const single = expectDone(await read<BulkOperationView>(`/${executed[0]}`));
    expect(listed[0]).toEqual(single);
  });

  test("lists their items in the requested order, all or by outcome", async () => {
    const changed = await api.givenTaskLabelled("IN_REVIEW", { externalId: "paper-1" });
    const draft = await api.givenTaskLabelled("DRAFT");
    const taskIds = ["nobody", changed.id, draft.id];
    const done = expectDone(await execute(api, { taskIds, targetStatus: "PASSED" }));
    const path = `/${done.operationId}/items`;
    const items = await readAll<ListedBulkItemView>(path, 2);
    const names = [
      { title: null, externalId: null },
      { title: changed.title, externalId: "paper-1" },
      { title: draft.title, externalId: null },
    ];
    expect(items).toEqual(
      done.items.map((item, position) => ({ position, ...item, ...names[position], error: null })),
    );
    const refused = await readAll<ListedBulkItemView>(`${path}?outcome=refused`, 1);
    expect(refused.map(({ position }) => position)).toEqual([0, 2]);
    expect(await readAll(`${path}?outcome=failed`, 1)).toEqual([]);
  });

  test("takes one round trip", async () => {
    const done = expectDone(await execute(api, { taskIds: ["nobody"], targetStatus: "PASSED" }));
    const items = `/${done.operationId}/items`;
    for (const path of ["", `/${done.operationId}`, items, `${items}.csv`, `${items}.ndjson`]) {
      expect(await api.roundTripsOf(() => read(path))).toBe(1);
    }
  });

  test("answers for another tenant's operation exactly as for an unknown one", async () => {
    const body = { taskIds: ["nobody"], targetStatus: "PASSED" } as const;
    const theirs = expectDone(await execute(api, body, { tenant: api.otherTenant })).operationId;
    const headers = { "x-request-id": "the-same-request" };
    for (const path of ["", "/items", "/items.csv", "/items.ndjson"]) {
      const foreign = await read(`/${theirs}${path}`, { headers });
      const unknown = await read(`/${crypto.randomUUID()}${path}`, { headers });
      expectProblem(foreign, "not_found", 404);
      expect(foreign.text).toBe(unknown.text);
    }
    const listed = await readAll<BulkOperationView>("", 200);
    expect(listed.map(({ id }) => id)).not.toContain(theirs);
  });

  test("rejects a cursor of another list", async () => {
    for (let index = 0; index < 2; index += 1) {
      expectDone(await execute(api, { taskIds: ["a", "b"], targetStatus: "PASSED" }));
    }
    const page = expectDone(await read<Page<BulkOperationView>>("?limit=1"));
    const [operation] = page.data;
    const path = `/${operation?.id}/items?limit=1`;
    const foreign = await read(`${path}&cursor=${page.nextCursor}`);
    expectProblem(foreign, "invalid_cursor", 400);
    const items = expectDone(await read<Page<ListedBulkItemView>>(path));
    const filtered = await read(`${path}&outcome=refused&cursor=${items.nextCursor}`);
    expectProblem(filtered, "invalid_cursor", 400);
  });
});
