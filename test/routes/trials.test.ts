import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import type { TrialView } from "../../src/actions/views/eval-view.ts";
import { TRIAL_TRANSITIONS } from "../../src/domain/evals/transitions.ts";
import { EVAL_STATUSES, TRIAL_STATUSES } from "../../src/domain/evals/statuses.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../support/api.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { eventsOf, expectHistoryMatches, givenOpenEval, givenTrial } from "./evals/support.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});
afterAll(() => expectInvariantsHold(api.database));

const record = (evalId: string, body: object) =>
  api.call<TrialView>("POST", `/evals/${evalId}/trials`, { body });
const change = (trialId: string, body: object) =>
  api.call<TrialView>("PATCH", `/trials/${trialId}`, { body });
const retract = (trialId: string, body: object = { reason: "Wrong prompt" }) =>
  api.call<TrialView>("POST", `/trials/${trialId}/retract`, { as: "operator", body });
const manyOf = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ k: index + 1, model: "solver", passed: true }));

describe("Recording trials", () => {
  it("stores a trial with its maker and its result, and writes one event", async () => {
    const { id, taskId } = await givenOpenEval(api, { status: "running" });
    const maker = { model: "solver", modelRevision: "r1", agent: "planner", provider: "the lab" };
    const trial = await givenTrial(api, id, { ...maker, passed: false, score: 0.25 });
    expect(trial).toMatchObject({
      evalId: id,
      taskId,
      k: 1,
      ...maker,
      status: "failed",
      passed: false,
      score: 0.25,
      error: null,
      outputDataId: null,
      retractedAt: null,
      eventSeq: 4,
    });
    const event = (await eventsOf(api, id)).at(-1);
    expect(event).toMatchObject({
      type: "trials_recorded",
      from: "running",
      to: "running",
      trialId: null,
      payload: { trials: [{ id: trial.id, k: 1, ...maker, status: "failed", score: 0.25 }] },
      at: trial.createdAt,
    });
    await expectHistoryMatches(api, id);
  });

  it("accepts a status, a verdict, a score, an error, or none of them", async () => {
    const { id } = await givenOpenEval(api, { k: 5 });
    const statuses = [];
    for (const [index, result] of [
      {},
      { status: "running" },
      { passed: true },
      { score: 0.5 },
      { error: "Out of memory" },
    ].entries()) {
      const { status, passed } = await givenTrial(api, id, { k: index + 1, ...result });
      statuses.push([status, passed]);
    }
    expect(statuses).toEqual([
      ["pending", null],
      ["running", null],
      ["passed", true],
      ["scored", null],
      ["errored", null],
    ]);
  });

  it("accepts up to 1,000 trials, in order and with one event", async () => {
    const { id } = await givenOpenEval(api, { k: 1000 });
    const answer = await api.call<{ trials: TrialView[] }>("POST", `/evals/${id}/trials`, {
      body: { trials: manyOf(1000) },
    });
    const { trials } = expectDone(answer, 201);
    expect(trials.map(({ k }) => k)).toEqual(manyOf(1000).map(({ k }) => k));
    expect(await eventsOf(api, id)).toHaveLength(2);
    const tooMany = await api.call("POST", `/evals/${id}/trials`, {
      body: { trials: manyOf(1001) },
    });
    expect(expectProblem(tooMany, "too_many_items", 400)).toMatchObject({ max: 1000 });
  });

  test.each([
    ["a trial number above the eval's k", { k: 5, model: "solver" }, "out_of_range"],
    [
      "a verdict that contradicts the status",
      { k: 1, model: "m", passed: true, status: "failed" },
      "contradicts_status",
    ],
    [
      "an error on a trial that passed",
      { k: 1, model: "m", passed: true, error: "Lost" },
      "not_applicable",
    ],
    [
      "a score on an errored trial",
      { k: 1, model: "m", error: "Lost", score: 0.1 },
      "not_applicable",
    ],
  ])("rejects %s", async (_, trial, code) => {
    const { id } = await givenOpenEval(api);
    const single = expectProblem(await record(id, trial), "validation_failed", 400);
    expect(single.issues).toMatchObject([{ code }]);
    const trials = { trials: [{ k: 2, model: "other" }, trial] };
    const several = expectProblem(await record(id, trials), "validation_failed", 400);
    expect(several.issues).toMatchObject([{ path: ["trials", 1, expect.any(String)], code }]);
    expect(await eventsOf(api, id)).toHaveLength(1);
  });

  it("rejects a body that does not match the schema", async () => {
    const { id } = await givenOpenEval(api);
    for (const body of [
      {},
      { k: 1 },
      { k: 0, model: "m" },
      { trials: [] },
      { k: 1, model: "m", x: 1 },
    ]) {
      expectProblem(await record(id, body), "validation_failed", 400);
    }
  });

  it("returns 409 with the existing trial if a slot is taken, and records no other trial", async () => {
    const { id } = await givenOpenEval(api);
    const holder = await givenTrial(api, id, { modelRevision: "r1" });
    const other = {
      trials: [
        { k: 2, model: "solver" },
        { k: 1, model: "solver", modelRevision: "r2" },
      ],
    };
    const problem = expectProblem(await record(id, other), "conflict", 409);
    expect(problem).toMatchObject({ existing: { id: holder.id } });
    const differs = [{ field: "modelRevision", existing: "r1", reported: "r2" }];
    expect(problem).toMatchObject({
      differs,
      taken: [{ index: 1, outcome: "conflict", existing: { id: holder.id }, differs }],
    });
    expect((await expectHistoryMatches(api, id)).trials).toHaveLength(1);
    await givenTrial(api, id, { model: "another" });
  });

  test.each(EVAL_STATUSES)(
    "for an eval that is %s succeeds unless it is cancelled",
    async (status) => {
      const { id } = await givenOpenEval(api, { status });
      const answer = await record(id, { k: 1, model: "solver" });
      if (status === "cancelled") {
        expect(expectProblem(answer, "conflict", 409)).toMatchObject({ existing: { id } });
      } else {
        expectDone(answer, 201);
      }
    },
  );
});

describe("A trial", () => {
  const resultFor = (status: string) => {
    if (status === "errored") return { error: "Lost" };
    return status === "scored" ? { score: 0.5 } : { status };
  };

  test.each(TRIAL_STATUSES)("in %s can make only the transitions of its table", async (from) => {
    const { id } = await givenOpenEval(api, { k: TRIAL_STATUSES.length });
    const allowed = TRIAL_TRANSITIONS[from];
    const trials = await Promise.all(
      TRIAL_STATUSES.map((_, index) => givenTrial(api, id, { k: index + 1, ...resultFor(from) })),
    );
    for (const [index, to] of TRIAL_STATUSES.entries()) {
      const report = to === "scored" ? { status: to, score: 0.25 } : { status: to };
      const answer = await change(trials[index]?.id ?? "", report);
      if (to === from) expectProblem(answer, "already_in_status", 409);
      else if (allowed.includes(to)) expect(expectDone(answer)).toMatchObject({ status: to });
      else {
        const problem = expectProblem(answer, "invalid_transition", 409);
        expect(problem).toMatchObject({ from, to, allowed });
      }
    }
    await expectHistoryMatches(api, id);
  });

  it("that errored can run again and pass", async () => {
    const { id } = await givenOpenEval(api);
    const trial = await givenTrial(api, id, { error: "Out of memory" });
    expect(expectDone(await change(trial.id, { status: "running" }))).toMatchObject({
      error: null,
    });
    expect(expectDone(await change(trial.id, { passed: true, score: 1 }))).toMatchObject({
      status: "passed",
      passed: true,
      score: 1,
      createdAt: trial.createdAt,
    });
    expectProblem(await change(trial.id, {}), "validation_failed", 400);
  });

  it("of a cancelled eval cannot get a verdict, but can be retracted", async () => {
    const { id } = await givenOpenEval(api);
    const trial = await givenTrial(api, id);
    expectDone(await api.call("PATCH", `/evals/${id}`, { body: { status: "cancelled" } }));
    expectProblem(await change(trial.id, { passed: true }), "conflict", 409);
    expectDone(await retract(trial.id));
  });

  it("can be retracted with a reason and recorded again, and its insight stays", async () => {
    const { id, taskId } = await givenOpenEval(api, { status: "running" });
    const trial = await givenTrial(api, id, { passed: true });
    const body = { taskId, trialId: trial.id, kind: "completion", model: "solver" };
    const insight = expectDone(
      await api.call<{ id: string }>("POST", "/insights", { as: "service", body }),
      201,
    );
    expectProblem(await retract(trial.id, {}), "validation_failed", 400);
    expectProblem(await retract(trial.id, { reason: " " }), "validation_failed", 400);

    const retracted = expectDone(await retract(trial.id));
    expect(retracted).toMatchObject({
      id: trial.id,
      status: "passed",
      retractReason: "Wrong prompt",
      retractedAt: expect.any(String),
      retractedBy: expect.any(String),
    });
    expect((await eventsOf(api, id)).at(-1)).toMatchObject({
      type: "trial_retracted",
      trialId: trial.id,
      reason: "Wrong prompt",
      at: retracted.retractedAt,
      actor: { id: retracted.retractedBy, role: "operator" },
    });
    expectProblem(await retract(trial.id), "already_in_status", 409);
    expectProblem(await change(trial.id, { status: "running" }), "invalid_transition", 409);

    const again = await givenTrial(api, id, { passed: false });
    expect(again.id).not.toBe(trial.id);
    expectDone(await api.call("PATCH", `/evals/${id}`, { body: { status: "cancelled" } }));
    const state = await expectHistoryMatches(api, id);
    expect(state.trials.map(({ retracted }) => retracted)).toEqual([true, false]);
    const kept = await api.call<{ data: object[] }>("GET", `/insights?trialId=${trial.id}`);
    expect(expectDone(kept).data).toMatchObject([{ id: insight.id, evalId: id, status: "QUEUED" }]);
    const report = { as: "service", body: { status: "SUCCEEDED", output: "42" } } as const;
    expectDone(await api.call("PATCH", `/insights/${insight.id}`, report));
    await expectInvariantsHold(api.database);
  });

  it("is listed with its eval's trials, filtered by model, status, and retraction", async () => {
    const { id } = await givenOpenEval(api);
    const first = await givenTrial(api, id, { passed: true });
    const second = await givenTrial(api, id, { k: 2, passed: false });
    const third = await givenTrial(api, id, { model: "other" });
    expectDone(await retract(second.id));
    const list = async (query: string) => {
      const path = `/evals/${id}/trials?${query}`;
      return expectDone(
        await api.call<{ data: TrialView[]; nextCursor: string | null }>("GET", path),
      );
    };
    const ids = async (query: string) => (await list(query)).data.map((trial) => trial.id);
    expect(await ids("")).toEqual([first.id, second.id, third.id]);
    expect(await ids("model=other")).toEqual([third.id]);
    expect(await ids("status=failed")).toEqual([second.id]);
    expect(await ids("retracted=false")).toEqual([first.id, third.id]);
    expect(await ids("retracted=true")).toEqual([second.id]);
    const page = await list("limit=2");
    expect(await ids(`limit=2&cursor=${page.nextCursor}`)).toEqual([third.id]);
  });

  it("accepts as its output only data of its own task", async () => {
    const { id, taskId } = await givenOpenEval(api);
    const declare = async (task: string) => {
      const body = {
        kind: "generated",
        contentType: "text/plain",
        sizeBytes: 1,
        sha256: "ab".repeat(32),
        uri: "s3://outputs/1",
      };
      const declared = await api.call<{ id: string }>("POST", `/tasks/${task}/data`, { body });
      return expectDone(declared, 201).id;
    };
    const [mine, others] = [await declare(taskId), await declare((await api.givenTask()).id)];
    const trial = await givenTrial(api, id, { outputDataId: mine });
    expect(trial.outputDataId).toBe(mine);
    const other = { k: 2, model: "solver", outputDataId: others };
    expectProblem(await record(id, other), "not_found", 404);
    expectProblem(await change(trial.id, { passed: true, outputDataId: others }), "not_found", 404);
  });
});
