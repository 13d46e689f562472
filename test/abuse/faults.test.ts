import { afterEach, beforeAll, describe, expect, it, test } from "vitest";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import { PROBLEMS } from "../../src/routes/http/problem.ts";
import { type Answer, expectDone, freshApi, type TestApi } from "../support/api.ts";
import { contentsOf } from "../support/contents.ts";
import { type Expected, expectProblem, expectRefused, logged, send } from "./support.ts";

const SIGNING_SECRET = "canary-signing-secret-0123456789abcdef";

let api: TestApi;
let task: TaskView;
beforeAll(async () => {
  api = await freshApi({ SIGNING_SECRET });
  task = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
});
afterEach(() => api.database.clearFaults());

describe("an unknown route", () => {
  test.each([
    "/v1",
    "/v1/",
    "/v1/nothing",
    "/v1/tasks/",
    "/v1//tasks",
    "/v2/tasks",
    "/.env",
    "/v1/tasks/a/b/c",
  ])("%s is not found, and the response does not repeat it", async (path) => {
    const response = await api.fetch(path, { headers: { "x-request-id": "the-same" } });
    const answer = await answerOf(response);
    expectProblem(answer, { status: 404, error: "not_found" });
    expect(answer.text).not.toContain(path.slice(1));
  });

  test.each([
    ["DELETE", "/tasks", "GET, HEAD, POST"],
    ["PUT", "/tasks/{task}", "GET, HEAD, PATCH"],
    ["GET", "/bulk/execute", "POST"],
    ["POST", "/me", "GET, HEAD"],
    ["POST", "/steps/{step}", "GET, HEAD, PATCH"],
    ["OPTIONS", "/tasks", "GET, HEAD, POST"],
  ])("%s %s is not allowed, and Allow lists the methods", async (method, path, allow) => {
    const named = path.replace("{task}", task.id).replace("{step}", task.currentStep.id);
    const answer = await expectRefused(api, () => send(api, method, named), {
      status: 405,
      error: "method_not_allowed",
      allow: allow.split(", "),
    });
    expect(answer.headers.get("allow")).toBe(allow);
  });
});

describe("while the database is unavailable", () => {
  const unavailable: Expected = { status: 503, error: "unavailable" };
  const calls: [description: string, call: () => Promise<Answer<unknown>>][] = [
    ["a read", () => api.call("GET", `/tasks/${task.id}`)],
    ["a list", () => api.call("GET", "/tasks")],
    ["a move", () => api.call("PATCH", `/steps/${task.currentStep.id}`, RUNNING)],
    ["a creation", () => api.call("POST", "/tasks", { body: { title: "A task" } })],
    ["a run", () => api.call("POST", `/tasks/${task.id}/worker-runs`, RUN)],
    ["a preview", () => api.call("POST", "/bulk/preview", { body: rejection() })],
    [
      "a bulk change",
      () => api.call("POST", "/bulk/execute", { body: rejection(), idempotencyKey: "unavailable" }),
    ],
    ["a key that is not cached", () => api.call("GET", "/me", { bearer: unusedKey })],
  ];
  let unusedKey = "";
  beforeAll(async () => {
    const created = await api.call<{ key: string }>("POST", "/api-keys", {
      body: { name: "Never used", role: "viewer" },
    });
    unusedKey = expectDone(created, 201).key;
    expectDone(await api.call("GET", "/me", { as: "service" }));
  });

  test.each(calls)(
    "%s returns unavailable with Retry-After and writes nothing",
    async (_, call) => {
      await api.database.faults({ kind: "unavailable", times: null });
      const answer = await expectRefused(api, call, unavailable);
      expect(answer.headers.get("retry-after")).toMatch(/^\d+$/);
      expect(answer.body).toMatchObject({ retry: "same" });
    },
  );

  it("the Worker is healthy but not ready", async () => {
    await api.database.faults({ kind: "unavailable", times: null });
    expect((await api.fetch("/healthz")).status).toBe(200);
    expectProblem(await answerOf(await api.fetch("/readyz")), unavailable);
  });

  it("a call retries two failed round trips and succeeds", async () => {
    await api.database.faults({ kind: "unavailable", times: 2 });
    const created = await api.call("POST", "/tasks", { body: { title: "A task" } });
    expectDone(created, 201);
    expect(await api.database.waitingFaults()).toBe(0);
  });
});

describe("a defect", () => {
  it("is internal and discloses only the request ID", async () => {
    await api.database.faults({ kind: "sqlstate", code: "22P02", sql: "insert into operations" });
    const lines = await logged(async () => {
      const call = () =>
        api.call("POST", "/tasks", {
          body: { title: "A task" },
          headers: { "x-request-id": "report-this-id" },
        });
      const answer = await expectRefused(api, call, { status: 500, error: "internal" });
      expect(answer.body).toEqual({
        type: "/docs/errors#internal",
        title: PROBLEMS.internal.title,
        status: 500,
        detail: PROBLEMS.internal.detail,
        instance: "report-this-id",
        error: "internal",
        retry: "never",
      });
    });
    const entries = lines.map((line): unknown => JSON.parse(line));
    expect(entries).toMatchObject([
      { level: "error", message: "defect", requestId: "report-this-id", sqlState: "22P02" },
      { level: "error", message: "request", requestId: "report-this-id", status: 500 },
    ]);
  });
});

describe("secrets and callers' data", () => {
  /** Returns every text that must not leak: the service's secrets, the caller's keys and the data sent. */
  const canaries = () => {
    const { databaseUrl, migrationDatabaseUrl, superuserUrl } = api.database;
    const passwords = [databaseUrl, migrationDatabaseUrl, superuserUrl].map(
      (url) => new URL(url).password,
    );
    return [
      SIGNING_SECRET,
      ...passwords,
      ...Object.values(api.tenant.keys).map((key) => key.split("_").at(-1) ?? key),
      "canary",
    ];
  };

  const expectNoLeaks = (texts: readonly string[]) => {
    for (const canary of canaries()) {
      expect(canary.length).toBeGreaterThan(5);
      const leaks = texts.filter((text) => text.includes(canary));
      expect(leaks).toEqual([]);
    }
  };

  const content = { brief: "canary-brief", metadata: { secret: "canary-metadata" } };
  const body = {
    title: "canary-title",
    externalId: "canary-external-id",
    assignee: "canary-assignee",
    content,
  };

  it("stay out of the log and the response if a database error quotes them", async () => {
    await api.database.transaction("superuser", [
      {
        text: `create function quote_all() returns trigger language plpgsql as $$ begin
          raise exception 'cannot take %', row_to_json(new) using detail = new.payload, errcode = 'P0001';
        end $$`,
      },
      {
        text: `create trigger quote_all before insert on step_events for each row
          when (new.payload like '%canary%' or new.reason like '%canary%')
          execute function quote_all()`,
      },
    ]);
    const texts: string[] = [];
    const lines = await logged(async () => {
      const options = { idempotencyKey: "canary-idempotency-key" };
      const answers = [
        await api.call("POST", "/tasks", { body, ...options }),
        await api.call("POST", "/tasks/import", { body: { tasks: [body] }, ...options }),
        await api.call("PATCH", `/steps/${task.currentStep.id}`, {
          body: { status: "running", reason: "canary-reason", payload: { a: "canary-payload" } },
        }),
        await api.call("POST", `/tasks/${task.id}/notes`, { body: { text: "canary-note" } }),
        await api.call("POST", `/tasks/${task.id}/versions`, {
          body: { content, reason: "canary-reason" },
        }),
      ];
      for (const answer of answers) {
        expectProblem(answer, { status: 500, error: "internal" });
        texts.push(answer.text, JSON.stringify([...answer.headers]));
      }
    });
    await api.database.query("superuser", "drop trigger quote_all on step_events");
    expect(lines.length).toBeGreaterThan(5);
    expectNoLeaks([...texts, ...lines]);
  });

  it("stay out of the log and the response if the database does not respond", async () => {
    await api.database.faults({ kind: "cut-before-commit", times: null });
    const texts: string[] = [];
    const lines = await logged(async () => {
      const answer = await api.call("POST", "/tasks", { body });
      expectProblem(answer, { status: 503, error: "unavailable" });
      texts.push(answer.text);
    });
    expectNoLeaks([...texts, ...lines]);
  });

  it("stay out of the log and the response if the request is invalid", async () => {
    const { keys } = api.tenant;
    const texts: string[] = [];
    const before = await contentsOf(api.database);
    const lines = await logged(async () => {
      const answers = [
        await api.call("GET", "/me", { bearer: `${keys.admin}0` }),
        await api.call("GET", "/me", { bearer: "eyJhbGciOiJub25lIn0.canary.canary" }),
        await api.call("POST", "/tasks", { as: "viewer", body }),
        await api.call("POST", "/tasks", { body: `{"title":"canary-title"` }),
        await api.call("POST", "/tasks", { body: { ...body, priority: "canary-priority" } }),
        await api.call("POST", "/tasks", { body: { ...body, title: "canary\u0000title" } }),
        await api.call("PATCH", `/steps/${task.currentStep.id}`, {
          body: { status: "paused", reason: "canary-reason" },
        }),
        await api.call("GET", `/tasks/ext:canary-external-id`),
        await api.call("GET", `/tasks?q=canary&cursor=canary`),
        await send(api, "POST", "/tasks", {
          body: "canary",
          headers: { "content-type": "text/canary", cookie: "session=canary" },
        }),
      ];
      for (const { status, text } of answers) {
        expect(status).toBeGreaterThanOrEqual(400);
        expect(status).toBeLessThan(500);
        texts.push(text);
      }
    });
    expect(lines).toHaveLength(10);
    expectNoLeaks([...texts, ...lines]);
    expect(await contentsOf(api.database)).toEqual(before);
  });

  it("stay out of the log if the calls succeed", async () => {
    const { keys } = api.tenant;
    const lines = await logged(async () => {
      const created = await api.call<{ key: string }>("POST", "/api-keys", {
        bearer: keys.admin,
        body: { name: "canary-key", role: "viewer" },
      });
      const { key } = expectDone(created, 201);
      expectDone(await api.call("GET", "/me", { bearer: key }));
      expectDone(await api.call("POST", "/tasks/lookup", { body: { ids: ["canary-id"] } }));
    });
    expectNoLeaks(lines);
  });
});

const RUNNING = { body: { status: "running" } };
const RUN = { as: "service", body: { type: "PAYMENT" } } as const;
const rejection = () => ({ taskIds: [task.id], targetStatus: "REJECTED", reason: "No" });

async function answerOf(response: Response): Promise<Answer<unknown>> {
  const text = await response.text();
  const { status, headers } = response;
  return { status, headers, text, body: JSON.parse(text) };
}
