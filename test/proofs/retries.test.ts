import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { routes } from "../../src/routes/index.ts";
import type { ErrorCode } from "../../src/routes/http/problem.ts";
import {
  type Answer,
  type CallOptions,
  expectDone,
  expectProblem,
  freshApi,
  type TestApi,
} from "../support/api.ts";
import type { FaultOptions } from "../support/database.ts";
import { givenOpenEval, givenTrial } from "../routes/evals/support.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { untilLocksAreHeld } from "../support/model/locks.ts";
import { inParallel } from "../support/model/load.ts";
import { silenceLog } from "../support/model/quiet.ts";
import { countRows, rowsGained } from "../support/model/rows.ts";

interface Write {
  method: string;
  path: string;
  options: CallOptions;
}

/** A kind of write: how to make one that has never been sent, and what becomes of it. */
interface WriteCase {
  operationId: string;
  /** Where one route writes in more ways than one. */
  variant?: string;
  status: 200 | 201;
  given: (api: TestApi) => Promise<Write>;
  /**
   * What the same call does when it is sent again without an Idempotency-Key, by a client that never got the answer.
   * Null where the route takes none without one.
   */
  unkeyed: { status: 200 | 201; effect: "none" | "once more" } | ErrorCode | null;
  /** Members of the answer that a repeat does not tell, since nothing keeps them. */
  toldOnce?: string[];
}

let count = 0;
const unique = (word: string): string => `${word}-${(count += 1)}`;

/** A call on a fresh task at a place. */
const onTask =
  (
    at: Parameters<TestApi["givenTask"]>[0],
    write: (task: Awaited<ReturnType<TestApi["givenTask"]>>) => Write,
  ): WriteCase["given"] =>
  async (api) =>
    write(await api.givenTask(at));

const post = (path: string, body: object, options: CallOptions = {}): Write => ({
  method: "POST",
  path,
  options: { body, ...options },
});
const patch = (path: string, body: object, options: CallOptions = {}): Write => ({
  method: "PATCH",
  path,
  options: { body, ...options },
});

async function givenRun(api: TestApi, taskId: string, type: string): Promise<string> {
  const run = await api.call<{ id: string }>("POST", `/tasks/${taskId}/worker-runs`, {
    as: "service",
    body: { type },
  });
  return expectDone(run, 201).id;
}

/** What is uploaded, and what declares it. */
const ANSWER = "72";
const declared = (kind: string) => ({
  kind,
  contentType: "text/plain",
  sizeBytes: ANSWER.length,
  sha256: "8722616204217eddb39e7df969e0698aed8e599ba62ed2de1ce49b03ade0fede",
});

const CASES: readonly WriteCase[] = [
  {
    operationId: "createTask",
    status: 201,
    given: async () => post("/tasks", { title: "A task", externalId: unique("created") }),
    unkeyed: "conflict",
  },
  {
    operationId: "createTask",
    variant: "without an external id",
    status: 201,
    given: async () => post("/tasks", { title: "A task" }),
    unkeyed: { status: 201, effect: "once more" },
  },
  {
    operationId: "importTasks",
    status: 200,
    given: async () =>
      post("/tasks/import", {
        tasks: [
          { title: "One", externalId: unique("imported") },
          { title: "Two", externalId: unique("imported") },
          { title: "" },
        ],
      }),
    unkeyed: { status: 200, effect: "none" },
  },
  {
    operationId: "editTask",
    status: 200,
    given: onTask({}, ({ id }) => patch(`/tasks/${id}`, { title: unique("Edited") })),
    unkeyed: { status: 200, effect: "none" },
  },
  {
    operationId: "archiveTask",
    status: 200,
    given: onTask({}, ({ id }) => post(`/tasks/${id}/archive`, {})),
    unkeyed: "already_in_status",
  },
  {
    operationId: "restoreTask",
    status: 200,
    given: async (api) => {
      const { id } = await api.givenTask();
      expectDone(await api.call("POST", `/tasks/${id}/archive`, { body: {} }));
      return post(`/tasks/${id}/restore`, {});
    },
    unkeyed: "already_in_status",
  },
  {
    operationId: "addNote",
    status: 201,
    given: onTask({}, ({ id }) => post(`/tasks/${id}/notes`, { text: "A remark" })),
    unkeyed: { status: 201, effect: "once more" },
  },
  {
    operationId: "createVersion",
    status: 201,
    given: onTask({}, ({ id }) =>
      post(`/tasks/${id}/versions`, {
        content: { brief: "A better brief" },
        reason: "It was unclear",
        firstKind: "pre_qa",
        runAttachedWorkflows: true,
      }),
    ),
    unkeyed: { status: 201, effect: "once more" },
  },
  {
    operationId: "transitionStep",
    status: 200,
    given: onTask({}, ({ currentStep }) =>
      patch(`/steps/${currentStep.id}`, { status: "running", payload: { machine: 7 } }),
    ),
    unkeyed: "already_in_status",
  },
  {
    operationId: "transitionStep",
    variant: "with its payment",
    status: 200,
    given: onTask({ at: { kind: "expert_review", status: "in_review" } }, ({ currentStep }) =>
      patch(`/steps/${currentStep.id}`, { status: "approved", runAttachedWorkflows: true }),
    ),
    unkeyed: "already_in_status",
  },
  {
    operationId: "changeGate",
    status: 200,
    given: onTask({}, ({ currentStep }) =>
      patch(`/steps/${currentStep.id}/gate`, { gate: "waived", reason: "Known to be good" }),
    ),
    unkeyed: "already_in_status",
  },
  {
    operationId: "advanceTask",
    status: 200,
    given: onTask({ at: { kind: "pre_qa", status: "approved" } }, ({ id }) =>
      post(`/tasks/${id}/advance`, {}),
    ),
    unkeyed: "gate_closed",
  },
  {
    operationId: "reworkTask",
    status: 200,
    given: onTask({ at: { kind: "pre_qa", status: "approved" } }, ({ id }) =>
      post(`/tasks/${id}/rework`, { toKind: "pre_qa", reason: "Look again" }),
    ),
    // The first rework revoked the gate that was open; the second finds none.
    unkeyed: { status: 200, effect: "once more" },
  },
  {
    operationId: "moveTasks",
    status: 200,
    given: async (api) => {
      const [one = "", other = "", third = ""] = await api.givenTasks(3);
      return post("/moves", {
        moves: [
          { task: one, status: "running" },
          { task: other, rework: "ingestion", reason: "Again" },
          { task: third, status: "approved" },
        ],
      });
    },
    unkeyed: { status: 200, effect: "once more" },
  },
  {
    operationId: "recordReview",
    status: 201,
    given: onTask({ at: { kind: "pre_qa", status: "awaiting_review" } }, ({ id }) =>
      post(`/tasks/${id}/reviews`, {
        kind: "expert",
        outcome: "passed",
        move: { status: "approved" },
      }),
    ),
    unkeyed: "already_in_status",
  },
  {
    operationId: "recordReview",
    variant: "without a move",
    status: 201,
    given: onTask({}, ({ id }) =>
      post(`/tasks/${id}/reviews`, { kind: "expert", outcome: "failed", notes: "No" }),
    ),
    unkeyed: { status: 201, effect: "once more" },
  },
  {
    operationId: "startRun",
    status: 201,
    given: onTask({}, ({ id }) =>
      post(`/tasks/${id}/worker-runs`, { type: "QUALITY_AUTOMATION" }, { as: "service" }),
    ),
    unkeyed: { status: 201, effect: "once more" },
  },
  {
    operationId: "reportRun",
    status: 200,
    given: async (api) => {
      const { id } = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
      const run = await givenRun(api, id, "QUALITY_AUTOMATION");
      return patch(
        `/worker-runs/${run}`,
        { state: "SUCCEEDED", verdict: "failed", result: { score: 0.2 } },
        { as: "service" },
      );
    },
    unkeyed: { status: 200, effect: "none" },
  },
  {
    operationId: "reportRun",
    variant: "that changes its run alone",
    status: 200,
    given: async (api) => {
      const run = await givenRun(api, (await api.givenTask()).id, "PAYMENT");
      return patch(`/worker-runs/${run}`, { state: "RUNNING" }, { as: "service" });
    },
    unkeyed: { status: 200, effect: "none" },
  },
  {
    operationId: "dispatchPipeline",
    status: 201,
    given: onTask({ at: { kind: "pre_qa", status: "queued" } }, ({ currentStep }) =>
      post(`/steps/${currentStep.id}/dispatch`, {
        pipeline: "quality_automation",
        reason: "It was asked for by nobody yet",
      }),
    ),
    unkeyed: "conflict",
  },
  {
    operationId: "executeBulk",
    status: 200,
    given: async (api) => {
      const at = { kind: "expert_review", status: "in_review" } as const;
      const [one, other] = [await api.givenTask({ at }), await api.givenTask({ at })];
      const { id: refused } = await api.givenTask();
      return post("/bulk/execute", {
        taskIds: [one.id, other.id, refused, crypto.randomUUID()],
        targetStatus: "PASSED",
        reason: "All of them are good",
        runAttachedWorkflows: true,
      });
    },
    unkeyed: null,
  },
  {
    operationId: "executeBulk",
    variant: "that changes nothing",
    status: 200,
    given: async () =>
      post("/bulk/execute", {
        taskIds: [crypto.randomUUID()],
        targetStatus: "PASSED",
        reason: "All of them are good",
      }),
    unkeyed: null,
  },
  {
    operationId: "recordPrompt",
    status: 201,
    given: onTask({}, ({ id }) =>
      post(`/tasks/${id}/prompts`, { role: "user", content: "How many?", model: "solver-7b" }),
    ),
    unkeyed: { status: 201, effect: "once more" },
  },
  {
    operationId: "declareData",
    status: 201,
    given: async (api) => {
      const { id } = await api.givenTask();
      const source = expectDone(
        await api.call<{ id: string }>("POST", `/tasks/${id}/data`, { body: declared("source") }),
        201,
      );
      return post(`/tasks/${id}/data`, { ...declared("generated"), inputs: [source.id] });
    },
    unkeyed: "conflict",
  },
  {
    operationId: "storeContent",
    status: 200,
    given: async (api) => {
      const { id } = await api.givenTask();
      const body = declared("golden");
      const data = await api.call<{ id: string }>("POST", `/tasks/${id}/data`, { body });
      const headers = { "content-type": "text/plain" };
      return {
        method: "PUT",
        path: `/data/${expectDone(data, 201).id}/content`,
        options: { body: ANSWER, headers },
      };
    },
    unkeyed: { status: 200, effect: "none" },
  },
  {
    operationId: "createEval",
    status: 201,
    given: onTask({}, ({ id }) => post(`/tasks/${id}/evals`, { name: "accuracy", k: 4 })),
    unkeyed: { status: 201, effect: "once more" },
  },
  {
    operationId: "transitionEval",
    status: 200,
    given: async (api) =>
      patch(`/evals/${(await givenOpenEval(api)).id}`, { status: "queued", reason: "Go on" }),
    unkeyed: "already_in_status",
  },
  {
    operationId: "recordTrials",
    status: 201,
    given: async (api) =>
      post(`/evals/${(await givenOpenEval(api)).id}/trials`, { k: 1, model: "solver" }),
    unkeyed: "conflict",
  },
  {
    operationId: "recordTrials",
    variant: "of many trials",
    status: 201,
    given: async (api) =>
      post(`/evals/${(await givenOpenEval(api)).id}/trials`, {
        trials: [1, 2, 3, 4].map((k) => ({ k, model: "solver", passed: k > 2 })),
      }),
    unkeyed: "conflict",
  },
  {
    operationId: "transitionTrial",
    status: 200,
    given: async (api) => {
      const trial = await givenTrial(api, (await givenOpenEval(api)).id);
      return patch(`/trials/${trial.id}`, { passed: true, score: 0.9 });
    },
    unkeyed: "already_in_status",
  },
  {
    operationId: "retractTrial",
    status: 200,
    given: async (api) => {
      const trial = await givenTrial(api, (await givenOpenEval(api)).id);
      return post(`/trials/${trial.id}/retract`, { reason: "Wrong prompt" });
    },
    unkeyed: "already_in_status",
  },
  {
    operationId: "recordEvaluation",
    status: 200,
    given: async (api) => {
      const [one, other] = await api.givenTasks(2);
      const result = { model: "solver", k: 1, passed: true, usage: { tokens: 12 } };
      return post("/evals/record", {
        name: "accuracy",
        k: 2,
        results: [one, other, crypto.randomUUID()].map((task) => ({ ...result, task })),
      });
    },
    unkeyed: { status: 200, effect: "none" },
  },
  {
    operationId: "recordEvaluation",
    variant: "that records nothing",
    status: 200,
    given: async () =>
      post("/evals/record", {
        name: "accuracy",
        k: 1,
        results: [{ task: crypto.randomUUID(), model: "solver", k: 1, passed: true }],
      }),
    unkeyed: { status: 200, effect: "none" },
  },
  {
    operationId: "createInsight",
    status: 201,
    given: onTask({}, ({ id }) =>
      post("/insights", { taskId: id, kind: "completion", model: "solver" }, { as: "service" }),
    ),
    unkeyed: { status: 201, effect: "once more" },
  },
  {
    operationId: "reportInsight",
    status: 200,
    given: async (api) => {
      const { id: taskId } = await api.givenTask();
      const body = { taskId, kind: "completion", model: "solver" };
      const opened = await api.call<{ id: string }>("POST", "/insights", { as: "service", body });
      const { id } = expectDone(opened, 201);
      return patch(`/insights/${id}`, { status: "RUNNING" }, { as: "service" });
    },
    unkeyed: { status: 200, effect: "none" },
  },
  {
    operationId: "createApiKey",
    status: 201,
    given: async () => post("/api-keys", { name: unique("A key"), role: "viewer" }),
    unkeyed: { status: 201, effect: "once more" },
    toldOnce: ["key"],
  },
  {
    operationId: "revokeApiKey",
    status: 200,
    given: async (api) => {
      const body = { name: unique("A key"), role: "viewer" };
      const { id } = expectDone(await api.call<{ id: string }>("POST", "/api-keys", { body }), 201);
      return { method: "DELETE", path: `/api-keys/${id}`, options: {} };
    },
    unkeyed: { status: 200, effect: "none" },
  },
];

/** Every route that writes: those that take an Idempotency-Key, and those that are idempotent by themselves. */
const WRITE_ROUTES = routes
  .map(({ contract }) => contract)
  .filter(
    ({ method, idempotency }) => idempotency !== "none" || ["PUT", "DELETE"].includes(method),
  );
const takesKey = ({ operationId }: WriteCase): boolean =>
  WRITE_ROUTES.some((route) => route.operationId === operationId && route.idempotency !== "none");

silenceLog();

let api: TestApi;

beforeAll(async () => {
  api = await freshApi();
  // Warms the keys of all roles, so that no look-up of a key stands between a test and its fault.
  await api.roundTripsOf(async () => {});
});

afterEach(() => api.database.clearFaults());

const send = ({ method, path, options }: Write, idempotencyKey?: string): Promise<Answer> =>
  api.call(method, path, { ...options, ...(idempotencyKey !== undefined && { idempotencyKey }) });

/** A key for the calls of one test, where the route takes one. */
const keyFor = (one: WriteCase): string | undefined => (takesKey(one) ? unique("key") : undefined);

/**
 * Runs what is to be measured, and tells which rows it has made. Without a key there is nothing to find in the ledger
 * of operations again: its rows are then no part of the effect.
 */
async function gainOf<Value>(
  one: WriteCase,
  run: () => Promise<Value>,
): Promise<{ value: Value; gain: Record<string, number> }> {
  const before = await countRows(api.database);
  const value = await run();
  const { operations, ...gain } = rowsGained(before, await countRows(api.database));
  const isKept = operations !== undefined && takesKey(one);
  return { value, gain: isKept ? { operations, ...gain } : gain };
}

const effects = new Map<string, Record<string, number>>();

/** The rows that one undisturbed call makes. */
async function effectOf(one: WriteCase & { name: string }): Promise<Record<string, number>> {
  const known = effects.get(one.name);
  if (known !== undefined) return known;
  const write = await one.given(api);
  const { value, gain } = await gainOf(one, () => send(write, keyFor(one)));
  expectDone(value, one.status);
  expect(value.headers.has("idempotency-replayed")).toBe(false);
  effects.set(one.name, gain);
  return gain;
}

/** The answer as any repeat tells it. */
function repeatable({ body, text }: Answer, { toldOnce = [] }: WriteCase): string {
  if (toldOnce.length === 0) return text;
  return JSON.stringify({
    ...body,
    ...Object.fromEntries(toldOnce.map((member) => [member, null])),
  });
}

/** Only the batch that writes: it alone begins with its operation. */
const ON_WRITE = { sql: "insert into operations" };

const named = CASES.map((one) => ({
  ...one,
  name: one.variant === undefined ? one.operationId : `${one.operationId} ${one.variant}`,
}));

describe("the table of writes", () => {
  test("has every route of the contract list that writes", () => {
    const inTable = new Set(CASES.map(({ operationId }) => operationId));
    expect([...inTable].toSorted()).toEqual(
      WRITE_ROUTES.map(({ operationId }) => operationId).toSorted(),
    );
  });
});

describe.for(named)("$name", (one) => {
  const faults: [what: string, fault: FaultOptions][] = [
    ["the answer of the database is lost after the commit", { kind: "cut-after-commit" }],
    [
      "every answer of the database to the write is lost",
      { kind: "cut-after-commit", times: null },
    ],
    ["the connection breaks before the commit", { kind: "cut-before-commit", times: 2 }],
    ["the database asks twice for another try", { kind: "sqlstate", code: "40001", times: 2 }],
  ];

  test.for(faults)("answers as if nothing had happened where %s", async ([, fault]) => {
    const effect = await effectOf(one);
    const write = await one.given(api);
    const key = keyFor(one);
    await api.database.faults({ ...ON_WRITE, ...fault });
    const { value: answer, gain } = await gainOf(one, () => send(write, key));
    expectDone(answer, one.status);
    expect(answer.headers.has("idempotency-replayed")).toBe(false);
    for (const member of one.toldOnce ?? [])
      expect(answer.body[member]).toEqual(expect.any(String));
    expect(gain).toEqual(effect);
    expect(await api.database.waitingFaults()).toBe(fault.times === null ? 1 : 0);

    await api.database.clearFaults();
    const { value: repeat, gain: more } = await gainOf(one, () => send(write, key));
    expect(repeat.status).toBe(one.status);
    expect(repeat.text).toBe(repeatable(answer, one));
    expect(more).toEqual({});
  });

  test("says 503 while the database is away, having done nothing, and works afterwards", async () => {
    const effect = await effectOf(one);
    const write = await one.given(api);
    const key = keyFor(one);
    await api.database.faults({ kind: "unavailable", times: null });
    const { value: refused, gain: nothing } = await gainOf(one, () => send(write, key));
    expectProblem(refused, "unavailable", 503);
    expect(refused.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(nothing).toEqual({});

    await api.database.clearFaults();
    const { value: done, gain } = await gainOf(one, () => send(write, key));
    expectDone(done, one.status);
    expect(gain).toEqual(effect);
  });

  test("says 503 where nobody knows whether it committed, and a repeat has one effect", async () => {
    const effect = await effectOf(one);
    const write = await one.given(api);
    const key = keyFor(one);
    await api.database.faults({ ...ON_WRITE, kind: "cut-after-commit" });
    await api.database.faults({ ...ON_WRITE, kind: "unavailable", times: null });
    const { value: answers, gain } = await gainOf(one, async () => {
      const unknown = await send(write, key);
      await api.database.clearFaults();
      return { unknown, known: await send(write, key) };
    });
    expectProblem(answers.unknown, "unavailable", 503);
    expectDone(answers.known, one.status);
    expect(answers.known.headers.get("idempotency-replayed")).toBe(takesKey(one) ? "true" : null);
    expect(gain).toEqual(effect);
  });

  test("has one effect and one answer however often it is sent with its key", async () => {
    const effect = await effectOf(one);
    const write = await one.given(api);
    const key = keyFor(one);
    const { value: answers, gain } = await gainOf(one, async () => ({
      first: await send(write, key),
      repeats: await inParallel({ count: 5, clients: 5 }, () => send(write, key)),
    }));
    const { first, repeats } = answers;
    expectDone(first, one.status);
    for (const repeat of repeats) {
      expect(repeat.text).toBe(repeatable(first, one));
      expect(repeat.status).toBe(one.status);
      expect(repeat.headers.get("etag")).toBe(first.headers.get("etag"));
      expect(repeat.headers.get("location")).toBe(first.headers.get("location"));
      if (takesKey(one)) expect(repeat.headers.get("idempotency-replayed")).toBe("true");
    }
    expect(gain).toEqual(effect);
  });

  test("has one effect where it is sent five times at once, and answers are lost", async () => {
    const effect = await effectOf(one);
    const write = await one.given(api);
    const key = keyFor(one);
    await api.database.faults({ ...ON_WRITE, kind: "cut-after-commit", times: 2 });
    const { value: answers, gain } = await gainOf(one, () =>
      inParallel({ count: 5, clients: 5 }, () => send(write, key)),
    );
    // One that has waited for the first call too long is told so, and no more.
    const isWaiting = ({ body }: Answer) => body.error === "operation_in_progress";
    const told = answers.filter((answer) => !isWaiting(answer));
    expect(new Set(told.map(({ status }) => status))).toEqual(new Set([one.status]));
    expect(new Set(told.map((answer) => repeatable(answer, one))).size).toBe(1);
    expect(gain).toEqual(effect);
  });
});

describe("a call without a key, sent again", () => {
  test.for(named.filter(({ unkeyed }) => unkeyed !== null))("$name", async (one) => {
    const write = await one.given(api);
    expectDone(await send(write), one.status);
    const { value: again, gain } = await gainOf(one, () => send(write));
    const { operations: _, ...effect } = gain;
    const { unkeyed } = one;
    if (typeof unkeyed === "string") expectProblem(again, unkeyed, 409);
    else expectDone(again, unkeyed?.status);
    const isOnceMore = typeof unkeyed === "object" && unkeyed?.effect === "once more";
    expect(Object.keys(effect).length > 0).toBe(isOnceMore);
  });
});

describe("what the database says", () => {
  const noteOn = async (): Promise<Write> =>
    post(`/tasks/${(await api.givenTask()).id}/notes`, { text: "A remark" });

  test.for(["40001", "40P01", "55P03", "57014", "53300", "08006", "57P01", "57P03"])(
    "with %s is tried again",
    async (code) => {
      const write = await noteOn();
      await api.database.faults({ ...ON_WRITE, kind: "sqlstate", code, times: 2 });
      expectDone(await send(write), 201);
      expect(await api.database.waitingFaults()).toBe(0);
    },
  );

  test.for(["40001", "08006"])("with %s over and over is told as 503", async (code) => {
    const write = await noteOn();
    await api.database.faults({ ...ON_WRITE, kind: "sqlstate", code, times: null });
    const before = await countRows(api.database);
    expectProblem(await send(write), "unavailable", 503);
    expect(rowsGained(before, await countRows(api.database))).toEqual({});
  });

  test.for(["22003", "23514", "42601", "SL001"])(
    "with %s is a fault of ours, told once",
    async (code) => {
      const write = await noteOn();
      await api.database.faults({ ...ON_WRITE, kind: "sqlstate", code, times: 2 });
      const problem = expectProblem(await send(write), "internal", 500);
      expect(JSON.stringify(problem)).not.toContain(code);
      expect(await api.database.waitingFaults()).toBe(1);
    },
  );

  const hindrances: [what: string, fault: FaultOptions][] = [
    ["away for a moment", { kind: "unavailable", times: 2 }],
    ["slow", { kind: "delay", delayMilliseconds: 300 }],
  ];
  test.for(hindrances)("is waited for where it is %s", async ([, fault]) => {
    const write = await noteOn();
    await api.database.faults(fault);
    expectDone(await send(write), 201);
    expect(await api.database.waitingFaults()).toBe(0);
  });

  test("of a read is tried again too", async () => {
    const { id } = await api.givenTask();
    await api.database.faults({ kind: "cut-after-commit", times: 2 });
    expectDone(await api.call("GET", `/tasks/${id}`));
    expect(await api.database.waitingFaults()).toBe(0);
  });
});

describe("a call that has to wait", () => {
  test("for a lock on its task goes on when that is free", async () => {
    const { id } = await api.givenTask();
    const held = api.database.transaction("superuser", [
      { text: "select from tasks where id = $1 for update", values: [id] },
      // Longer than one try waits.
      { text: "select pg_sleep(1.5)" },
    ]);
    await untilLocksAreHeld(api.database);
    const answer = await api.call("POST", `/tasks/${id}/notes`, { body: { text: "At last" } });
    expectDone(answer, 201);
    await held;
  });

  test("for the first call of its own key is told to come back", async () => {
    const { id } = await api.givenTask();
    const note = post(`/tasks/${id}/notes`, { text: "Once" });
    const key = unique("key");
    const [admin] = await api.database.query(
      "owner",
      "select id from api_keys where tenant_id = $1 and role = 'admin' order by created_at limit 1",
      [api.tenant.id],
    );
    const first = api.database.transaction("superuser", [
      {
        text: `insert into operations (tenant_id, id, actor_id, route, key, fingerprint)
          values ($1, gen_random_uuid(), $2, 'addNote', $3, '')`,
        values: [api.tenant.id, admin?.["id"] ?? null, key],
      },
      { text: "select pg_sleep(2)" },
      { text: "delete from operations where key = $1", values: [key] },
    ]);
    await untilLocksAreHeld(api.database);
    const refused = await send(note, key);
    expectProblem(refused, "operation_in_progress", 409);
    expect(refused.headers.get("retry-after")).toBe("1");
    await first;
    expectDone(await send(note, key), 201);
  });
});

describe("the database after all faults", () => {
  test("holds every invariant", async () => {
    await expectInvariantsHold(api.database);
  });
});
