import * as z from "zod";
import { beforeAll, describe, expect, it, test } from "vitest";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import { BODY_BYTES_MAX, rawBody } from "../../src/routes/http/contract.ts";
import { loadRoutes } from "../../src/routes/app/areas.ts";
import { senderOf } from "../support/samples/send-sample.ts";
import { type Answer, expectDone, freshApi, type TestApi } from "../support/api.ts";
import { type Expected, expectRefused, invalid, issue, logged, send } from "./support.ts";

const routes = await loadRoutes();

let api: TestApi;
let task: TaskView;
let steps: string;
beforeAll(async () => {
  api = await freshApi();
  task = await api.givenTask();
  steps = `/steps/${task.currentStep.id}`;
});

const expectRefusal = (method: string, path: string, body: unknown, expected: Expected) =>
  expectRefused(
    api,
    () => api.call(method, path, { body, idempotencyKey: crypto.randomUUID() }),
    expected,
  );
const uuids = (count: number) => Array.from({ length: count }, () => crypto.randomUUID());
const emptyItems = (count: number) => Array.from({ length: count }, () => ({}));
const rejection = (taskIds: unknown) => ({ taskIds, targetStatus: "REJECTED", reason: "No" });

describe("fields that only the service sets", () => {
  const serviceFields = {
    tenantId: crypto.randomUUID(),
    actorId: "another-actor",
    unifiedStatus: "PASSED",
    eventSeq: 7,
    createdAt: "2020-01-01T00:00:00Z",
    currentStepId: crypto.randomUUID(),
    id: crypto.randomUUID(),
  };

  test.each(Object.entries({ ...serviceFields, status: "approved" }))(
    "%s is rejected when a task is created or edited",
    async (field, value) => {
      const unknown = invalid(issue([field], "unrecognized_keys"));
      await expectRefusal("POST", "/tasks", { title: "A task", [field]: value }, unknown);
      await expectRefusal(
        "PATCH",
        `/tasks/${task.id}`,
        { title: "A task", [field]: value },
        unknown,
      );
    },
  );

  test.each(Object.entries(serviceFields))("%s is rejected by every move", async (field, value) => {
    const unknown = invalid(issue([field], "unrecognized_keys"));
    await expectRefusal("PATCH", steps, { status: "running", [field]: value }, unknown);
    await expectRefusal("POST", `/tasks/${task.id}/advance`, { [field]: value }, unknown);
  });

  it("are all reported together, each by its name", async () => {
    const issues = Object.keys(serviceFields).map((field) => issue([field], "unrecognized_keys"));
    await expectRefusal(
      "POST",
      "/tasks",
      { title: "A task", ...serviceFields },
      invalid(...issues),
    );
  });

  it("invalidate only their own row of an import", async () => {
    const tasks = [{ title: "A task", ...serviceFields }, { title: "Another" }];
    const imported = await api.call("POST", "/tasks/import", { body: { tasks } });
    expect(expectDone(imported)).toMatchObject({
      counts: { created: 1, invalid: 1 },
      items: [{ outcome: "invalid" }, { outcome: "created" }],
    });
  });
});

describe("runAttachedWorkflows", () => {
  const calls = (flag: unknown): [method: string, path: string, body: object][] => [
    ["PATCH", steps, { status: "running", runAttachedWorkflows: flag }],
    ["POST", `/tasks/${task.id}/advance`, { runAttachedWorkflows: flag }],
    [
      "POST",
      `/tasks/${task.id}/rework`,
      { toKind: "ingestion", reason: "Again", runAttachedWorkflows: flag },
    ],
    [
      "POST",
      `/tasks/${task.id}/versions`,
      { content: {}, reason: "Anew", runAttachedWorkflows: flag },
    ],
    [
      "POST",
      "/moves",
      { moves: [{ task: task.id, status: "running" }], runAttachedWorkflows: flag },
    ],
    ["POST", "/bulk/preview", { ...rejection([task.id]), runAttachedWorkflows: flag }],
    ["POST", "/bulk/execute", { ...rejection([task.id]), runAttachedWorkflows: flag }],
  ];

  test.each(["true", 1, {}])("must be a boolean, not %j", async (flag) => {
    for (const [method, path, body] of calls(flag)) {
      const wrong = invalid(issue(["runAttachedWorkflows"], "invalid_type"));
      await expectRefusal(method, path, body, wrong);
    }
    const move = { status: "running", runAttachedWorkflows: flag };
    await expectRefusal(
      "POST",
      `/tasks/${task.id}/reviews`,
      { kind: "expert", outcome: "passed", move },
      invalid(issue(["move", "runAttachedWorkflows"], "invalid_type")),
    );
  });

  it("is false by default for bulk changes", async () => {
    const at = { kind: "output_generation", status: "failed" } as const;
    const failed = await api.givenTask({ at });
    const executed = await api.call("POST", "/bulk/execute", {
      idempotencyKey: "without-the-flag",
      body: { taskIds: [failed.id], targetStatus: "SUBMITTED", reason: "Again" },
    });
    expect(expectDone(executed)).toMatchObject({ dispatched: 0, counts: { changed: 1 } });
    const rows = await api.database.query("superuser", "select id from pipeline_dispatches");
    expect(rows).toEqual([]);
  });

  it("is rejected if it is given twice, because the intent is unclear", async () => {
    const twice = `{"runAttachedWorkflows":false,"taskIds":["${task.id}"],"targetStatus":"REJECTED","reason":"No","runAttachedWorkflows":true}`;
    const path = ["runAttachedWorkflows"];
    await expectRefusal("POST", "/bulk/execute", twice, {
      status: 400,
      error: "duplicate_key",
      path,
    });
    const escaped = `{"title":"A task","t\\u0069tle":"Another"}`;
    const expected: Expected = { status: 400, error: "duplicate_key", path: ["title"] };
    await expectRefusal("POST", "/tasks", escaped, expected);
  });
});

describe("input over a limit", () => {
  const tooMany = (max: number): Expected => ({ status: 400, error: "too_many_items", max });

  test.each([
    ["50,001 ids to preview", "/bulk/preview", () => rejection(uuids(50_001)), 50_000],
    ["50,001 ids to execute", "/bulk/execute", () => rejection(uuids(50_001)), 50_000],
    ["50,001 ids to look up", "/tasks/lookup", () => ({ ids: uuids(50_001) }), 50_000],
    ["501 tasks to import", "/tasks/import", () => ({ tasks: emptyItems(501) }), 500],
    ["1,001 moves", "/moves", () => ({ moves: emptyItems(1001) }), 1000],
  ] as const)(
    "%s are too many, and the response states the maximum",
    async (_, path, body, max) => {
      await expectRefusal("POST", path, body(), tooMany(max));
    },
  );

  test.each([
    ["/bulk/preview", () => rejection([]), "taskIds"],
    ["/bulk/execute", () => rejection([]), "taskIds"],
    ["/tasks/lookup", () => ({ ids: [] }), "ids"],
    ["/tasks/import", () => ({ tasks: [] }), "tasks"],
    ["/moves", () => ({ moves: [] }), "moves"],
  ] as const)("%s rejects an empty list", async (path, body, field) => {
    await expectRefusal("POST", path, body(), invalid(issue([field], "too_small")));
  });

  it("the same ID 500 times counts as one task", async () => {
    const at = { kind: "output_generation", status: "queued" } as const;
    const { id, externalId } = await api.givenTask({ at, externalId: "many-names" });
    const names = [...Array<string>(499).fill(id), `ext:${externalId}`];
    const preview = await api.call("POST", "/bulk/preview", { body: rejection(names) });
    expect(expectDone(preview)).toMatchObject({ counts: { requested: 1, eligible: 1 } });
    const executed = await api.call<{ items: object[] }>("POST", "/bulk/execute", {
      idempotencyKey: "the-same-500-times",
      body: rejection(names),
    });
    const { items } = expectDone(executed);
    expect(items).toEqual([
      { taskId: id, outcome: "changed", from: "SUBMITTED", to: "REJECTED", eventSeq: 2 },
    ]);
  });

  // Uploaded content is excluded: the service rejects it by its declared length without reading it.
  const withBody = routes.filter(({ contract: { body } }) => body !== null && body !== rawBody);
  test.each(withBody.map(({ contract }) => [contract.operationId, contract] as const))(
    "%s rejects a body that is one byte over its limit",
    async (_, contract) => {
      const { method, path, params, bodyMax, service } = contract;
      const max = BODY_BYTES_MAX[bodyMax];
      const { keys } = await senderOf(api, contract);
      const bearer = keys[service ? "service" : "admin"];
      // The first value that the contract lists, or an unknown ID.
      const valueIn = (_place: string, name: string) => {
        const schema = params.shape[name];
        return schema instanceof z.ZodEnum ? String(schema.options[0]) : crypto.randomUUID();
      };
      const url = path.replace("/v1", "").replaceAll(/\{(\w+)\}/g, valueIn);
      const headers = { "content-type": "application/json", "idempotency-key": "too-large" };
      const sendBytes = (bytes: number) =>
        send(api, method, url, { bearer, headers, body: new Uint8Array(bytes).fill(0x20) });
      const expected: Expected = { status: 413, error: "payload_too_large", max };
      await expectRefused(api, () => sendBytes(max + 1), expected);
      expect((await sendBytes(max)).status).toBe(400);
    },
  );

  it("a body exactly at its limit is accepted", async () => {
    const body = JSON.stringify({ title: "A task" }).padEnd(BODY_BYTES_MAX.standard);
    expectDone(await api.call("POST", "/tasks", { body }), 201);
  });
});

describe("an endless body", () => {
  const CHUNK = 64 * 1024;
  const SOURCE_BYTES = 64 * 1024 * 1024;

  /** Returns a JSON string as a stream, and counts how much of it was read. */
  function source() {
    const read = { bytes: 0, isCancelled: false };
    const stream = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          const head = read.bytes === 0 ? '{"title":"' : "";
          controller.enqueue(new TextEncoder().encode(head.padEnd(CHUNK, "a")));
          read.bytes += CHUNK;
          if (read.bytes >= SOURCE_BYTES) controller.close();
        },
        cancel() {
          read.isCancelled = true;
        },
      },
      { highWaterMark: 0 },
    );
    return { stream, read };
  }

  test.each([
    ["without Content-Length", {}],
    ["with a false Content-Length", { "content-length": "20" }],
    ["in chunks", { "transfer-encoding": "chunked" }],
  ])("%s is read only up to the limit", async (_, more: Record<string, string>) => {
    for (const [path, max] of [
      ["/tasks", BODY_BYTES_MAX.standard],
      ["/bulk/preview", BODY_BYTES_MAX.large],
    ] as const) {
      const { stream, read } = source();
      const headers = { "content-type": "application/json", ...more };
      await expectRefused(api, () => send(api, "POST", path, { headers, body: stream }), {
        status: 413,
        error: "payload_too_large",
        max,
      });
      expect(read.bytes).toBeGreaterThan(max);
      expect(read.bytes).toBeLessThanOrEqual(max + 2 * CHUNK);
      expect(read.isCancelled).toBe(true);
    }
  });
});

describe("hostile JSON", () => {
  const tooDeep: Expected = { status: 400, error: "json_too_deep", max: 32 };
  const nested = (depth: number, open: string, close: string) =>
    open.repeat(depth) + close.repeat(depth);

  test.each([
    ["50,000 arrays deep", nested(50_000, "[", "]")],
    ["50,000 objects deep", `${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`],
    ["50,000 deep and never closed", "[".repeat(50_000)],
    ["deep in metadata", `{"title":"A","content":{"metadata":{"a":${nested(40, "[", "]")}}}}`],
  ])("%s is too deep", async (_, body) => {
    await expectRefusal("POST", "/tasks", body, tooDeep);
    await expectRefusal("POST", "/bulk/preview", body, tooDeep);
  });

  test.each(["__proto__", "constructor", "prototype"])("%s is not a known field", async (key) => {
    await expectRefusal(
      "POST",
      "/tasks",
      `{"title":"A task","${key}":{"admin":true}}`,
      invalid(issue([key], "unrecognized_keys")),
    );
    await expectRefusal(
      "PATCH",
      steps,
      `{"status":"running","${key}":{"admin":true}}`,
      invalid(issue([key], "unrecognized_keys")),
    );
  });

  test.each(["__proto__", "constructor", "prototype"])(
    "%s is forbidden in free-form objects",
    async (key) => {
      const content = `{"title":"A task","content":{"metadata":{"a":[{"${key}":{"admin":true}}]}}}`;
      const inContent = ["content", "metadata", "a", 0, key];
      await expectRefusal("POST", "/tasks", content, invalid(issue(inContent, "forbidden_key")));
      const payload = `{"status":"running","payload":{"${key}":1}}`;
      await expectRefusal(
        "PATCH",
        steps,
        payload,
        invalid(issue(["payload", key], "forbidden_key")),
      );
    },
  );

  test.each([
    ["NUL", "\\u0000"],
    ["half a surrogate pair", "\\ud800"],
    ["the other half of a pair", "x\\udc00x"],
  ])("%s is not valid text", async (_, text) => {
    const wrong = (...path: (string | number)[]) => invalid(issue(path, "invalid_text"));
    await expectRefusal("POST", "/tasks", `{"title":"A${text}task"}`, wrong("title"));
    const note = `/tasks/${task.id}/notes`;
    await expectRefusal("POST", note, `{"text":"A${text}note"}`, wrong("text"));
    await expectRefusal("PATCH", steps, `{"status":"running","reason":"${text}"}`, wrong("reason"));
    const metadata = `{"title":"A","content":{"metadata":{"a":["${text}"]}}}`;
    await expectRefusal("POST", "/tasks", metadata, wrong("content", "metadata", "a", 0));
    const lookup = `{"ids":["a","${text}"]}`;
    await expectRefusal("POST", "/tasks/lookup", lookup, wrong("ids", 1));
  });

  test.each(["1e999999", "-1e999999", "9007199254740993"])(
    "%s is rejected, because a double cannot hold it",
    async (number) => {
      const wrong = (...path: (string | number)[]) => invalid(issue(path, "number_out_of_range"));
      const body = `{"title":"A","content":{"metadata":{"n":${number}}}}`;
      await expectRefusal("POST", "/tasks", body, wrong("content", "metadata", "n"));
      await expectRefusal(
        "POST",
        "/tasks",
        `{"title":"A","priority":${number}}`,
        wrong("priority"),
      );
    },
  );

  it("unusual but valid values are returned as they were sent", async () => {
    const metadata = {
      text: "\u0001 \u001b[31m \r\n \ud83d\ude00 \uffff <img src=x onerror=alert(1)> '; drop table tasks; --",
      numbers: [0, -0.5, 1e-7, 9007199254740991, 1.7976931348623157e308],
      "a key with spaces, and €": null,
    };
    const content = { brief: metadata.text, metadata };
    const created = await api.call<TaskView>("POST", "/tasks", { body: { title: "A", content } });
    const version = await api.call("GET", `/tasks/${expectDone(created, 201).id}/versions/1`);
    expect(expectDone(version)).toMatchObject({ content });
  });
});

describe("a body", () => {
  const json = new TextEncoder().encode('{"title":"A task"}');
  const unsupported: Expected = { status: 415, error: "unsupported_media_type" };
  const malformed: Expected = { status: 400, error: "malformed_json" };
  const expectBytesRefused = (
    body: Uint8Array,
    headers: Record<string, string>,
    expected: Expected,
  ) => expectRefused(api, () => send(api, "POST", "/tasks", { body, headers }), expected);

  test.each([
    { "content-type": "text/plain" },
    { "content-type": "application/x-www-form-urlencoded" },
    { "content-type": "multipart/form-data; boundary=x" },
    { "content-type": "application/json;charset=utf-16" },
    { "content-type": "application/json; charset=iso-8859-1" },
    { "content-type": "application/jsonp" },
    { "content-type": "text/json" },
    { "content-type": "application/json", "content-encoding": "gzip" },
    {},
  ] as Record<string, string>[])("is rejected with the headers %j", async (headers) => {
    await expectBytesRefused(json, headers, unsupported);
  });

  test.each([
    "application/json",
    "application/json; charset=utf-8",
    'Application/JSON;charset="UTF-8"',
  ])("is accepted as %s", async (type) => {
    const headers = { "content-type": type };
    expect((await send(api, "POST", "/tasks", { body: json, headers })).status).toBe(201);
  });

  test.each([
    "{bad",
    "{",
    '{"title":"A"}}',
    "{'title':'A'}",
    '{"title":"A",}',
    "NaN",
    "\ufeff{}",
    "",
  ])("%j is malformed", async (text) => {
    const headers = { "content-type": "application/json" };
    await expectBytesRefused(new TextEncoder().encode(text), headers, malformed);
  });

  it("is malformed if its bytes are not UTF-8", async () => {
    const headers = { "content-type": "application/json" };
    await expectBytesRefused(Uint8Array.of(0x22, 0xff, 0xfe, 0x22), headers, malformed);
  });
});

describe("characters that a log or a terminal interprets", () => {
  test.each(["\u001b[31mred", "a b", "a\tb", "é", "x".repeat(129), "a,b"])(
    "a request ID such as %j is replaced by a generated one",
    async (invalidId) => {
      const headers = { "x-request-id": invalidId };
      const path = `/tasks/${task.id}/notes`;
      let answer: Answer<{ events: { requestId: string }[] }> | undefined;
      const lines = await logged(async () => {
        answer = await api.call("POST", path, { body: { text: "A note" }, headers });
      });
      const generated = answer?.headers.get("x-request-id") ?? "";
      expect(generated).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      expect(answer?.body.events[0]?.requestId).toBe(generated);
      expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
        { requestId: generated },
      ]);
    },
  );

  it("a request ID of safe characters is kept, including on the event", async () => {
    const headers = { "x-request-id": "trace:7.a_B-1" };
    const noted = await api.call<{ events: object[] }>("POST", `/tasks/${task.id}/notes`, {
      body: { text: "A note" },
      headers,
    });
    expect(noted.headers.get("x-request-id")).toBe("trace:7.a_B-1");
    expect(expectDone(noted, 201).events).toMatchObject([{ requestId: "trace:7.a_B-1" }]);
  });

  it("a reason keeps its control characters, and the log keeps one line per request", async () => {
    const reason = 'one\r\n{"level":"error","message":"forged"}\r\n\u001b[31mred\u001b[0m';
    const { currentStep } = await api.givenTask();
    const lines = await logged(async () => {
      const moved = await api.call("PATCH", `/steps/${currentStep.id}`, {
        body: { status: "running", reason },
      });
      expect(expectDone(moved)).toMatchObject({ events: [{ reason }] });
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain("forged");
    expect(lines[0]).toMatch(/^\P{Cc}+$/u);
  });

  it("a title, an external ID and an assignee must not contain line breaks", async () => {
    for (const field of ["title", "externalId", "assignee", "taxonomyCode"]) {
      const body = { title: "A task", [field]: "one\r\ntwo\u001b[31m" };
      await expectRefusal("POST", "/tasks", body, invalid(issue([field], "invalid_format")));
    }
  });
});

describe("an invalid list query", () => {
  const lists = routes
    .map(({ contract }) => contract)
    .filter(({ query }) => "limit" in query.shape);
  const expectQueryRefused = (
    path: string,
    query: string,
    expected: Expected,
    tenant = api.tenant,
  ) => expectRefused(api, () => api.call("GET", `${path}?${query}`, { tenant }), expected);
  const expectEveryListRefuses = async (query: string, expected: Expected) => {
    for (const list of lists) {
      const path = list.path.replace("/v1", "").replaceAll(/\{\w+\}/g, crypto.randomUUID());
      await expectQueryRefused(path, query, expected, await senderOf(api, list));
    }
  };

  it("is tested with more than six lists, one of them for demos", () => {
    expect(lists.length).toBeGreaterThan(6);
    expect(lists.some(({ demoOnly }) => demoOnly)).toBe(true);
  });

  test.each(["1e9", "-1", "0", "201", "abc", "", "10.5", "0x10", "%2010", "NaN"])(
    "limit=%s is rejected by every list",
    async (limit) => {
      await expectEveryListRefuses(`limit=${limit}`, invalid(issue(["limit"], expect.any(String))));
    },
  );

  it("a repeated or unknown parameter is rejected by every list", async () => {
    const repeated = invalid(issue(["limit"], "repeated_parameter"));
    await expectEveryListRefuses("limit=1&limit=2", repeated);
    for (const name of ["tenantId", "__proto__"]) {
      await expectEveryListRefuses(`${name}=1`, invalid(issue([name], "unrecognized_keys")));
    }
  });

  test.each(["status;drop", "__proto__", "constructor", "title,id", "-", "", "--title", "TITLE"])(
    "sort=%s is rejected as an unknown sort",
    async (sort) => {
      await expectQueryRefused("/tasks", `sort=${sort}`, invalid(issue(["sort"], "invalid_value")));
    },
  );

  it("a search finds literal text, even if it looks like SQL or a pattern", async () => {
    const needles = ["%%%", "___", "' or 1=1 --", "\\\\\\", "$1$2$3", "**?"];
    for (const needle of needles) {
      const found = await api.call("GET", `/tasks?q=${encodeURIComponent(needle)}`);
      expect(expectDone(found), needle).toEqual({ data: [], nextCursor: null });
    }
    await expectQueryRefused("/tasks", "q=ab", invalid(issue(["q"], "too_small")));
    await expectQueryRefused("/tasks", "q=ab%00", invalid(issue(["q"], "invalid_text")));
  });
});

describe("a cursor", () => {
  const badCursor: Expected = { status: 400, error: "invalid_cursor" };
  const expectCursorRefused = (path: string, cursor: string, tenant = api.tenant) =>
    expectRefused(
      api,
      () => api.call("GET", `${path}${path.includes("?") ? "&" : "?"}cursor=${cursor}`, { tenant }),
      badCursor,
    );
  const firstPage = async (path: string, tenant = api.tenant) => {
    const page = await api.call<{ nextCursor: string | null }>("GET", path, { tenant });
    return expectDone(page).nextCursor ?? expect.fail("The list has only one page");
  };

  it("is rejected if any of its characters is changed", async () => {
    await api.givenTask();
    const cursor = await firstPage("/tasks?limit=1");
    for (const position of [0, Math.floor(cursor.length / 2), cursor.length - 1]) {
      const other = cursor[position] === "A" ? "B" : "A";
      await expectCursorRefused(
        "/tasks",
        cursor.slice(0, position) + other + cursor.slice(position + 1),
      );
    }
    for (const forged of ["a", "e30", cursor.slice(1), cursor + cursor, "..", "%F0%9F%98%80"]) {
      await expectCursorRefused("/tasks", forged);
    }
  });

  it("of one list is rejected by another, and with another filter or sort", async () => {
    const cursor = await firstPage("/tasks?limit=1");
    for (const path of [
      "/worker-runs",
      "/bulk/operations",
      "/api-keys",
      `/tasks/${task.id}/events`,
    ]) {
      await expectCursorRefused(path, cursor);
    }
    for (const query of ["archived=true", "stepKind=ingestion", "sort=title", "sort=createdAt"]) {
      await expectCursorRefused(`/tasks?${query}`, cursor);
    }
    const nextPage = await api.call("GET", `/tasks?limit=2&cursor=${cursor}`);
    expectDone(nextPage);
  });

  it("of another tenant is rejected", async () => {
    const { otherTenant: tenant } = api;
    await api.givenTask({ tenant });
    await api.givenTask({ tenant });
    await expectCursorRefused("/tasks", await firstPage("/tasks?limit=1", tenant));
    await expectCursorRefused("/tasks", await firstPage("/tasks?limit=1"), tenant);
    await expectCursorRefused("/api-keys", await firstPage("/api-keys?limit=1", tenant));
  });
});
