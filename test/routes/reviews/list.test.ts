import { parse } from "csv-parse/sync";
import { beforeAll, describe, expect, it } from "vitest";
import type { Reviewed } from "../../../src/actions/reviews/record-review.ts";
import type { ReviewRecord } from "../../../src/db/reviews/review-json.ts";
import { expectDone, freshApi, type TestApi } from "../../support/api.ts";
import { givenKeyOf, givenPerson } from "../people/support.ts";

let api: TestApi;
/** The ids of three reviews, oldest first: an automated one, a withdrawn one by a person, and another by them. */
let ids: string[];
let personId: string;
let tasks: string[];
let stepId: string;

const NOTES = '=1+1, "quoted",\nand more';

beforeAll(async () => {
  api = await freshApi();
  const person = await givenPerson(api);
  personId = person.id;
  const [one, two] = [await givenKeyOf(api, person), await givenKeyOf(api, person)];
  const at = { kind: "expert_review", status: "in_review" } as const;
  const first = await api.givenTask({ at });
  const second = await api.givenTask({ at });
  tasks = [first.id, second.id];
  stepId = second.currentStep.id;
  const review = async (task: string, body: object, bearer = api.tenant.keys.admin) => {
    const answer = await api.call<Reviewed>("POST", `/tasks/${task}/reviews`, { bearer, body });
    return expectDone(answer, 201).review.id;
  };
  ids = [
    await review(first.id, { kind: "automated", outcome: "failed" }),
    await review(first.id, { kind: "expert", outcome: "passed", notes: NOTES }, one.key),
  ];
  const reason = { bearer: two.key, body: { reason: "Wrong file" } };
  expectDone(await api.call("POST", `/reviews/${ids[1]}/withdraw`, reason));
  ids.push(await review(second.id, { kind: "expert", outcome: "failed" }, two.key));
  await api.givenTask({ tenant: api.otherTenant, at });
});

const list = async (query = "") =>
  expectDone(
    await api.call<{ data: ReviewRecord[]; nextCursor: string | null }>(
      "GET",
      `/reviews?${query}`,
      {
        as: "viewer",
      },
    ),
  );
const found = async (query: string) =>
  (await list(query)).data.map(({ id }) => ids.indexOf(id)).toSorted((one, other) => one - other);

describe("the list of reviews", () => {
  it("has all reviews of the tenant, newest first, page by page", async () => {
    const { data } = await list();
    expect(data.map(({ id }) => id)).toEqual(ids.toReversed());
    expect(data).toMatchObject([
      { taskId: tasks[1], reviewer: { personId }, withdrawn: null },
      { taskId: tasks[0], notes: NOTES, withdrawn: { reason: "Wrong file" } },
      { taskId: tasks[0], kind: "automated", withdrawn: null },
    ]);
    const first = await list("limit=2");
    const rest = await list(`limit=2&cursor=${encodeURIComponent(first.nextCursor ?? "")}`);
    expect([...first.data, ...rest.data].map(({ id }) => id)).toEqual(ids.toReversed());
    expect(rest.nextCursor).toBeNull();
    const elsewhere = await api.call<{ data: unknown[] }>("GET", "/reviews", {
      tenant: api.otherTenant,
    });
    expect(expectDone(elsewhere).data).toEqual([]);
  });

  it.each([
    ["kind=expert", [1, 2]],
    ["outcome=failed", [0, 2]],
    ["withdrawn=true", [1]],
    ["withdrawn=false", [0, 2]],
    ["kind=expert&outcome=failed", [2]],
    ["createdAfter=2020-01-01T00:00:00Z", [0, 1, 2]],
    ["createdBefore=2020-01-01T00:00:00Z", []],
  ])("can be limited by %s", async (query, expected) => {
    expect(await found(query)).toEqual(expected);
  });

  it("can be limited to a task, a step, a person and a credential", async () => {
    expect(await found(`task=${tasks[0]}`)).toEqual([0, 1]);
    expect(await found(`stepId=${stepId}`)).toEqual([2]);
    expect(await found(`personId=${personId}`)).toEqual([1, 2]);
    const { reviewer } = (await list(`stepId=${stepId}`)).data[0] ?? expect.fail("no review");
    expect(await found(`reviewerId=${reviewer.id}`)).toEqual([2]);
  });

  it("is exported as CSV and JSON Lines, with the same filters", async () => {
    const read = async (path: string) => {
      const headers = { authorization: `Bearer ${api.tenant.keys.viewer}` };
      const response = await api.fetch(`/v1/reviews/${path}`, { headers });
      expect(response.status).toBe(200);
      return response.text();
    };
    const lines = (await read("export.ndjson")).trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as ReviewRecord).id)).toEqual(ids);
    const rows = parse(await read("export.csv?kind=expert"), { columns: true });
    expect(rows).toMatchObject([
      { id: ids[1], notes: `'${NOTES}`, personId, withdrawReason: "Wrong file" },
      { id: ids[2], outcome: "failed", withdrawnAt: "" },
    ]);
  });
});
