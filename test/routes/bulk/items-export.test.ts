import { parse } from "csv-parse/sync";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { ListedBulkItemView } from "../../../src/actions/views/bulk-views.ts";
import { BULK_OUTCOMES } from "../../../src/domain/bulk/outcomes.ts";
import { expectDone, expectProblem, freshApi, type TestApi, textOf } from "../../support/api.ts";
import { execute } from "./support.ts";

let api: TestApi;
let mixed: string;
beforeAll(async () => {
  api = await freshApi();
  mixed = await givenMixedOperation();
});

const fetchExport = (path: string) =>
  api.fetch(`/v1/bulk/operations/${path}`, {
    headers: { authorization: `Bearer ${api.tenant.keys.viewer}` },
  });

const records = z.array(z.record(z.string(), z.string()));

/** The rows of a CSV export, as an independent parser of RFC 4180 reads them. */
async function readCsv(path: string) {
  const response = await fetchExport(path);
  expect(response.status).toBe(200);
  return records.parse(parse(await textOf(response), { columns: true, record_delimiter: "\r\n" }));
}

async function readNdjson(path: string): Promise<unknown[]> {
  const lines = (await textOf(await fetchExport(path))).split("\n");
  expect(lines.pop()).toBe("");
  return lines.map((line) => JSON.parse(line) as unknown);
}

async function listed(path: string): Promise<ListedBulkItemView[]> {
  const full = `/bulk/operations/${path}`;
  const answer = await api.call<{ data: ListedBulkItemView[] }>("GET", full);
  return expectDone(answer).data;
}

const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
const cellOf = (value: string | number | readonly string[] | null = null): string => {
  const text = Array.isArray(value) ? value.join(" ") : String(value ?? "");
  return typeof value === "string" && FORMULA.test(text) ? `'${text}` : text;
};

/** An operation with every outcome that needs no race: changed, refused, failed; with names like formulas. */
async function givenMixedOperation(): Promise<string> {
  const tasks = [
    await api.givenTaskLabelled("IN_REVIEW", { title: "=1+1", externalId: "@sum" }),
    await api.givenTaskLabelled("IN_REVIEW", { title: 'A "quoted", title' }),
    await api.givenTaskLabelled("DRAFT", { title: "－2", externalId: "plain" }),
  ];
  const theirs = await api.givenTask({ tenant: api.otherTenant, title: "Theirs" });
  const unknown = ["=cmd|calc", "a,b", "nobody", crypto.randomUUID(), theirs.id];
  const taskIds = [...tasks.map(({ id }) => id), ...unknown];
  const { operationId } = expectDone(await execute(api, { taskIds, targetStatus: "PASSED" }));
  // No call makes the database refuse a task, so the owner of the database says that it did.
  await api.database.query(
    "owner",
    `update bulk_operation_items set outcome = 'failed', error = '+refused; by "x"'
     where operation_id = $1 and position = 1`,
    [operationId],
  );
  return operationId;
}

describe("The export of an operation's items", () => {
  it("has the items of the list in both formats, whatever the filter", async () => {
    for (const filter of ["", ...BULK_OUTCOMES.map((outcome) => `outcome=${outcome}`)]) {
      const items = await listed(`${mixed}/items?limit=200&${filter}`);
      expect(await readNdjson(`${mixed}/items.ndjson?${filter}`)).toEqual(items);
      expect(await readCsv(`${mixed}/items.csv?${filter}`)).toEqual(
        items.map(({ code, eventSeq, allowed, ...item }) =>
          Object.fromEntries(
            Object.entries({ ...item, code, eventSeq, allowed }).map(([name, value]) => [
              name,
              cellOf(value),
            ]),
          ),
        ),
      );
    }
  });

  it("marks formulas as text, in names and errors", async () => {
    const rows = await readCsv(`${mixed}/items.csv`);
    expect(rows).toMatchObject([
      { title: "'=1+1", externalId: "'@sum", outcome: "changed" },
      { title: 'A "quoted", title', externalId: "", outcome: "failed", error: `'+refused; by "x"` },
      { title: "'－2", externalId: "plain", outcome: "refused" },
      { taskId: "'=cmd|calc", title: "" },
      { taskId: "a,b" },
      { taskId: "nobody" },
      { title: "" },
      { title: "", externalId: "" },
    ]);
    expect(rows.flatMap(Object.values).filter((cell) => FORMULA.test(String(cell)))).toEqual([]);
  });

  it("shows the names that the tasks have now", async () => {
    const task = await api.givenTaskLabelled("IN_REVIEW", { title: "Before" });
    const body = { taskIds: [task.id], targetStatus: "PASSED" } as const;
    const { operationId } = expectDone(await execute(api, body));
    const renamed = { title: "After", externalId: "renamed" };
    expectDone(await api.call("PATCH", `/tasks/${task.id}`, { body: renamed }));
    expect(await readCsv(`${operationId}/items.csv`)).toMatchObject([renamed]);
  });

  it("is read in chunks of one round trip, and has every item once and in order", async () => {
    const taskIds = Array.from({ length: 4100 }, (_, index) => `unknown-${index}`);
    const accepted = await execute(api, { taskIds, targetStatus: "PASSED" });
    const { operationId } = expectDone(accepted, 202);
    await api.call("GET", "/registry", { as: "viewer" });
    await api.database.resetRoundTrips();
    const rows = await readCsv(`${operationId}/items.csv`);
    expect(await api.database.roundTrips()).toBe(3);
    expect(rows.map(({ position, taskId }) => [position, taskId])).toEqual(
      taskIds.map((id, index) => [String(index), id]),
    );
  });

  it("reads long names in smaller chunks, to limit memory", async () => {
    const taskIds = Array.from({ length: 5 }, (_, index) => `${index}`.repeat(150_000));
    const { operationId } = expectDone(await execute(api, { taskIds, targetStatus: "PASSED" }));
    await api.database.query(
      "owner",
      "update bulk_operation_items set error = repeat('e', 900000) where operation_id = $1",
      [operationId],
    );
    await api.call("GET", "/registry", { as: "viewer" });
    await api.database.resetRoundTrips();
    const rows = await readCsv(`${operationId}/items.csv`);
    expect(rows.map(({ taskId }) => taskId)).toEqual(taskIds);
    expect(await api.database.roundTrips()).toBe(3);
  });

  it("is a file that is named after what it holds, and takes no other parameters", async () => {
    const { operationId } = expectDone(
      await execute(api, { taskIds: ["nobody"], targetStatus: "PASSED" }),
    );
    for (const format of ["csv", "ndjson"]) {
      const { headers } = await fetchExport(`${operationId}/items.${format}`);
      const disposition = new RegExp(
        String.raw`^attachment; filename="bulk-items-\d{4}-\d{2}-\d{2}\.${format}"$`,
      );
      expect(headers.get("content-disposition")).toMatch(disposition);
      for (const query of ["limit=1", "cursor=x", "outcome=", "outcome=lost"]) {
        const path = `/bulk/operations/${operationId}/items.${format}?${query}`;
        expectProblem(await api.call("GET", path), "validation_failed", 400);
      }
    }
    const excel = await textOf(await fetchExport(`${operationId}/items.csv?dialect=excel`));
    expect(excel).toContain("position;taskId;externalId;title;");
  });
});
