import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApiClient, type Send } from "../../scripts/import/api-client.ts";
import { importFile } from "../../scripts/import/import-file.ts";
import { GSM8K_MODELS, titleFrom } from "../../scripts/import/mappings.ts";
import { planImport } from "../../scripts/import/plan-import.ts";
import { runImport } from "../../scripts/import/run-import.ts";
import { seen } from "../support/node/command.ts";
import { startService, type TestService } from "../support/node/service.ts";
import { temporaryFiles } from "../support/node/temporary-files.ts";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

const givenFile = temporaryFiles();

/** The verdicts of the four models, in order. In the second and third lines, two models have the same solution. */
const VERDICTS = [
  [false, true, false, true],
  [false, false, true, true],
  [false, false, false, false],
] as const;
const SOLUTIONS = [
  ["7 – too few", "6", "5", "six"],
  ["3", "4", "9", "9"],
  ["1", "1", "2", "3"],
] as const;

const lines = VERDICTS.map((verdicts, row) => ({
  question: `Shelf ${row} holds 12 jars, half of them full. How many are empty?`,
  ground_truth: `12 / 2 = 6, on shelf ${row}`,
  ...Object.fromEntries(
    GSM8K_MODELS.map((model, index) => [
      model,
      { is_correct: verdicts[index], solution: SOLUTIONS[row]?.[index] },
    ]),
  ),
}));
const textOf = (records: readonly unknown[]) =>
  records.map((record) => JSON.stringify(record)).join("\n");

function importAs(tenant: TestService["tenant"], args: readonly string[]) {
  const key = tenant.keys.operator;
  return seen(() => runImport(["--url", service.baseUrl, ...args], { key, stack: null }));
}

/** Imports a file in this process, through a `fetch` that the test can observe and interrupt. */
async function importThrough(file: string, send: Send) {
  const { plan } = await planImport(file, "auto");
  if (plan === undefined) throw new Error("The file cannot be read");
  const client = createApiClient({
    baseUrl: service.baseUrl,
    key: service.otherTenant.keys.operator,
    fetch: send,
    wait: async () => {},
  });
  const options = { batchMax: 500, isDryRun: false, start: null, isTasksOnly: false };
  return importFile(client, plan, { ...options, onProgress: () => {} });
}

const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");

describe("a file with golden answers and models' solutions", () => {
  test("is imported completely: texts as data, verdicts as trials, with the file's counts", async () => {
    const file = await givenFile("solutions.jsonl", textOf(lines));
    const report = await givenFile("report.jsonl", "");
    const { code, out } = await importAs(service.tenant, [file, "--report", report]);
    expect(out).toContain("created 3, exists 0, differs 0, invalid 0");
    expect(out).toMatch(/data: stored 15$/m);
    expect(out).toContain("trials: recorded 12");
    expect(out).toMatch(/6b_finetuning +0\.0 % +0\.0 % to \d+\.\d % +0 of 3 +0 of 3\n/);
    expect(out).toMatch(/6b_verification +33\.3 % .* 1 of 3 +1 of 3\n/);
    expect(out).toMatch(/175b_finetuning +33\.3 % .* 1 of 3 +1 of 3\n/);
    expect(out).toMatch(/175b_verification +66\.7 % .* 2 of 3 +2 of 3$/);
    expect(code).toBe(0);

    const [first] = (await readFile(report, "utf8")).split("\n");
    expect(JSON.parse(first ?? "")).toEqual({
      line: 1,
      externalId: expect.stringMatching(/^gsm8k-[0-9a-f]{32}$/),
      outcome: "created",
      id: expect.any(String),
      data: { stored: 5, exists: 0, refused: 0 },
      trials: { recorded: 4, exists: 0, conflict: 0, not_found: 0, refused: 0 },
    });
  });

  test("stores each golden answer and each trial's solution byte for byte", async () => {
    const golden = await service.database.query(
      "owner",
      `select t.title, d.model, encode(d.sha256, 'hex') as sha256
       from data d join tasks t on t.tenant_id = d.tenant_id and t.id = d.task_id
       where d.kind = 'golden' and d.stored_at is not null and d.tenant_id = $1 order by t.id`,
      [service.tenant.id],
    );
    expect(golden).toEqual(
      lines.map(({ question, ground_truth: text }) => ({
        title: titleFrom(question),
        model: null,
        sha256: hashOf(text),
      })),
    );

    const trials = await service.database.query(
      "owner",
      `select r.model, d.model as made_by, r.status, d.id, d.kind, encode(d.sha256, 'hex') as sha256
       from trials r join tasks t on t.tenant_id = r.tenant_id and t.id = r.task_id
       join data d on d.tenant_id = r.tenant_id and d.id = r.output_data_id and d.task_id = r.task_id
       where r.tenant_id = $1 order by t.id, array_position($2::text[], r.model)`,
      [service.tenant.id, [...GSM8K_MODELS]],
    );
    expect(trials).toEqual(
      VERDICTS.flatMap((verdicts, row) =>
        verdicts.map((passed, index) => ({
          model: GSM8K_MODELS[index],
          made_by: GSM8K_MODELS[index],
          status: passed ? "passed" : "failed",
          id: expect.any(String),
          kind: "generated",
          sha256: hashOf(SOLUTIONS[row]?.[index] ?? ""),
        })),
      ),
    );

    const answer = await fetch(`${service.baseUrl}/v1/data/${trials[0]?.["id"]}/content`, {
      headers: { authorization: `Bearer ${service.tenant.keys.viewer}` },
    });
    expect(await answer.text()).toBe(SOLUTIONS[0][0]);
  });

  test("is found to exist when it is imported again", async () => {
    const file = await givenFile("solutions.jsonl", textOf(lines));
    const { code, out } = await importAs(service.tenant, [file]);
    expect(out).toContain("created 0, exists 3, differs 0, invalid 0");
    expect(out).toContain("data: exists 15");
    expect(out).toContain("trials: exists 12");
    expect(out).toMatch(/175b_verification +66\.7 % .* 2 of 3 +2 of 3$/);
    expect(code).toBe(0);
  });

  test("changes nothing if a verdict differs from the recorded one, and reports the conflict", async () => {
    const [first] = lines;
    const changed = { ...first, "6b_finetuning": { is_correct: true, solution: SOLUTIONS[0][0] } };
    const file = await givenFile("changed.jsonl", textOf([changed]));
    const { code, out } = await importAs(service.tenant, [file]);
    expect(code).toBe(1);
    expect(out).toContain("trials: exists 3, conflict 1");
    expect(out).toMatch(/line 1 {2}gsm8k-[0-9a-f]{32} {2}evals\.0\.trials\.0: .* \(conflict\)/);
    expect(out).toMatch(/6b_finetuning +0\.0 % .* 0 of 3 +1 of 1\n/);
    expect(out).toContain("The counts differ.");
  });
});

describe("an import of work", () => {
  test("continues after an interruption without sending existing data again", async () => {
    const file = await givenFile("cut.jsonl", textOf(lines));
    let contents = 0;
    const sending: Promise<Response>[] = [];
    const cut: Send = async (input, init) => {
      if (init.method === "PUT" && (contents += 1) > 7) {
        throw new TypeError("fetch failed", { cause: new Error("other side closed") });
      }
      const response = fetch(input, init);
      sending.push(response);
      return response;
    };
    await expect(importThrough(file, cut)).rejects.toThrow("other side closed");
    // The import stops at the first failure, while the uploads of other tasks are still being sent.
    await Promise.all(sending);

    const sent: string[] = [];
    const observed: Send = async (input, init) => {
      sent.push(`${init.method} ${new URL(input).pathname.replaceAll(/[0-9a-f-]{36}/g, "ID")}`);
      return fetch(input, init);
    };
    const continued = await importThrough(file, observed);
    expect(continued.counts).toEqual({ created: 0, exists: 3, differs: 0, invalid: 0 });
    expect(continued.data).toEqual({ stored: 8, exists: 7, refused: 0 });
    expect(continued.trials).toMatchObject({ recorded: 12 });
    expect(continued.isComplete).toBe(true);
    expect(sent.filter((call) => call === "PUT /v1/data/ID/content")).toHaveLength(8);

    sent.length = 0;
    const again = await importThrough(file, observed);
    expect(again.data).toEqual({ stored: 0, exists: 15, refused: 0 });
    expect(sent.toSorted()).toEqual([
      "GET /v1/data",
      "GET /v1/data",
      "GET /v1/data",
      "POST /v1/evals/record",
      "POST /v1/evals/record",
      "POST /v1/tasks/import",
    ]);
  });

  test("stores equal outputs of one model once, and finds them after the task has moved on", async () => {
    const trials = [1, 2].map((k) => ({ k, model: "m", passed: true, output: "The same again." }));
    const record = {
      externalId: "twice",
      title: "Twice",
      evals: [{ name: "twice", k: 2, trials }],
    };
    const file = await givenFile("twice.jsonl", textOf([record]));
    const first = await importAs(service.tenant, [file]);
    expect(first.out).toContain("data: stored 1, exists 1\ntrials: recorded 2");
    const headers = {
      authorization: `Bearer ${service.tenant.keys.admin}`,
      "content-type": "application/json",
    };
    const versions = `${service.baseUrl}/v1/tasks/ext:twice/versions`;
    const body = JSON.stringify({ content: { brief: "Anew" }, reason: "It was unclear" });
    expect((await fetch(versions, { method: "POST", headers, body })).status).toBe(201);

    const again = await importAs(service.tenant, [file]);
    expect(again.out).toContain("data: exists 2\n");
    const rows = await service.database.query(
      "owner",
      `select count(*) as trials, count(distinct r.output_data_id) as outputs
       from trials r join tasks t on t.tenant_id = r.tenant_id and t.id = r.task_id
       where t.external_id = 'twice' and r.output_data_id is not null group by r.eval_id`,
    );
    for (const row of rows) expect(row).toEqual({ trials: "2", outputs: "1" });
  });

  test("imports the rest of a record if the service refuses part of it", async () => {
    const evals = [
      {
        name: "odd",
        k: 1,
        trials: [
          { k: 1, model: "m", passed: true },
          { k: 2, model: "m", passed: true },
        ],
      },
    ];
    const data = [
      { kind: "source", text: "fine" },
      { kind: "source", text: "not fine", contentType: "no type" },
    ];
    const file = await givenFile("odd.jsonl", textOf([{ title: "Odd", data, evals }]));
    const dryRun = await importAs(service.tenant, [file, "--dry-run"]);
    expect(dryRun.code).toBe(1);
    expect(dryRun.out).toContain(
      "would be created 1, exists 0, differs 0, invalid 0\ndata: refused 1\n",
    );
    expect(dryRun.out).toMatch(/data\.1\.contentType: /);

    const { code, out } = await importAs(service.tenant, [file]);
    expect(code).toBe(1);
    expect(out).toContain("created 1, exists 0, differs 0, invalid 0");
    expect(out).toContain("data: stored 1, refused 1");
    expect(out).toContain("trials: recorded 1, refused 1");
    expect(out).toMatch(/data\.1\.contentType: .*evals\.0\.trials\.1/);
  });

  test("completes only the evals that have all trials of their models", async () => {
    const trial = (k: number, model = "m") => ({ k, model, passed: k === 1 });
    const recordOf = (title: string, trials: readonly object[]) => ({
      externalId: `complete-${title}`,
      title,
      evals: [{ name: "to complete", k: 2, trials }],
    });
    const refused = { k: 2, model: "n", passed: true, error: "Both" };
    const records = [
      recordOf("whole", [trial(1), trial(2)]),
      recordOf("half", [trial(1)]),
      recordOf("whole of one", [trial(1), trial(2), trial(1, "n")]),
      recordOf("refused", [trial(1), trial(2), trial(1, "n"), refused]),
    ];
    const file = await givenFile("complete.jsonl", textOf(records));
    const statuses = () =>
      service.database.query(
        "owner",
        `select t.title, e.status from evals e join tasks t on t.tenant_id = e.tenant_id and t.id = e.task_id
         where e.name = 'to complete' order by t.title`,
      );
    for (let imports = 1; imports <= 2; imports += 1) {
      await importAs(service.tenant, [file]);
      expect(await statuses()).toEqual([
        { title: "half", status: "running" },
        { title: "refused", status: "running" },
        { title: "whole", status: "completed" },
        { title: "whole of one", status: "running" },
      ]);
    }
  });

  test("does not send evals in a dry run or with --only tasks", async () => {
    const evals = [{ name: "not sent", k: 1, trials: [{ k: 1, model: "m", passed: true }] }];
    const file = await givenFile("not-sent.jsonl", textOf([{ title: "Not sent", evals }]));
    for (const option of [["--dry-run"], ["--only", "tasks"]]) {
      const { code, out } = await importAs(service.tenant, [file, ...option]);
      expect(code).toBe(0);
      expect(out).toContain("created 1, exists 0, differs 0, invalid 0");
      expect(out).not.toContain("trials");
      expect(out).not.toContain("not sent");
    }
    const [{ count } = { count: null }] = await service.database.query(
      "owner",
      "select count(*) as count from evals where name = 'not sent'",
    );
    expect(Number(count)).toBe(0);
  });
});

describe("records that share an id, or a file's name", () => {
  const quiz = (question: string, answer: string, verdict: boolean, name: string) => ({
    title: question,
    data: [{ kind: "golden", text: answer }],
    evals: [{ name, k: 1, trials: [{ k: 1, model: "m", passed: verdict, output: answer }] }],
  });
  /** The golden answers and trials of a task, found by its title or its external id. */
  const workOf = async (name: string) => {
    const [row] = await service.database.query(
      "owner",
      `select count(distinct t.id) as tasks, count(distinct d.id) as golden, count(distinct r.id) as trials
       from tasks t left join data d on d.task_id = t.id and d.kind = 'golden' and d.stored_at is not null
         left join trials r on r.task_id = t.id
       where t.tenant_id = $1 and (t.title = $2 or t.external_id = $2)`,
      [service.tenant.id, name],
    );
    return row;
  };

  test("of two files of one name become tasks of their own, with their own work", async () => {
    for (const [question, answer] of [
      ["Longest river of Europe?", "Volga"],
      ["Highest mountain of Europe?", "Elbrus"],
    ] as const) {
      const file = await givenFile("quiz.jsonl", textOf([quiz(question, answer, true, answer)]));
      const { code, out } = await importAs(service.tenant, [file]);
      expect(out).toContain("created 1, exists 0, differs 0, invalid 0");
      expect(code).toBe(0);
      expect(await workOf(question)).toEqual({ tasks: "1", golden: "1", trials: "1" });
    }
  });

  test("keep their ids when a row is inserted above them", async () => {
    const before = await givenFile("edited.csv", "title\nAlder\nBirch\n");
    expect((await importAs(service.tenant, [before])).code).toBe(0);
    const after = await givenFile("edited.csv", "title\nAcacia\nAlder\nBirch\n");
    const { code, out } = await importAs(service.tenant, [after]);
    expect(out).toContain("created 1, exists 2, differs 0, invalid 0");
    expect(code).toBe(0);
  });

  test("are a fault of the second line, and nothing of it is attached", async () => {
    for (const [first, second] of [
      [quiz("Q1", "A1", true, "e1"), quiz("Q2", "A2", false, "e2")],
      [quiz("Q1", "A1", true, "e1"), quiz("Q1", "A2", false, "e2")],
    ] as const) {
      const externalId = crypto.randomUUID();
      const records = [first, second].map((record) => ({ ...record, externalId }));
      const file = await givenFile("twice.jsonl", textOf(records));
      const { code, out } = await importAs(service.tenant, [file]);
      expect(code).toBe(1);
      expect(out).toContain("created 1, exists 0, differs 0, invalid 1");
      expect(out).toMatch(
        /line 2 .*externalId: The record of line 1 has the same external id. \(repeated_in_file\)/,
      );
      expect(await workOf(externalId)).toEqual({ tasks: "1", golden: "1", trials: "1" });
    }
    const same = quiz("Q3", "A3", true, "e3");
    const { code, out } = await importAs(service.tenant, [
      await givenFile("same.jsonl", textOf([same, same])),
    ]);
    expect(code).toBe(1);
    expect(out).toMatch(/line 2 .*The record of line 1 has the same content/);
  });

  test("differ if the task has another content or other golden data, in a dry run too", async () => {
    const externalId = crypto.randomUUID();
    const given = { ...quiz("Old", "A", true, "before"), externalId };
    const old = await givenFile("old.jsonl", textOf([given]));
    expect((await importAs(service.tenant, [old])).code).toBe(0);
    const work = await workOf(externalId);

    const retitled = { ...quiz("New", "A", false, "after"), externalId };
    const file = await givenFile("new.jsonl", textOf([retitled]));
    for (const more of [["--dry-run"], []]) {
      const { code, out } = await importAs(service.tenant, [file, ...more]);
      expect(code).toBe(1);
      expect(out).toContain("0, exists 0, differs 1, invalid 0");
      expect(out).toContain('title: The task with this id has "Old", the record has "New".');
    }

    const answered = { ...quiz("Old", "B", false, "after"), externalId };
    const other = await importAs(service.tenant, [
      await givenFile("answered.jsonl", textOf([answered])),
    ]);
    expect(other.code).toBe(1);
    expect(other.out).toContain("differs 1");
    expect(other.out).toContain("data: The task with this id has other golden data");
    expect(await workOf(externalId)).toEqual(work);
  });
});
