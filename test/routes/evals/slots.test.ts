import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import type { RecordedEvaluation } from "../../../src/actions/evals/record-evaluation.ts";
import type { EvalRecord } from "../../../src/db/evals/eval-json.ts";
import {
  type Answer,
  expectDone,
  expectProblem,
  freshApi,
  type TestApi,
} from "../../support/api.ts";
import { givenDatum } from "../../support/lineage.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import { inParallel, tally } from "../../support/model/load.ts";
import { eventsOf, expectHistoryMatches, givenOpenEval, givenTrial } from "./support.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});
afterAll(() => expectInvariantsHold(api.database));

const create = (task: string, body: object) =>
  api.call<EvalRecord>("POST", `/tasks/${task}/evals`, { body: { name: "n", k: 2, ...body } });
const change = (evalId: string, body: object) =>
  api.call<EvalRecord>("PATCH", `/evals/${evalId}`, { body });
const record = (task: string, results: readonly object[], body: object = {}) =>
  api.call<RecordedEvaluation>("POST", "/evals/record", {
    body: {
      name: "n",
      k: 2,
      ...body,
      results: results.map((one) => ({ task, model: "m", k: 1, ...one })),
    },
  });
const post = (evalId: string, body: object) =>
  api.call("POST", `/evals/${evalId}/trials`, { body });
const evalsOf = async (task: string) =>
  expectDone(await api.call<{ data: EvalRecord[] }>("GET", `/evals?task=${task}`)).data;
const givenTaskId = async () => (await api.givenTask()).id;

describe("slotBy", () => {
  it("is the model alone by default, and has one order", async () => {
    const opened = expectDone(await create(await givenTaskId(), {}), 201);
    expect(opened).toMatchObject({ slotBy: ["model"], twinOf: null });
    const slotBy = ["agentRevision", "model", "agent"];
    const other = expectDone(await create(await givenTaskId(), { slotBy }), 201);
    expect(other.slotBy).toEqual(["model", "agent", "agentRevision"]);
    expect((await eventsOf(api, other.id))[0]?.payload).toMatchObject({ slotBy: other.slotBy });
    await expectHistoryMatches(api, other.id);
  });

  test.each([[[]], [["agent"]], [["model", "model"]], [["model", "k"]], ["model"]])(
    "cannot be %j",
    async (slotBy) => {
      const task = await givenTaskId();
      expectProblem(await create(task, { slotBy }), "validation_failed", 400);
      expectProblem(await record(task, [{ passed: true }], { slotBy }), "validation_failed", 400);
    },
  );

  it("gives each agent a slot, also without an agent, and every other member none", async () => {
    const task = await givenTaskId();
    const slotBy = ["model", "agent"];
    const agents = [{ agent: "x" }, { agent: "y" }, {}, { agent: '["m", "x"]' }];
    const results = agents.map((agent) => ({ ...agent, passed: true }));
    const first = expectDone(await record(task, results, { slotBy }));
    expect(first.counts).toMatchObject({ recorded: 4 });
    expect(expectDone(await record(task, results)).counts).toMatchObject({ exists: 4 });
    const [opened] = await evalsOf(task);
    expect(opened?.slotBy).toEqual(slotBy);
    const revised = { k: 1, model: "m", agent: "x", modelRevision: "r2", passed: true };
    expect(expectProblem(await post(opened?.id ?? "", revised), "conflict", 409)).toMatchObject({
      existing: { id: first.items[0]?.trialId },
      differs: [{ field: "modelRevision", existing: null, reported: "r2" }],
    });
    await givenTrial(api, opened?.id ?? "", { model: "m", agent: "z" });
    await expectHistoryMatches(api, opened?.id ?? "");
  });

  it("of an existing eval must be the one that a record names", async () => {
    const task = await givenTaskId();
    expectDone(await record(task, [{ passed: true }], { slotBy: ["model", "agent"] }));
    const other = { slotBy: ["model", "provider"] };
    const refused = expectDone(
      await record(task, [{ k: 2, passed: true }, { passed: true }], other),
    );
    expect(refused.items).toMatchObject([{ outcome: "conflict" }, { outcome: "conflict" }]);
    expect(refused.items[0]?.detail).toContain("slotBy model, agent.");
    const same = await record(task, [{ k: 2, passed: true }], { slotBy: ["agent", "model"] });
    expect(expectDone(same).counts).toMatchObject({ recorded: 1 });
  });

  it("has room for the longest names", async () => {
    const slotBy = ["model", "modelRevision", "agent", "agentRevision", "provider"];
    const long = (letter: string) => letter.repeat(200);
    const maker = { modelRevision: long("字"), agent: long("漢"), provider: long("語") };
    const result = { model: long("模"), ...maker, agentRevision: "文".repeat(60), passed: true };
    const task = await givenTaskId();
    expect(expectDone(await record(task, [result], { slotBy })).counts).toMatchObject({
      recorded: 1,
    });
    expect(expectDone(await record(task, [result])).counts).toMatchObject({ exists: 1 });
    const tooLong = [{ ...result, agentRevision: "文".repeat(61) }];
    expectProblem(await record(task, tooLong), "validation_failed", 400);
  });
});

describe("A result on a taken slot", () => {
  const usage = { tokens: 7, cost: { usd: 0.25 } };
  const full = {
    modelRevision: "r1",
    agent: "planner",
    agentRevision: "a1",
    provider: "the lab",
    passed: true,
    score: 0.5,
    usage,
  };
  const fields: [field: string, change: object, existing: unknown, reported: unknown][] = [
    ["modelRevision", { modelRevision: "r2" }, "r1", "r2"],
    ["agent", { agent: "another" }, "planner", "another"],
    ["agent", { agent: undefined }, "planner", null],
    ["agentRevision", { agentRevision: "a2" }, "a1", "a2"],
    ["provider", { provider: undefined }, "the lab", null],
    ["status", { passed: false }, "passed", "failed"],
    ["score", { score: 0.25 }, 0.5, 0.25],
    ["score", { score: undefined }, 0.5, null],
    ["score", { score: 0 }, 0.5, 0],
    [
      "usage",
      { usage: { tokens: 8, cost: { usd: 0.25 } } },
      usage,
      { tokens: 8, cost: { usd: 0.25 } },
    ],
    ["usage", { usage: { ...usage, more: null } }, usage, { ...usage, more: null }],
    ["usage", { usage: undefined }, usage, null],
  ];

  test.each(fields)(
    "with another %s is a conflict: %j",
    async (field, other, existing, reported) => {
      const task = await givenTaskId();
      const [{ trialId = "" } = {}] = expectDone(await record(task, [full])).items;
      const answer = expectDone(await record(task, [{ ...full, ...other }, full]));
      expect(answer.items).toMatchObject([
        {
          outcome: "conflict",
          trialId,
          existing: { id: trialId },
          differs: [{ field, existing, reported }],
        },
        { outcome: "exists", trialId },
      ]);
      expect(answer.items[0]?.differs).toHaveLength(1);
    },
  );

  it("with another error, output or usage than nothing is a conflict", async () => {
    const task = await api.givenTask();
    const [one, other] = [
      await givenDatum(api, task, { kind: "generated", stored: true }),
      await givenDatum(api, task, { kind: "source", stored: true }),
    ];
    const first = [{ error: "Lost" }, { k: 2, passed: true, outputDataId: one.id }];
    expectDone(await record(task.id, first));
    const second = [
      { error: "Out of memory" },
      { k: 2, passed: true, outputDataId: other.id },
      { error: "Lost", usage: {} },
    ];
    const { items } = expectDone(await record(task.id, second));
    expect(items.map(({ differs }) => differs)).toEqual([
      [{ field: "error", existing: "Lost", reported: "Out of memory" }],
      [{ field: "outputDataId", existing: one.id, reported: other.id }],
      [{ field: "usage", existing: null, reported: {} }],
    ]);
    expect(expectDone(await record(task.id, first)).counts).toMatchObject({ exists: 2 });
  });

  it("that differs from another one of the same call is a conflict too", async () => {
    const results = [full, { ...full, usage: { tokens: 8 } }, full];
    const { items } = expectDone(await record(await givenTaskId(), results));
    expect(items.map(({ outcome }) => outcome)).toEqual(["recorded", "conflict", "exists"]);
  });

  it("shows long texts cut", async () => {
    const task = await givenTaskId();
    expectDone(await record(task, [{ error: "🙂".repeat(1000) }]));
    const { items } = expectDone(await record(task, [{ error: "Lost" }]));
    const existing = String(items[0]?.differs?.[0]?.existing);
    expect(existing).toBe(`${"🙂".repeat(250)}…`);
  });

  it("as a single trial gets 409 with what differs, and no revision that nobody sent", async () => {
    const { id } = await givenOpenEval(api);
    const holder = await givenTrial(api, id, { agent: "planner", score: 0.5 });
    const slot = { k: 1, model: "solver" };
    const other = expectProblem(
      await post(id, { ...slot, agent: "x", score: 0.5 }),
      "conflict",
      409,
    );
    expect(other).toMatchObject({
      existing: { id: holder.id },
      differs: [{ field: "agent", existing: "planner", reported: "x" }],
    });
    expect(other).not.toHaveProperty("taken");
    expect(other.detail).toContain("another agent");
    expect(other.detail).not.toContain("evision");
    const equal = { ...slot, agent: "planner", score: 0.5 };
    const same = expectProblem(await post(id, equal), "conflict", 409);
    expect(same).toMatchObject({ existing: { id: holder.id }, differs: [] });
    const trials = [{ ...slot, k: 2 }, equal, { ...equal, model: "free" }];
    const list = expectProblem(await post(id, { trials }), "conflict", 409);
    expect(list).toMatchObject({ taken: [{ index: 1, outcome: "exists", differs: [] }] });
    expect((await expectHistoryMatches(api, id)).trials).toHaveLength(1);
  });
});

describe("The name of an eval", () => {
  it("is taken in its version until the eval is cancelled", async () => {
    const task = await givenTaskId();
    const first = expectDone(await create(task, {}), 201);
    const second = expectProblem(await create(task, { k: 9 }), "conflict", 409);
    expect(second).toMatchObject({ existing: { id: first.id } });
    expectDone(await create(task, { name: "another" }), 201);
    const version = { content: { brief: "A new brief" }, reason: "Better" };
    expectDone(await api.call("POST", `/tasks/${task}/versions`, { body: version }), 201);
    expectDone(await create(task, {}), 201);
    expectProblem(await create(task, { versionNumber: 1 }), "conflict", 409);
    expectDone(await change(first.id, { status: "cancelled" }));
    expectDone(await create(task, { versionNumber: 1 }), 201);
  });

  it("goes to one of many simultaneous calls, and the others get its eval", async () => {
    const task = await givenTaskId();
    const answers = await inParallel(
      { count: 12, clients: 12 },
      (index): Promise<Answer<unknown>> =>
        index % 3 === 0 ? record(task, [{ model: `m${index}`, passed: true }]) : create(task, {}),
    );
    const evals = await evalsOf(task);
    expect(evals).toHaveLength(1);
    const statuses = tally(answers.map(({ status }) => status));
    expect(statuses["200"]).toBe(4);
    for (const answer of answers.filter(({ status }) => status === 409)) {
      const problem = expectProblem(answer, "conflict", 409);
      expect(problem).toMatchObject({ existing: { id: evals[0]?.id } });
    }
    expect((await expectHistoryMatches(api, evals[0]?.id ?? "")).trials).toHaveLength(4);
  });
});

describe("k", () => {
  it("can be raised, also with a status, and never lowered", async () => {
    const { id } = await givenOpenEval(api, { k: 2 });
    const raised = expectDone(await change(id, { k: 4, reason: "Two more" }));
    expect(raised).toMatchObject({ k: 4, status: "draft", eventSeq: 2 });
    expect((await eventsOf(api, id)).at(-1)).toMatchObject({
      type: "eval_updated",
      reason: "Two more",
      payload: { changes: { k: { from: 2, to: 4 } } },
    });
    expect(expectProblem(await change(id, { k: 3 }), "conflict", 409)).toMatchObject({
      existing: { id },
      detail: expect.stringContaining("k = 4"),
    });
    expectProblem(await change(id, { k: 4 }), "already_in_status", 409);
    expectProblem(await change(id, {}), "validation_failed", 400);
    expectProblem(await change(id, { reason: "Why" }), "validation_failed", 400);
    expectProblem(await change(id, { k: 1001 }), "validation_failed", 400);
    const both = expectDone(await change(id, { k: 5, status: "queued" }));
    expect(both).toMatchObject({ k: 5, status: "queued", eventSeq: 4 });
    expect(expectDone(await change(id, { k: 6, status: "queued" }))).toMatchObject({ k: 6 });
    expectProblem(await change(id, { k: 7, status: "completed" }), "invalid_transition", 409);
    await givenTrial(api, id, { k: 6 });
    expectDone(await change(id, { status: "cancelled" }));
    expectProblem(await change(id, { k: 8 }), "conflict", 409);
    await expectHistoryMatches(api, id);
  });

  it("is raised by a record with a larger one, in two round trips", async () => {
    const task = await givenTaskId();
    expectDone(await record(task, [{ passed: true }]));
    const body = { k: 4, complete: true };
    const trips = await api.roundTripsOf(async () => {
      expectDone(await record(task, [{ passed: true }, { k: 4, passed: true }], body));
    });
    expect(trips).toBe(2);
    const [opened] = await evalsOf(task);
    expect(opened).toMatchObject({ k: 4, status: "completed" });
    expect((await eventsOf(api, opened?.id ?? "")).map(({ type }) => type)).toEqual([
      "eval_created",
      "trials_recorded",
      "eval_updated",
      "trials_recorded",
      "eval_transitioned",
    ]);
    await expectHistoryMatches(api, opened?.id ?? "");
    expectDone(await record(task, [{ k: 5, passed: false }, { passed: false }], { k: 5 }));
    expectDone(await record(task, [{ passed: false }], { k: 9 }));
    expect(await evalsOf(task)).toMatchObject([{ k: 5 }]);
  });

  const raises: [by: string, raise: (evalId: string, task: string) => Promise<Answer<unknown>>][] =
    [
      ["change", (evalId) => change(evalId, { k: 3 })],
      ["record", (_, task) => record(task, [{ k: 3, passed: true }], { k: 3 })],
    ];
  it.each(raises)("is not lowered by a %s that another call overtakes", async (_, raise) => {
    const { id, taskId } = await givenOpenEval(api, { name: "n", k: 1 });
    await api.database.faults({
      kind: "delay",
      delayMilliseconds: 400,
      sql: "insert into eval_step_events",
    });
    const raised = raise(id, taskId);
    await expect.poll(() => api.database.waitingFaults()).toBe(0);
    expectDone(await change(id, { k: 5 }));
    const { status } = await raised;
    expect([200, 409]).toContain(status);
    expect(await expectHistoryMatches(api, id)).toMatchObject({ k: 5 });
  });
});
