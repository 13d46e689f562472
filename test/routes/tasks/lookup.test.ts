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

  it("looks up 50,000 names in one round trip", async () => {
    const { id } = await api.givenTask();
    const names = Array.from({ length: 49_999 }, (_, index) => `unknown-${index}`);
    const roundTrips = await api.roundTripsOf(async () => {
      const { found, unresolved } = expectDone(await lookUp([...names, id]));
      expect(found).toMatchObject([{ id }]);
      expect(unresolved).toEqual(names);
    });
    expect(roundTrips).toBe(1);
  });

  it("rejects more than 50,000 names", async () => {
    const answer = await lookUp(Array.from({ length: 50_001 }, () => "a"));
    expect(expectProblem(answer, "too_many_items", 400).max).toBe(50_000);
  });

  it("is open to the service role", async () => {
    expect((await lookUp(["a"], { as: "service" })).status).toBe(200);
  });
});
