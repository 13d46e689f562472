import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { EXAMPLES } from "../../scripts/demo/options.ts";
import { runDemo } from "../../scripts/demo/run-demo.ts";
import { createApiClient, type Send } from "../../scripts/import/api-client.ts";
import { importRecords } from "../../scripts/import/import-records.ts";
import { mapRecord } from "../../scripts/import/mappings.ts";
import { runImport } from "../../scripts/import/run-import.ts";
import { seen } from "../support/node/command.ts";
import { gather, streamOf, temporaryFiles } from "../support/node/temporary-files.ts";
import { startService, type TestService } from "../support/node/service.ts";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

const givenFile = temporaryFiles();

/** Runs `npm run import` with the operator's key of the first tenant. */
function importWith(args: readonly string[]) {
  const key = service.tenant.keys.operator;
  return seen(() => runImport(["--url", service.baseUrl, ...args], { key, stack: null }));
}

/** Imports tasks with the given fields in this process. */
async function importAll(
  tasks: readonly Record<string, unknown>[],
  {
    fetch: send = fetch,
    batchMax = 500,
    isDryRun = false,
  }: { fetch?: Send; batchMax?: number; isDryRun?: boolean } = {},
) {
  const client = createApiClient({
    baseUrl: service.baseUrl,
    key: service.tenant.keys.operator,
    fetch: send,
    wait: async () => {},
  });
  const records = tasks.map((value, index) =>
    mapRecord(
      "auto",
      { number: index + 1, line: index + 1, value },
      { fileName: "tasks.jsonl", start: null },
    ),
  );
  return (await gather(importRecords(client, streamOf(records), { batchMax, isDryRun }))).flat();
}

/** Counts the tasks whose external id or title has the prefix. */
async function countTasks(prefix: string): Promise<number> {
  const [row] = await service.database.query(
    "owner",
    "select count(*) as count from tasks where starts_with(external_id, $1) or starts_with(title, $1)",
    [prefix],
  );
  return Number(row?.["count"]);
}

/** Returns a `fetch` that notes the path of each request and its number of tasks. */
function watchedFetch() {
  const seen: string[] = [];
  const send: Send = async (input, init) => {
    const body: unknown = typeof init.body === "string" ? JSON.parse(init.body) : null;
    const tasks = z.object({ tasks: z.array(z.unknown()) }).safeParse(body);
    const path = new URL(input).pathname;
    seen.push(tasks.success ? `${path} ${tasks.data.tasks.length}` : path);
    return fetch(input, init);
  };
  return { seen, send };
}

describe("the command", () => {
  test("imports a file, and finds that everything exists when it is run again", async () => {
    const lines = Array.from({ length: 7 }, (_, index) =>
      JSON.stringify({ title: `Seven ${index}` }),
    );
    const file = await givenFile("seven.jsonl", lines.join("\n"));
    const report = await givenFile("report.jsonl", "");

    const first = await importWith([file, "--batch", "3", "--report", report]);
    expect(first).toMatchObject({ code: 0 });
    expect(first.out).toContain("First tenant");
    expect(first.out).toContain("created 7, exists 0, differs 0, invalid 0");
    expect(first.err).toContain("Importing: 7/7");
    const reported = (await readFile(report, "utf8")).trimEnd().split("\n");
    expect(reported.map((line) => JSON.parse(line) as unknown)).toEqual(
      lines.map((_, index) => ({
        line: index + 1,
        externalId: expect.stringMatching(/^record-[0-9a-f]{32}$/),
        outcome: "created",
        id: expect.any(String),
      })),
    );

    const again = await importWith([file]);
    expect(again).toMatchObject({ code: 0 });
    expect(again.out).toContain("created 0, exists 7, differs 0, invalid 0");
    expect(await countTasks("Seven ")).toBe(7);
  });

  test("prints why a record was not imported, and exits with 1", async () => {
    const file = await givenFile("mixed.csv", "id,title,priority\nm-1,Good,1\nm-2,Bad,high\n");
    const { code, out } = await importWith([file]);
    expect(code).toBe(1);
    expect(out).toContain("created 1, exists 0, differs 0, invalid 1");
    expect(out).toMatch(/line 3 {2}m-2 {2}priority: .*\(invalid_type\)/);
    expect(await countTasks("m-")).toBe(1);
  });

  test("records scores without a verdict, and agents apart if the file says so", async () => {
    const trials = ["x", "y"].map((agent, index) => {
      return { k: 1, model: "m", agent, score: index + 0.25 };
    });
    const evals = [{ name: "scored file", k: 1, slotBy: ["model", "agent"], trials }];
    const line = JSON.stringify({ externalId: "scored-1", title: "Scored", evals });
    const file = await givenFile("scored.jsonl", line);
    const first = await importWith([file]);
    expect(first.out).toContain("trials: recorded 2");
    expect(first.out).toMatch(/m +– +0 of 0 +0 of 0/);
    expect(first.code).toBe(0);
    expect((await importWith([file])).out).toContain("trials: exists 2");
  });

  test("changes nothing if a line of the file cannot be parsed", async () => {
    const file = await givenFile("broken.jsonl", '{"title":"Broken"}\n{"title":}\n');
    const { code, err } = await importWith([file]);
    expect(code).toBe(2);
    expect(err).toContain(`${file}:2:10  Unexpected token '}'`);
    expect(err).toContain("Nothing was imported");
    expect(await countTasks("Broken")).toBe(0);
  });

  test("sends nothing in a dry run", async () => {
    const file = await givenFile("checked.json", '[{"title":"Checked"}, {"title":"Bad","odd":1}]');
    const { code, out } = await importWith([file, "--dry-run"]);
    expect(code).toBe(1);
    expect(out).toContain("would be created 1, exists 0, differs 0, invalid 1");
    expect(out).toContain("odd: This field is not allowed. (unrecognized_keys)");
    expect(await countTasks("Checked")).toBe(0);
  });

  test("exits with 2 and a message if it lacks the permission, the right key or the file", async () => {
    const file = await givenFile("late.jsonl", '{"title":"Late"}');
    const forbidden = await importWith([file, "--start", "delivery"]);
    expect(forbidden).toMatchObject({ code: 2 });
    expect(forbidden.err).toContain("forbidden: This requires the role reviewer.");

    const other = await importWith([file, "--tenant", "Second tenant"]);
    expect(other).toMatchObject({ code: 2 });
    expect(other.err).toBe('The key belongs to the tenant "First tenant", not to "Second tenant".');

    const missing = await importWith([`${file}.gone`]);
    expect(missing).toMatchObject({ code: 2 });
    expect(missing.err).toContain("ENOENT");
    expect(await countTasks("Late")).toBe(0);
  });
});

describe("an import", () => {
  test("keeps every request under the service's size limit", async () => {
    const instructions = "ä".repeat(190_000);
    const tasks = Array.from({ length: 12 }, (_, index) => ({
      externalId: `heavy-${index}`,
      title: "Heavy",
      content: { instructions, brief: instructions },
    }));
    const { seen, send } = watchedFetch();
    const outcomes = await importAll(tasks, { fetch: send });
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(tasks.map(() => "created"));
    expect(seen.filter((path) => path.startsWith("/v1/tasks/import"))).toEqual([
      "/v1/tasks/import 5",
      "/v1/tasks/import 5",
      "/v1/tasks/import 2",
    ]);
  });

  test("isolates a record that makes its whole request fail", async () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : { in: nested(depth - 1) });
    const tasks = Array.from({ length: 6 }, (_, index) => ({
      externalId: `deep-${index}`,
      title: "Deep",
      content: { metadata: { value: nested(index === 4 ? 40 : 2) } },
    }));
    const outcomes = await importAll(tasks);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual([
      "created",
      "created",
      "created",
      "created",
      "invalid",
      "created",
    ]);
    expect(outcomes[4]).toMatchObject({ line: 5, issues: [{ code: "json_too_deep" }] });
  });

  test("sends every record, because only the service knows whether it is the task with its id", async () => {
    const tasks = Array.from({ length: 8 }, (_, index) => ({
      externalId: `known-${index}`,
      title: "Known",
    }));
    await importAll(tasks.slice(0, 3));
    const { seen, send } = watchedFetch();
    const outcomes = await importAll(tasks, { fetch: send, batchMax: 4 });
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(
      tasks.map((_, index) => (index < 3 ? "exists" : "created")),
    );
    expect(seen).toEqual(["/v1/tasks/import 4", "/v1/tasks/import 4"]);
  });

  test("creates nothing twice if a response is lost after the commit", async () => {
    const tasks = Array.from({ length: 4 }, (_, index) => ({
      externalId: `cut-${index}`,
      title: "Cut",
    }));
    let cuts = 0;
    const send: Send = async (input, init) => {
      const response = await fetch(input, init);
      if (cuts > 0 || !input.endsWith("/import")) return response;
      cuts += 1;
      throw new TypeError("fetch failed", { cause: new Error("other side closed") });
    };
    const outcomes = await importAll(tasks, { fetch: send });
    expect(cuts).toBe(1);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(tasks.map(() => "created"));
    expect(await countTasks("cut-")).toBe(4);
  });

  test("reports the second record with the same external id as existing", async () => {
    const twin = { externalId: "twin", title: "Twin" };
    const [first, second] = await importAll([twin, twin]);
    expect(first).toMatchObject({ line: 1, outcome: "created" });
    expect(second).toMatchObject({ line: 2, outcome: "exists", id: first?.id });
  });

  test("rejects a task that is too large for any request as the service would", async () => {
    const huge = { externalId: "huge", title: "Huge", content: { metadata: { text: "x" } } };
    huge.content.metadata.text = "x".repeat(4 * 1024 * 1024);
    for (const isDryRun of [true, false]) {
      const [outcome] = await importAll([huge], { isDryRun });
      expect(outcome).toMatchObject({
        outcome: "invalid",
        issues: [{ code: "payload_too_large" }],
      });
    }
  });
});

describe("the demo", () => {
  const run = () =>
    seen(() =>
      runDemo({
        file: EXAMPLES,
        tenant: service.otherTenant,
        baseUrl: service.baseUrl,
        ownerUrl: service.database.migrationDatabaseUrl,
      }),
    );

  test("moves the fifty example tasks to where their verdicts say, and verifies the database", async () => {
    const { code, out: text } = await run();
    expect(code).toBe(0);
    expect(text).toContain("created 50, exists 0, differs 0, invalid 0");
    expect(text).toContain("data: stored 50");
    expect(text).toMatch(/175b_verification +68\.0 % +54\.2 % to 79\.2 % +34 of 50 +34 of 50/);
    expect(text).toMatch(/eval 2 .* recorded 4 trials, of which 0 passed\./);
    expect(text).toMatch(/DRAFT +50 +0 +0\n/);
    expect(text).toMatch(/QUALITY_CHECK_FAILED +0 +16 +0\n/);
    expect(text).toMatch(/READY_TO_SUBMIT +0 +34 +0\n/);
    expect(text).toMatch(/SUBMITTED +0 +0 +34\n/);
    expect(text).toMatch(/REJECTED +0 +0 +16\n/);
    expect(text).toMatch(
      /3 +refused +SUBMITTED → PASSED +illegal_target +only REJECTED, DUPLICATE/,
    );
    expect(text).toMatch(/1 +refused +unknown id → PASSED +not_found/);
    expect(text).toMatch(/3 +refused +REJECTED → REJECTED +already_in_status/);
    expect(text).toContain("recorded an automated review of pre_qa: failed.");
    expect(text).toContain("moved pre_qa from changes_requested to rejected in a bulk change.");
    expect(text).toMatch(/\d+ hash chains with \d+ events are intact/);
  });

  test("finds the tasks where it left them when it is run again", async () => {
    const { code, out: text } = await run();
    expect(code).toBe(0);
    expect(text).toContain("created 0, exists 50, differs 0, invalid 0");
    expect(text).toContain("Every task is already past these stages.");
    expect(text).toContain("Nothing is left to reject.");
    expect(text).toMatch(/SUBMITTED +34 +34 +34\n/);
  });
});
