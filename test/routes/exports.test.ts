import { parse } from "csv-parse/sync";
import { beforeAll, describe, expect, it, test } from "vitest";
import { z } from "zod";
import type { StepEventView } from "../../src/actions/views/event-view.ts";
import type { TrialView } from "../../src/actions/views/eval-view.ts";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import type { PromptRecord } from "../../src/db/content/prompts.ts";
import { expectDone, expectProblem, freshApi, type TestApi, textOf } from "../support/api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const fetchExport = (path: string, tenant = api.tenant) =>
  api.fetch(`/v1${path}`, { headers: { authorization: `Bearer ${tenant.keys.viewer}` } });

const records = z.array(z.record(z.string(), z.string()));

/** The rows of a CSV export, as an independent parser of RFC 4180 reads them. */
async function readCsv(path: string) {
  const response = await fetchExport(path);
  expect(response.status).toBe(200);
  return records.parse(parse(await textOf(response), { columns: true, record_delimiter: "\r\n" }));
}

/** The text of an export with its byte order mark, which Response.text() drops. */
const markedText = async (path: string) =>
  new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
    await (await fetchExport(path)).arrayBuffer(),
  );

/** The rows of a CSV file that was written for Excel. */
const parseExcel = (text: string) =>
  records.parse(
    parse(text, { columns: true, bom: true, delimiter: ";", record_delimiter: "\r\n" }),
  );

const EXPORTED = [
  "tasks",
  "events",
  "trials",
  "prompts",
  "data",
  "insights",
  "evals",
  "reviews",
] as const;

const today = () => new Date().toISOString().slice(0, 10);

const fileNameOf = (headers: Headers) =>
  /^attachment; filename="([\w.-]+)"$/.exec(headers.get("content-disposition") ?? "")?.[1];

async function readNdjson<Item>(path: string): Promise<Item[]> {
  const response = await fetchExport(path);
  expect(response.status).toBe(200);
  const lines = (await textOf(response)).split("\n");
  expect(lines.pop()).toBe("");
  // Each test compares the lines itself.
  return lines.map((line) => JSON.parse(line) as Item);
}

const HALF_WIDTH = ["=1+1", "+1", "-2+3", "@SUM(A1:A9)", '=HYPERLINK("https://a.test","b")'];
const FULL_WIDTH = ["＝1+1", "＋1", "－2+3", "＠SUM(A1:A9)"];
const FORMULAS = [...HALF_WIDTH, ...FULL_WIDTH];
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
const ORDINARY = ["a=b", "1,5", 'say "so"', "Gänsefüßchen „x“", " leading", "'quoted'"];

describe("An export file", () => {
  test.each([
    ["csv", "text/csv; charset=utf-8"],
    ["ndjson", "application/x-ndjson"],
  ])("export.%s is a download that is neither cached nor sniffed", async (format, type) => {
    for (const what of EXPORTED) {
      const before = today();
      const { headers, status } = await fetchExport(`/${what}/export.${format}`);
      expect(status).toBe(200);
      expect(headers.get("content-type")).toBe(type);
      // The day can end between the two.
      const names = [before, today()].map((day) => `${what}-${day}.${format}`);
      expect(names).toContain(fileNameOf(headers));
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("cache-control")).toBe("no-store");
    }
  });

  it("is written for Excel on request: a byte order mark, semicolons, decimal commas", async () => {
    const title = "Größe; 1,5 „x“";
    const task = await api.givenTask({ title });
    const formula = await api.givenTask({ title: "=1;2" });
    const query = `q=${encodeURIComponent("Größe; 1")}`;
    const text = await markedText(`/tasks/export.csv?dialect=excel&${query}`);
    expect(text.startsWith("\uFEFFid;externalId;title;")).toBe(true);
    expect(parseExcel(text)).toMatchObject([{ id: task.id, title }]);
    const all = parseExcel(await markedText("/tasks/export.csv?dialect=excel"));
    expect(all.find(({ id }) => id === formula.id)).toMatchObject({ title: "'=1;2" });
    expect(await readCsv("/tasks/export.csv?dialect=standard")).toEqual(
      await readCsv("/tasks/export.csv"),
    );

    const trials = [
      { k: 1, model: "solver-excel", passed: true, score: -0.25 },
      { k: 2, model: "solver-excel", passed: true, score: 1e21 },
      { k: 3, model: "solver-excel", passed: true, score: 1.25e-7 },
    ];
    const evalId = await givenEval(task.id, trials);
    const path = `/trials/export.csv?evalId=${evalId}&dialect=excel`;
    const scores = parseExcel(await markedText(path)).map(({ score }) => score);
    expect(scores).toEqual(["-0,25", "1e+21", "1,25e-7"]);
  });

  test.each(["?dialect=tsv", "?dialect=", "?dialect=excel&dialect=excel"])(
    "refuses %s",
    async (query) => {
      expectProblem(await api.call("GET", `/tasks/export.csv${query}`), "validation_failed", 400);
    },
  );

  it("has no dialects in JSON Lines", async () => {
    const answer = await api.call("GET", "/tasks/export.ndjson?dialect=excel");
    expectProblem(answer, "validation_failed", 400);
  });

  it("marks formulas as text in CSV, and leaves other text unchanged", async () => {
    for (const title of [...FORMULAS, ...ORDINARY]) await api.givenTask({ title });
    const titles = (await readCsv("/tasks/export.csv")).map(({ title }) => title);
    for (const formula of FORMULAS) expect(titles).toContain(`'${formula}`);
    for (const text of ORDINARY) expect(titles).toContain(text);
    expect(titles.filter((title) => FORMULA.test(title ?? ""))).toEqual([]);
  });

  test.each([
    "\t=1",
    "\r=1",
    "\n=1",
    "\r\n=1",
    "first\r\nsecond",
    'a "quoted",\nline',
    "=1\n=2",
    "-",
  ])("keeps %j in one cell of the CSV", async (reason) => {
    const task = await api.givenTask();
    const path = `/steps/${task.currentStep.id}`;
    expectDone(await api.call("PATCH", path, { body: { status: "running", reason } }));
    const rows = await readCsv(`/events/export.csv?task=${task.id}`);
    const guarded = FORMULA.test(reason) ? `'${reason}` : reason;
    expect(rows.map((row) => row["reason"])).toEqual(["", guarded]);
  });

  it("ends every line of CSV with CRLF, and has only a header without rows", async () => {
    const response = await fetchExport("/tasks/export.csv?q=nothing-has-this-title");
    const text = await textOf(response);
    expect(text).toMatch(/^id,externalId,title,[A-Za-z,]+\r\n$/);
    expect(await readNdjson("/tasks/export.ndjson?q=nothing-has-this-title")).toEqual([]);
  });
});

describe("Exporting tasks", () => {
  it("returns the tasks of the list in both formats", async () => {
    const at = { kind: "pre_qa", status: "approved" } as const;
    for (const assignee of ["ada", "ada", "bob"]) await api.givenTask({ at, assignee });
    const list = await api.call<{ data: TaskView[] }>("GET", "/tasks?assignee=ada&sort=createdAt");
    const listed = expectDone(list).data;
    expect(listed).toHaveLength(2);
    expect(await readNdjson("/tasks/export.ndjson?assignee=ada")).toEqual(listed);
    const [first] = listed;
    expect(await readCsv("/tasks/export.csv?assignee=ada")).toMatchObject(
      listed.map(({ id, unifiedStatus, currentStep, activeVersion, eventSeq }) => ({
        id,
        unifiedStatus,
        attention: "ready",
        stepId: currentStep.id,
        stepKind: "pre_qa",
        stepStatus: "approved",
        gate: "passed",
        versionNumber: String(activeVersion.number),
        eventSeq: String(eventSeq),
        externalId: "",
        createdAt: expect.stringMatching(/Z$/),
      })),
    );
    expect(first?.unifiedStatus).toBe("READY_TO_SUBMIT");
  });

  it("accepts the filters of the list, and rejects what the list rejects", async () => {
    const query = "?unifiedStatus=PASSED&unifiedStatus=DRAFT&archived=true";
    expect(await readCsv(`/tasks/export.csv${query}`)).toEqual([]);
    for (const invalid of ["?limit=5", "?sort=title", "?unifiedStatus=LOST", "?q=ab"]) {
      const answer = await api.call("GET", `/tasks/export.csv${invalid}`);
      expectProblem(answer, "validation_failed", 400);
    }
  });

  it("returns each of 5,000 tasks once, in several chunks, while tasks move", async () => {
    const other = api.otherTenant;
    const ids: string[] = [];
    while (ids.length < 5000) ids.push(...(await api.givenTasks(500, other)));
    await api.database.resetRoundTrips();
    const response = await fetchExport("/tasks/export.ndjson", other);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const pieces: string[] = [];
    const statuses = ["running", "awaiting_review", "approved"];
    for (let piece = await reader?.read(); piece?.done === false; piece = await reader?.read()) {
      pieces.push(piece.value);
      const [status] = statuses.splice(0, 1);
      if (status === undefined) continue;
      const moves = [...ids.slice(0, 250), ...ids.slice(-250)].map((task) => ({ task, status }));
      const moved = await api.call("POST", "/moves", { tenant: other, body: { moves } });
      expect(expectDone(moved)).toMatchObject({ counts: { changed: 500 } });
    }
    const found = pieces.join("").trimEnd().split("\n");
    const exported = found.map((line) => z.object({ id: z.string() }).parse(JSON.parse(line)).id);
    expect(exported).toEqual(ids);
    expect(await api.database.roundTrips()).toBeGreaterThanOrEqual(3);
    expect(statuses).toEqual([]);
  });
});

describe("Exporting events", () => {
  it("returns the events of the history in both formats", async () => {
    const task = await api.givenTask({ at: { kind: "pre_qa", status: "approved" } });
    const path = `/tasks/${task.id}/events`;
    const events = expectDone(await api.call<{ data: StepEventView[] }>("GET", path)).data;
    expect(await readNdjson(`/events/export.ndjson?task=${task.id}`)).toEqual(events);
    const rows = await readCsv(`/events/export.csv?task=${task.id}`);
    expect(rows).toMatchObject(
      events.map(({ seq, type, to, toGate, actor, hash, payload }) => ({
        stream: "task",
        taskId: task.id,
        seq: String(seq),
        type,
        to,
        toGate,
        actorName: actor.name,
        evalId: "",
        hash,
        payload: JSON.stringify(payload),
      })),
    );
  });

  it("filters by time with exclusive bounds, and returns nothing for an unknown task", async () => {
    const task = await api.givenTask();
    const [event] = await readNdjson<StepEventView>(`/events/export.ndjson?task=${task.id}`);
    const at = event?.at ?? "";
    const seqs = async (query: string) =>
      (await readNdjson<StepEventView>(`/events/export.ndjson?task=${task.id}&${query}`)).length;
    expect(await seqs(`createdAfter=${at}`)).toBe(0);
    expect(await seqs(`createdBefore=${at}`)).toBe(0);
    expect(await seqs("createdAfter=2026-01-01T00:00:00Z")).toBe(1);
    expect(await readCsv("/events/export.csv?task=ext:unknown")).toEqual([]);
  });

  it("returns every event once, and ends while more are being written", async () => {
    const other = api.otherTenant;
    const response = await fetchExport("/events/export.ndjson", other);
    const writing = api.givenTasks(500, other);
    const text = await textOf(response);
    await writing;
    const lines = text.trimEnd().split("\n");
    const keys = lines.map((line) => {
      const { taskId, seq } = z
        .object({ taskId: z.string(), seq: z.int() })
        .parse(JSON.parse(line));
      return `${taskId} ${seq}`;
    });
    expect(new Set(keys).size).toBe(keys.length);
    const [{ count } = {}] = await api.database.query(
      "superuser",
      "select count(*) as count from step_events where tenant_id = $1 and task_id <> all($2::uuid[])",
      [other.id, `{${(await writing).join(",")}}`],
    );
    expect(keys.length).toBeGreaterThanOrEqual(Number(count));
  });
});

describe("Exporting trials", () => {
  it("returns the matching trials of all evals, including retracted ones, in both formats", async () => {
    const [one, other] = [await api.givenTask(), await api.givenTask()];
    const evalId = await givenEval(one.id, [
      { k: 1, model: "solver-7b", passed: true, score: -0.5 },
      { k: 2, model: "solver-7b", error: "=out of memory" },
    ]);
    const elsewhere = await givenEval(other.id, [{ k: 1, model: "solver-7b", passed: false }]);
    const path = `/evals/${evalId}/trials`;
    const [first] = expectDone(await api.call<{ data: TrialView[] }>("GET", path)).data;
    const reason = "Wrong prompt";
    expectDone(await api.call("POST", `/trials/${first?.id}/retract`, { body: { reason } }));

    const listed = expectDone(await api.call<{ data: TrialView[] }>("GET", path)).data;
    expect(await readNdjson(`/trials/export.ndjson?evalId=${evalId}`)).toEqual(listed);
    const rows = await readCsv(`/trials/export.csv?task=${one.id}`);
    expect(rows).toMatchObject([
      { evalId, k: "1", passed: "true", score: "-0.5", retractReason: reason, error: "" },
      { evalId, k: "2", passed: "", score: "", retractedAt: "", error: "'=out of memory" },
    ]);
    const live = await readCsv("/trials/export.csv?model=solver-7b&retracted=false");
    expect(live.map((row) => [row["evalId"], row["k"]])).toEqual([
      [evalId, "2"],
      [elsewhere, "1"],
    ]);
  });
});

describe("Exporting prompts", () => {
  it("returns the matching prompts with any content, in both formats", async () => {
    const task = await api.givenTask();
    const contents = ['"Quoted",\r\nand more', "\t=1", "ordinary"];
    for (const [index, content] of contents.entries()) {
      const body = { role: "user", content, model: index === 2 ? "another" : "solver-7b" };
      expectDone(await api.call("POST", `/tasks/${task.id}/prompts`, { body }), 201);
    }
    const rows = await readCsv(`/prompts/export.csv?task=${task.id}`);
    expect(rows.map(({ content }) => content)).toEqual([
      contents[0],
      `'${contents[1]}`,
      "ordinary",
    ]);
    const query = `task=${task.id}&model=solver-7b`;
    const listed = expectDone(await api.call<{ data: PromptRecord[] }>("GET", `/prompts?${query}`));
    const lines = await readNdjson(`/prompts/export.ndjson?${query}`);
    expect(lines).toEqual(listed.data.toReversed());
  });

  it("reads long prompts in smaller chunks, to limit memory", async () => {
    const task = await api.givenTask();
    const content = "long ".repeat(40_000);
    for (let count = 0; count < 25; count += 1) {
      const body = { role: "user", content };
      expectDone(await api.call("POST", `/tasks/${task.id}/prompts`, { body }), 201);
    }
    // On a slow machine, the cached API key may have expired by now. This call fetches it outside the count.
    await api.call("GET", "/registry", { as: "viewer" });
    await api.database.resetRoundTrips();
    const rows = await readCsv(`/prompts/export.csv?task=${task.id}`);
    expect(rows.filter((row) => row["content"] === content)).toHaveLength(25);
    expect(await api.database.roundTrips()).toBe(3);
  });
});

describe("Exporting data, insights and evals", () => {
  /** Two tasks, each with data, insights and an eval. */
  async function givenRecords() {
    const tasks = [await api.givenTask(), await api.givenTask()];
    for (const [index, { id }] of tasks.entries()) {
      const evalId = await givenEval(id, [{ k: 1, model: `solver-${index}`, passed: true }]);
      for (const [kind, agent] of [
        ["generated", "=cmd"],
        ["golden", "plain"],
      ]) {
        const declared = {
          kind,
          contentType: "text/plain",
          sizeBytes: index,
          sha256: String(index).repeat(64),
          uri: "s3://bucket/x;y,z",
          agent,
        };
        const parent = await api.call<{ id: string }>("POST", `/tasks/${id}/data`, {
          body: declared,
        });
        const inputs = [expectDone(parent, 201).id];
        const body = { ...declared, agent: "child", inputs };
        expectDone(await api.call("POST", `/tasks/${id}/data`, { body }), 201);
      }
      for (const output of [{ text: "=1", ratio: 0.5 }, undefined]) {
        const body = { taskId: id, kind: "completion", model: "solver-7b", evalId, output };
        expectDone(await api.call("POST", "/insights", { as: "service", body }), 201);
      }
    }
    return tasks;
  }

  const FILTERS = {
    data: [
      "",
      "kind=golden",
      "agent=child",
      "stored=false",
      "stored=true",
      "passedGate=pre_qa",
      "model=none",
    ],
    insights: [
      "",
      "kind=completion",
      "kind=none",
      "status=QUEUED",
      "model=solver-7b",
      "agent=none",
    ],
    evals: ["", "name=accuracy", "name=none", "status=draft", "model=solver-0"],
  } as const;

  it("returns what the list returns with every filter, in both formats, and never another tenant's", async () => {
    const [task] = await givenRecords();
    for (const [what, filters] of Object.entries(FILTERS)) {
      for (const filter of [...filters, `task=${task?.id}`, "task=ext:unknown"]) {
        const list = await api.call<{ data: { id: string }[] }>(
          "GET",
          `/${what}?limit=200&${filter}`,
        );
        const listed = expectDone(list).data.toReversed();
        expect(await readNdjson(`/${what}/export.ndjson?${filter}`)).toEqual(listed);
        const rows = await readCsv(`/${what}/export.csv?${filter}`);
        expect(rows.map(({ id }) => id)).toEqual(listed.map(({ id }) => id));
        const elsewhere = await fetchExport(`/${what}/export.ndjson?${filter}`, api.otherTenant);
        expect(await textOf(elsewhere)).toBe("");
      }
      for (const refused of ["limit=1", "cursor=x", "kind=", "task="]) {
        const answer = await api.call("GET", `/${what}/export.csv?${refused}`);
        expectProblem(answer, "validation_failed", 400);
      }
    }
  });

  it("has a column for every member of an item, with its value", async () => {
    await givenRecords();
    for (const what of ["data", "insights", "evals"]) {
      const items = await readNdjson<Record<string, unknown>>(`/${what}/export.ndjson`);
      const rows = await readCsv(`/${what}/export.csv`);
      expect(rows).toHaveLength(items.length);
      for (const [index, item] of items.entries()) {
        expect(Object.keys(rows[index] ?? {}).toSorted()).toEqual(Object.keys(item).toSorted());
        for (const [name, value] of Object.entries(item)) {
          expect(rows[index]?.[name]).toBe(cellOf(value));
        }
      }
    }
  });

  function cellOf(value: unknown): string {
    if (value === null) return "";
    if (Array.isArray(value)) return value.join(" ");
    if (typeof value === "string") return FORMULA.test(value) ? `'${value}` : value;
    return JSON.stringify(value);
  }

  it("reads insights with long outputs in smaller chunks, to limit memory", async () => {
    const task = await api.givenTask();
    const output = { text: "long ".repeat(40_000) };
    for (let count = 0; count < 25; count += 1) {
      const body = { taskId: task.id, kind: "completion", model: "long", output };
      expectDone(await api.call("POST", "/insights", { as: "service", body }), 201);
    }
    await api.call("GET", "/registry", { as: "viewer" });
    await api.database.resetRoundTrips();
    expect(await readNdjson(`/insights/export.ndjson?task=${task.id}`)).toHaveLength(25);
    expect(await api.database.roundTrips()).toBe(3);
  });
});

describe("An export that fails", () => {
  it("before the response starts returns a problem document", async () => {
    await api.database.faults({ kind: "unavailable", times: null });
    const answer = await api.call("GET", "/tasks/export.csv", { tenant: api.otherTenant });
    await api.database.clearFaults();
    expectProblem(answer, "unavailable", 503);
  });

  it("in the middle breaks the connection, so that the client notices the missing rest", async () => {
    await api.database.faults({ kind: "sqlstate", code: "22012", skip: 1, sql: "page" });
    const response = await fetchExport("/tasks/export.csv", api.otherTenant);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow(Error);
    expect(await api.database.waitingFaults()).toBe(0);
  });
});

async function givenEval(taskId: string, trials: readonly object[]): Promise<string> {
  const body = { name: "accuracy", k: 4 };
  const created = await api.call<{ id: string }>("POST", `/tasks/${taskId}/evals`, { body });
  const { id } = expectDone(created, 201);
  expectDone(await api.call("POST", `/evals/${id}/trials`, { body: { trials } }), 201);
  return id;
}
