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
import { eventsOf, expectHistoryTells, givenOpenEval } from "./support.ts";

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

describe("one evaluation over many tasks", () => {
  it("opens an eval on each task that has none of its name, running, and records there", async () => {
    const [one = "", other = ""] = await api.givenTasks(2);
    const recorded = expectDone(
      await record([
        result(one),
        result(one, { k: 2, passed: false, score: 0.1 }),
        result(other, { model: "thinker", modelRevision: "r2", passed: undefined, error: "Lost" }),
        result(crypto.randomUUID()),
        result("ext:nobody"),
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
    const { trials } = await expectHistoryTells(api, opened?.id ?? "");
    expect(trials.map(({ id }) => id)).toEqual(
      recorded.items.slice(0, 2).map(({ trialId }) => trialId),
    );
    const [others] = await evalsOf(other);
    expect((await expectHistoryTells(api, others?.id ?? "")).trials).toMatchObject([
      { model: "thinker", modelRevision: "r2", status: "errored", error: "Lost", score: null },
    ]);
  });

  it("records in the eval that is there, and moves no status", async () => {
    const { id, taskId } = await givenOpenEval(api, { k: 2, status: "completed" });
    const recorded = expectDone(await record([result(taskId)]));
    expect(recorded.items).toMatchObject([{ outcome: "recorded", evalId: id }]);
    expect(await evalsOf(taskId)).toMatchObject([{ id, status: "completed" }]);
    expect((await eventsOf(api, id)).at(-1)).toMatchObject({ type: "trials_recorded" });
  });

  it("opens another where the one of its name was cancelled or is of an older version", async () => {
    const { id, taskId } = await givenOpenEval(api, { k: 2, status: "cancelled" });
    expectDone(await record([result(taskId)]));
    expect((await evalsOf(taskId)).map(({ status }) => status)).toEqual(["running", "cancelled"]);
    const version = { content: { brief: "Anew" }, reason: "Better" };
    expectDone(await api.call("POST", `/tasks/${taskId}/versions`, { body: version }), 201);
    expectDone(await record([result(taskId)]));
    const evals = await evalsOf(taskId);
    expect(evals.map(({ versionNumber }) => versionNumber)).toEqual([2, 1, 1]);
    expect(evals.at(-1)?.id).toBe(id);
  });

  it("tells what is there already, and what contradicts it", async () => {
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
    expect(against.items[0]?.detail).toContain("another revision (r1)");
    const otherK = expectDone(await record([result(task)], { k: 1 }));
    expect(otherK.items).toMatchObject([
      { outcome: "conflict", detail: expect.stringContaining("k = 2") },
    ]);
  });

  it("does not open an eval on an archived task", async () => {
    const { id } = await api.givenTask();
    expectDone(await api.call("POST", `/tasks/${id}/archive`, { body: {} }));
    expect(outcomesOf(expectDone(await record([result(id)])))).toEqual(["conflict"]);
    expect(await evalsOf(id)).toEqual([]);
  });

  it("keeps what a trial used as an insight, beyond its retraction", async () => {
    const [task = ""] = await api.givenTasks(1);
    const usage = { inputTokens: 412, costUsd: 0.002 };
    const made = expectDone(
      await record([
        result(task, { usage, modelRevision: "r1" }),
        result(task, { k: 2, passed: undefined, error: "Lost", usage: { latencyMs: 9 } }),
      ]),
    );
    const [{ trialId = "", evalId = "" } = {}] = made.items;
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
    const anew = expectDone(await record([result(task, { passed: false, modelRevision: "r2" })]));
    expect(outcomesOf(anew)).toEqual(["recorded"]);
  });

  it("names an output of its own task alone", async () => {
    const [one, other] = [await api.givenTask(), await api.givenTask()];
    const output = await givenDatum(api, one, { kind: "generated", stored: true });
    const outputDataId = output.id;
    const recorded = expectDone(
      await record([result(one.id, { outputDataId }), result(other.id, { outputDataId })]),
    );
    expect(outcomesOf(recorded)).toEqual(["recorded", "not_found"]);
    const { trials } = await expectHistoryTells(api, recorded.items[0]?.evalId ?? "");
    expect(trials).toMatchObject([{ outputDataId }]);
    expect(await evalsOf(other.id)).toEqual([]);
  });

  it("refuses the call where a result says nothing, too much, or is beyond k", async () => {
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

  it("takes a thousand tasks in two round trips, and repeats its answer under its key", async () => {
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

  it("opens one eval where many clients record at once, and records each slot once", async () => {
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
      await expectHistoryTells(api, evals[0]?.id ?? "");
    }
  });
});

describe("an evaluation whose trials are all in", () => {
  const whole = { complete: true };
  const theEvalOf = async (task: string) => {
    const [found] = await evalsOf(task);
    return found ?? expect.fail("The task has no eval");
  };

  it("is completed on each task, by an event of its own after that of the trials", async () => {
    const tasks = await api.givenTasks(3);
    const results = tasks.flatMap((task) => [result(task), result(task, { k: 2, passed: false })]);
    const answers: Awaited<ReturnType<typeof record>>[] = [];
    const trips = await api.roundTripsOf(async () => answers.push(await record(results, whole)));
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
      expect((await expectHistoryTells(api, id)).trials).toHaveLength(2);
    }
  });

  it("is completed once: a repeat finds it so, and trials are still taken", async () => {
    const [task = ""] = await api.givenTasks(1);
    const results = [result(task)];
    expectDone(await record(results));
    expect(await theEvalOf(task)).toMatchObject({ status: "running", eventSeq: 2 });

    const told = expectDone(await record(results, whole));
    expect(told.counts).toMatchObject({ recorded: 0, exists: 1 });
    expect(await theEvalOf(task)).toMatchObject({ status: "completed", eventSeq: 3 });
    expect(expectDone(await record(results, whole))).toEqual(told);
    expect(await theEvalOf(task)).toMatchObject({ status: "completed", eventSeq: 3 });

    const late = expectDone(await record([result(task, { k: 2 })], whole));
    expect(outcomesOf(late)).toEqual(["recorded"]);
    const { id, status, eventSeq } = await theEvalOf(task);
    expect([status, eventSeq]).toEqual(["completed", 4]);
    expect((await eventsOf(api, id)).map(({ type }) => type)).toEqual([
      "eval_created",
      "trials_recorded",
      "eval_transitioned",
      "trials_recorded",
    ]);
    await expectHistoryTells(api, id);
  });

  it("answers a repeat under its key as the first time, and refuses the key for less", async () => {
    const [task = ""] = await api.givenTasks(1);
    const options = { ...whole, idempotencyKey: "whole" };
    const first = await record([result(task)], options);
    const repeat = await record([result(task)], options);
    expect(expectDone(first).counts).toMatchObject({ recorded: 1 });
    expect(repeat.text).toBe(first.text);
    expect(repeat.headers.get("idempotency-replayed")).toBe("true");
    const less = await record([result(task)], { ...options, complete: false });
    expectProblem(less, "idempotency_key_reused", 422);
    expect(await theEvalOf(task)).toMatchObject({ status: "completed", eventSeq: 3 });
  });

  test.each(EVAL_STATUSES)("moves from %s along the table of evals alone", async (status) => {
    const { id, taskId } = await givenOpenEval(api, { k: 2, status });
    expectDone(await record([result(taskId)], whole));
    const expected = EVAL_TRANSITIONS[status].includes("completed") ? "completed" : status;
    const found = await api.call<EvalRecord>("GET", `/evals/${id}`);
    expect(expectDone(found).status).toBe(expected);
    await expectHistoryTells(api, id);
  });

  it("leaves alone what none of its results is of", async () => {
    const [contradicted = "", otherK = "", archived = ""] = await api.givenTasks(3);
    expectDone(await record([result(contradicted)]));
    expectDone(await record([result(otherK)], { k: 3 }));
    expectDone(await api.call("POST", `/tasks/${archived}/archive`, { body: {} }));
    const results = [result(contradicted, { passed: false }), result(otherK), result(archived)];
    const told = expectDone(await record([...results, result(crypto.randomUUID())], whole));
    expect(outcomesOf(told)).toEqual(["conflict", "conflict", "conflict", "not_found"]);
    for (const task of [contradicted, otherK]) {
      expect(await theEvalOf(task)).toMatchObject({ status: "running", eventSeq: 2 });
    }
    expect(await evalsOf(archived)).toEqual([]);
  });

  it("is completed once where many clients say so at once, and loses none of their trials", async () => {
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
        { ...evaluation, ...whole },
      ),
    );
    const done = answers.map((answer) => expectDone(answer));
    expect(done.every(({ counts }) => counts.recorded + counts.exists === 5)).toBe(true);
    for (const task of tasks) {
      const { id, status } = await theEvalOf(task);
      expect(status).toBe("completed");
      const { trials } = await expectHistoryTells(api, id);
      expect(trials).toHaveLength(4);
      const types = (await eventsOf(api, id)).map(({ type }) => type);
      expect(types.filter((type) => type === "eval_transitioned")).toHaveLength(1);
    }
  });

  it("is told to complete with a boolean alone", async () => {
    const [task = ""] = await api.givenTasks(1);
    for (const complete of ["true", 1, null]) {
      const body = { name: "accuracy", k: 1, results: [result(task)], complete };
      const refused = await api.call("POST", "/evals/record", { body });
      const { issues } = expectProblem(refused, "validation_failed", 400);
      expect(issues).toMatchObject([{ path: ["complete"] }]);
    }
    expect(await evalsOf(task)).toEqual([]);
  });
});
