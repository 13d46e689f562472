import { beforeAll, describe, expect, it } from "vitest";
import { UNIFIED_STATUSES } from "../../../src/domain/status/unified.ts";
import {
  type CallOptions,
  expectDone,
  expectProblem,
  freshApi,
  type TestApi,
} from "../../support/api.ts";

interface LookedUp {
  found: {
    input: string;
    id: string;
    externalId: string | null;
    title: string;
    unifiedStatus: string;
  }[];
  unresolved: string[];
}

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const lookUp = (ids: unknown[], options: CallOptions = {}) =>
  api.call<LookedUp>("POST", "/tasks/lookup", { as: "viewer", body: { ids }, ...options });

describe("Looking tasks up", () => {
  it("finds tasks by id or external id, in the order given", async () => {
    const one = await api.givenTask({ externalId: "one", title: "One" });
    const two = await api.givenTask({ externalId: "two", title: "Two" });
    const unknown = "0193aaaa-0000-7000-8000-000000000001";
    const names = ["ext:two", one.id.toUpperCase(), "nobody", "one", unknown, "ext:none", two.id];
    const { found, unresolved } = expectDone(await lookUp(names));
    expect(found).toEqual([
      { input: "ext:two", id: two.id, externalId: "two", title: "Two", unifiedStatus: "DRAFT" },
      {
        input: one.id.toUpperCase(),
        id: one.id,
        externalId: "one",
        title: "One",
        unifiedStatus: "DRAFT",
      },
      { input: "one", id: one.id, externalId: "one", title: "One", unifiedStatus: "DRAFT" },
      { input: two.id, id: two.id, externalId: "two", title: "Two", unifiedStatus: "DRAFT" },
    ]);
    expect(unresolved).toEqual(["nobody", unknown, "ext:none"]);
  });

  it("returns the same label as the task itself", async () => {
    const tasks = [];
    for (const label of UNIFIED_STATUSES) tasks.push(await api.givenTaskLabelled(label));
    const { found } = expectDone(await lookUp(tasks.map(({ id }) => id)));
    expect(found.map(({ unifiedStatus }) => unifiedStatus)).toEqual(UNIFIED_STATUSES);
  });

  it("finds no task of another tenant", async () => {
    const theirs = await api.givenTask({ externalId: "theirs", tenant: api.otherTenant });
    const { found, unresolved } = expectDone(await lookUp([theirs.id, "ext:theirs"]));
    expect(found).toEqual([]);
    expect(unresolved).toEqual([theirs.id, "ext:theirs"]);
  });

  it("finds archived tasks", async () => {
    const { id } = await api.givenTask();
    await api.call("POST", `/tasks/${id}/archive`, { body: { reason: "Put away." } });
    const { found } = expectDone(await lookUp([id]));
    expect(found).toMatchObject([{ id }]);
  });

  it("looks up 2,500 names in one round trip, and 50,000 in twenty", async () => {
    const [first, middle, last] = await api.givenTasks(3);
    const unknown = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, index) => `unknown-${from + index}`);
    const few = [first ?? "", ...unknown(0, 2499)];
    const many = [...few, ...unknown(2500, 19_999), middle ?? "", ...unknown(20_000, 49_998)];
    const lookUpIn = (names: readonly string[]) =>
      api.roundTripsOf(async () => {
        const { found, unresolved } = expectDone(await lookUp([...names, last ?? ""]));
        expect(found.map(({ id }) => id)).toEqual(
          [first, middle, last].filter((id) => id === last || names.includes(id ?? "")),
        );
        expect(unresolved).toEqual(names.filter((name) => name.startsWith("unknown")));
      });
    expect(await lookUpIn(few.slice(0, -1))).toBe(1);
    expect(await lookUpIn(many)).toBe(20);
  });

  it("closes the connection early if the database fails after the first part", async () => {
    const names = Array.from({ length: 5001 }, (_, index) => `unknown-${index}`);
    await api.database.faults({ kind: "sqlstate", code: "25006", times: null, skip: 1 });
    await expect(lookUp(names)).rejects.toThrow("The database did not answer");
    await api.database.clearFaults();
    // Before the first part, the error still has a response.
    await api.database.faults({ kind: "sqlstate", code: "25006", times: null });
    expectProblem(await lookUp(names), "unavailable", 503);
    await api.database.clearFaults();
  });

  it("rejects more than 50,000 names", async () => {
    const answer = await lookUp(Array.from({ length: 50_001 }, () => "a"));
    expect(expectProblem(answer, "too_many_items", 400).max).toBe(50_000);
  });

  it("is open to the service role", async () => {
    expect((await lookUp(["a"], { as: "service" })).status).toBe(200);
  });
});
