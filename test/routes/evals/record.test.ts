import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import type { RecordedEvaluation } from "../../../src/actions/evals/record-evaluation.ts";
import type { EvalRecord } from "../../../src/db/evals/eval-json.ts";
import { EVAL_TRANSITIONS } from "../../../src/domain/evals/transitions.ts";
import { EVAL_STATUSES } from "../../../src/domain/evals/statuses.ts";
import {
  type CallOptions,
  expectDone,
  expectProblem,
  freshApi,
  type TestApi,
} from "../../support/api.ts";
import { givenDatum } from "../../support/lineage.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import { inParallel } from "../../support/model/load.ts";
import { eventsOf, expectHistoryMatches, givenOpenEval } from "./support.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});
afterAll(() => expectInvariantsHold(api.database));

const result = (task: string, more: object = {}) => ({
  task,
  model: "solver",
  k: 1,
  passed: true,
  ...more,
});
const record = (
  results: readonly object[],
  {
    name = "accuracy",
    k = 2,
    complete,
    ...options
  }: { name?: string; k?: number; complete?: boolean } & CallOptions = {},
) =>
  api.call<RecordedEvaluation>("POST", "/evals/record", {
    ...options,
    body: { name, k, results, complete },
  });
const outcomesOf = ({ items }: RecordedEvaluation) => items.map(({ outcome }) => outcome);
const evalsOf = async (task: string) =>
  expectDone(await api.call<{ data: EvalRecord[] }>("GET", `/evals?task=${task}`)).data;

describe("Recording an evaluation", () => {
  it("creates a running eval on each task that has none with its name", async () => {
    const [one = "", other = ""] = await api.givenTasks(2);
    const recorded = expectDone(
      await record([
        result(one),
        result(one, { k: 2, passed: false, score: 0.1 }),
        result(other, { model: "thinker", modelRevision: "r2", passed: undefined, error: "Lost" }),
        result(crypto.randomUUID()),
        result("ext:unknown"),
      ]),
    );
    expect(recorded.counts).toEqual({
      requested: 5,
      recorded: 3,
      exists: 0,
      conflict: 0,
      not_found: 2,
    });
    expect(outcomesOf(recorded)).toEqual([
      "recorded",
      "recorded",
      "recorded",
      "not_found",
      "not_found",
    ]);
    const [opened] = await evalsOf(one);
    expect(opened).toMatchObject({ name: "accuracy", k: 2, status: "running", eventSeq: 2 });
    expect(recorded.items[0]).toMatchObject({ evalId: opened?.id });
    const { trials } = await expectHistoryMatches(api, opened?.id ?? "");
    expect(trials.map(({ id }) => id)).toEqual(
      recorded.items.slice(0, 2).map(({ trialId }) => trialId),
    );
    const [others] = await evalsOf(other);
    expect((await expectHistoryMatches(api, others?.id ?? "")).trials).toMatchObject([
      { model: "thinker", modelRevision: "r2", status: "errored", error: "Lost", score: null },
    ]);
  });

  it("uses an existing eval and does not change its status", async () => {
    const { id, taskId } = await givenOpenEval(api, { k: 2, status: "completed" });
    const recorded = expectDone(await record([result(taskId)]));
    expect(recorded.items).toMatchObject([{ outcome: "recorded", evalId: id }]);
    expect(await evalsOf(taskId)).toMatchObject([{ id, status: "completed" }]);
    expect((await eventsOf(api, id)).at(-1)).toMatchObject({ type: "trials_recorded" });
  });

  it("creates another eval if the existing one is cancelled or belongs to an older version", async () => {
    const { id, taskId } = await givenOpenEval(api, { k: 2, status: "cancelled" });
    expectDone(await record([result(taskId)]));
    expect((await evalsOf(taskId)).map(({ status }) => status)).toEqual(["running", "cancelled"]);
    const version = { content: { brief: "A new brief" }, reason: "Better" };
    expectDone(await api.call("POST", `/tasks/${taskId}/versions`, { body: version }), 201);
    expectDone(await record([result(taskId)]));
    const evals = await evalsOf(taskId);
    expect(evals.map(({ versionNumber }) => versionNumber)).toEqual([2, 1, 1]);
    expect(evals.at(-1)?.id).toBe(id);
  });

  it("returns `exists` for a repeated result and `conflict` for a contradicting one", async () => {
    const [task = ""] = await api.givenTasks(1);
    const results = [result(task, { modelRevision: "r1" }), result(task, { k: 2 })];
    expectDone(await record(results));
    const again = expectDone(await record(results));
    expect(again.counts).toMatchObject({ recorded: 0, exists: 2 });
    const against = expectDone(
      await record([
        result(task, { modelRevision: "r2" }),
        result(task, { k: 2, passed: false }),
        result(task, { model: "thinker" }),
      ]),
    );
    expect(outcomesOf(against)).toEqual(["conflict", "conflict", "recorded"]);
    expect(against.items[0]).toMatchObject({ trialId: again.items[0]?.trialId });
    expect(against.items[0]).toMatchObject({
      existing: { id: again.items[0]?.trialId },
      differs: [{ field: "modelRevision", existing: "r1", reported: "r2" }],
    });
    const smallerK = expectDone(await record(results.slice(0, 1), { k: 1 }));
    expect(outcomesOf(smallerK)).toEqual(["exists"]);
    expect(await evalsOf(task)).toMatchObject([{ k: 2 }]);
  });

  it("does not create an eval on an archived task", async () => {
    const { id } = await api.givenTask();
    expectDone(await api.call("POST", `/tasks/${id}/archive`, { body: {} }));
    expect(outcomesOf(expectDone(await record([result(id)])))).toEqual(["conflict"]);
    expect(await evalsOf(id)).toEqual([]);
  });

  it("stores a trial's usage as an insight, which outlives the trial's retraction", async () => {
    const [task = ""] = await api.givenTasks(1);
    const usage = { inputTokens: 412, costUsd: 0.002 };
    const recorded = expectDone(
      await record([
        result(task, { usage, modelRevision: "r1" }),
        result(task, { k: 2, passed: undefined, error: "Lost", usage: { latencyMs: 9 } }),
      ]),
    );
    const [{ trialId = "", evalId = "" } = {}] = recorded.items;
    const body = { reason: "Wrong prompt" };
    expectDone(await api.call("POST", `/trials/${trialId}/retract`, { body }));
    const kept = await api.call<{ data: object[] }>("GET", `/insights?evalId=${evalId}`);
    const { data } = expectDone(kept);
    expect(data).toHaveLength(2);
    expect(data).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          taskId: task,
          trialId,
          kind: "trial",
          model: "solver",
          modelRevision: "r1",
          status: "SUCCEEDED",
          usage,
        }),
        expect.objectContaining({ status: "FAILED", usage: { latencyMs: 9 } }),
      ]),
    );
    const again = expectDone(await record([result(task, { passed: false, modelRevision: "r2" })]));
    expect(outcomesOf(again)).toEqual(["recorded"]);
  });

  it("accepts as an output only data of the result's own task", async () => {
    const [one, other] = [await api.givenTask(), await api.givenTask()];
    const output = await givenDatum(api, one, { kind: "generated", stored: true });
    const outputDataId = output.id;
    const recorded = expectDone(
      await record([result(one.id, { outputDataId }), result(other.id, { outputDataId })]),
    );
    expect(outcomesOf(recorded)).toEqual(["recorded", "not_found"]);
    const { trials } = await expectHistoryMatches(api, recorded.items[0]?.evalId ?? "");
    expect(trials).toMatchObject([{ outputDataId }]);
    expect(await evalsOf(other.id)).toEqual([]);
  });

  it("rejects results without a verdict, with a contradiction, or with a trial number above k", async () => {
    const [task = ""] = await api.givenTasks(1);
    for (const [more, path] of [
      [{ passed: undefined }, ["results", 0, "passed"]],
      [{ error: "Lost" }, ["results", 0, "error"]],
      [{ k: 3 }, ["results", 0, "k"]],
    ] as const) {
      const problem = expectProblem(await record([result(task, more)]), "validation_failed", 400);
      expect(problem.issues).toMatchObject([{ path }]);
    }
    const many = Array.from({ length: 1001 }, () => result(task));
    expectProblem(await record(many), "too_many_items", 400);
    expect(await evalsOf(task)).toEqual([]);
  });

  it("takes two round trips for a thousand tasks, and is idempotent with a key", async () => {
    const tasks = [...(await api.givenTasks(500)), ...(await api.givenTasks(500))];
    const results = tasks.map((task, index) => result(task, { passed: index % 3 === 0 }));
    const options = { name: "thousand", k: 1, idempotencyKey: "a-thousand" };
    const answers: Awaited<ReturnType<typeof record>>[] = [];
    const trips = await api.roundTripsOf(async () => answers.push(await record(results, options)));
    expect(trips).toBe(2);
    const [first] = answers;
    expect(first === undefined ? null : expectDone(first).counts).toMatchObject({ recorded: 1000 });
    const repeat = await record(results, options);
    expect(repeat.text).toBe(first?.text);
    expect(repeat.headers.get("idempotency-replayed")).toBe("true");
    expectProblem(await record(results.slice(1), options), "idempotency_key_reused", 422);
  });

  it("creates one eval per task and records each trial once for concurrent clients", async () => {
    const tasks = await api.givenTasks(5);
    const answers = await inParallel({ count: 16, clients: 16 }, (index) =>
      record(
        tasks.map((task) => result(task, { k: (index % 4) + 1 })),
        { name: "crowded", k: 4 },
      ),
    );
    const done = answers.map((answer) => expectDone(answer));
    const recorded = done.reduce((sum, { counts }) => sum + counts.recorded, 0);
    expect(recorded).toBe(5 * 4);
    expect(done.every(({ counts }) => counts.recorded + counts.exists === 5)).toBe(true);
    for (const task of tasks) {
      const evals = await evalsOf(task);
      expect(evals).toHaveLength(1);
      await expectHistoryMatches(api, evals[0]?.id ?? "");
    }
  });
});

describe("Completing an evaluation", () => {
  const completing = { complete: true };
  const theEvalOf = async (task: string) => {
    const [found] = await evalsOf(task);
    return found ?? expect.fail("The task has no eval");
  };

  it("completes the eval of each task, by a separate event after that of the trials", async () => {
    const tasks = await api.givenTasks(3);
    const results = tasks.flatMap((task) => [result(task), result(task, { k: 2, passed: false })]);
    const answers: Awaited<ReturnType<typeof record>>[] = [];
    const trips = await api.roundTripsOf(async () =>
      answers.push(await record(results, completing)),
    );
    expect(trips).toBe(2);
    expect(answers[0]?.body.counts).toMatchObject({ requested: 6, recorded: 6 });
    for (const task of tasks) {
      const { id, status, eventSeq } = await theEvalOf(task);
      expect([status, eventSeq]).toEqual(["completed", 3]);
      expect(await eventsOf(api, id)).toMatchObject([
        { type: "eval_created", from: null, to: "running" },
        { type: "trials_recorded", from: "running", to: "running" },
        { type: "eval_transitioned", from: "running", to: "completed", trialId: null },
      ]);
      expect((await expectHistoryMatches(api, id)).trials).toHaveLength(2);
    }
  });

  it("completes an eval once, and still accepts trials afterwards", async () => {
    const [task = ""] = await api.givenTasks(1);
    const results = [result(task)];
    expectDone(await record(results));
    expect(await theEvalOf(task)).toMatchObject({ status: "running", eventSeq: 2 });

    const completed = expectDone(await record(results, completing));
    expect(completed.counts).toMatchObject({ recorded: 0, exists: 1 });
    expect(await theEvalOf(task)).toMatchObject({ status: "completed", eventSeq: 3 });
    expect(expectDone(await record(results, completing))).toEqual(completed);
    expect(await theEvalOf(task)).toMatchObject({ status: "completed", eventSeq: 3 });

    const late = expectDone(await record([result(task, { k: 2 })], completing));
    expect(outcomesOf(late)).toEqual(["recorded"]);
    const { id, status, eventSeq } = await theEvalOf(task);
    expect([status, eventSeq]).toEqual(["completed", 4]);
    expect((await eventsOf(api, id)).map(({ type }) => type)).toEqual([
      "eval_created",
      "trials_recorded",
      "eval_transitioned",
      "trials_recorded",
    ]);
    await expectHistoryMatches(api, id);
  });

  it("returns the same response to a retry with its key, and rejects the key without `complete`", async () => {
    const [task = ""] = await api.givenTasks(1);
    const options = { ...completing, idempotencyKey: "completing" };
    const first = await record([result(task)], options);
    const repeat = await record([result(task)], options);
    expect(expectDone(first).counts).toMatchObject({ recorded: 1 });
    expect(repeat.text).toBe(first.text);
    expect(repeat.headers.get("idempotency-replayed")).toBe("true");
    const incomplete = await record([result(task)], { ...options, complete: false });
    expectProblem(incomplete, "idempotency_key_reused", 422);
    expect(await theEvalOf(task)).toMatchObject({ status: "completed", eventSeq: 3 });
  });

  test.each(EVAL_STATUSES)(
    "leaves an eval in %s unless its table allows completion",
    async (status) => {
      const { id, taskId } = await givenOpenEval(api, { k: 2, status });
      expectDone(await record([result(taskId)], completing));
      const expected = EVAL_TRANSITIONS[status].includes("completed") ? "completed" : status;
      const found = await api.call<EvalRecord>("GET", `/evals/${id}`);
      expect(expectDone(found).status).toBe(expected);
      await expectHistoryMatches(api, id);
    },
  );

  it("does not complete evals that have none of the results, or a larger k", async () => {
    const [contradicted = "", largerK = "", archived = ""] = await api.givenTasks(3);
    expectDone(await record([result(contradicted)]));
    expectDone(await record([result(largerK)], { k: 3 }));
    expectDone(await api.call("POST", `/tasks/${archived}/archive`, { body: {} }));
    const results = [result(contradicted, { passed: false }), result(largerK), result(archived)];
    const recorded = expectDone(
      await record([...results, result(crypto.randomUUID())], completing),
    );
    expect(outcomesOf(recorded)).toEqual(["conflict", "exists", "conflict", "not_found"]);
    for (const task of [contradicted, largerK]) {
      expect(await theEvalOf(task)).toMatchObject({ status: "running", eventSeq: 2 });
    }
    expect(await evalsOf(archived)).toEqual([]);
  });

  it("completes each eval once for concurrent clients, and records all their trials", async () => {
    const tasks = await api.givenTasks(5);
    const evaluation = { name: "crowded to the end", k: 4 };
    expectDone(
      await record(
        tasks.map((task) => result(task)),
        evaluation,
      ),
    );
    const answers = await inParallel({ count: 16, clients: 16 }, (index) =>
      record(
        tasks.map((task) => result(task, { k: (index % 4) + 1 })),
        { ...evaluation, ...completing },
      ),
    );
    const done = answers.map((answer) => expectDone(answer));
    expect(done.every(({ counts }) => counts.recorded + counts.exists === 5)).toBe(true);
    for (const task of tasks) {
      const { id, status } = await theEvalOf(task);
      expect(status).toBe("completed");
      const { trials } = await expectHistoryMatches(api, id);
      expect(trials).toHaveLength(4);
      const types = (await eventsOf(api, id)).map(({ type }) => type);
      expect(types.filter((type) => type === "eval_transitioned")).toHaveLength(1);
    }
  });

  it("requires `complete` to be a boolean", async () => {
    const [task = ""] = await api.givenTasks(1);
    for (const complete of ["true", 1]) {
      const body = { name: "accuracy", k: 1, results: [result(task)], complete };
      const rejected = await api.call("POST", "/evals/record", { body });
      const { issues } = expectProblem(rejected, "validation_failed", 400);
      expect(issues).toMatchObject([{ path: ["complete"] }]);
    }
    expect(await evalsOf(task)).toEqual([]);
  });
});
