import fc from "fast-check";
import { beforeAll, describe, expect, inject, it } from "vitest";
import type { RecordedEvaluation } from "../../../src/actions/evals/record-evaluation.ts";
import type { EvalSummary, ScopeSummary } from "../../../src/actions/evals/summarize-evals.ts";
import type { TrialStatus } from "../../../src/domain/evals/statuses.ts";
import { passAtEach } from "../../../src/domain/evals/pass-at-k.ts";
import { wilsonInterval } from "../../../src/domain/evals/intervals.ts";
import type { Moved } from "../../../src/actions/moves/move-task.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";
import { givenEval, type GivenTrial } from "../../support/evals.ts";
import { countedPassAtK } from "../../support/pass-at-k.ts";

const { seed } = inject("stack");

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const LETTERS: Record<string, TrialStatus> = {
  p: "passed",
  f: "failed",
  e: "errored",
  r: "running",
};

/** Returns trials by their letters: "ppf" is two that passed and one that failed. */
const trialsOf = (model: string, letters: string): GivenTrial[] =>
  Array.from(letters, (letter) => ({ model, status: LETTERS[letter] ?? "pending" }));

const sumOf = (figures: readonly number[]) => figures.reduce((sum, figure) => sum + figure, 0);

const summaryOf = async (evalId: string) =>
  expectDone(await api.call<EvalSummary>("GET", `/evals/${evalId}/summary`, { as: "viewer" }));
const summaryOver = async (query: string) =>
  expectDone(await api.call<ScopeSummary>("GET", `/evals/summary?${query}`, { as: "viewer" }));

/** Creates tasks with a taxonomy code, each with an eval that has the given trials of each model. */
async function givenEvaluated(code: string, letters: readonly Record<string, string>[]) {
  const tasks = [];
  for (const ofModels of letters) {
    const task = await api.givenTask({ taxonomyCode: code });
    const trials = Object.entries(ofModels).flatMap(([model, each]) => trialsOf(model, each));
    await givenEval(api, task, { name: code, trials });
    tasks.push(task);
  }
  return tasks;
}

describe("The summary of one eval", () => {
  it("has the number of scored, passed, and errored trials and pass@k for each model", async () => {
    const trials = [...trialsOf("a-model", "ppfe"), ...trialsOf("b-model", "fr")];
    const { id } = await givenEval(api, await api.givenTask(), { k: 4, trials });
    const summary = await summaryOf(id);
    expect(summary).toMatchObject({ evalId: id, k: 4, modelsTruncated: false });
    const [a, b] = summary.models;
    expect(a).toMatchObject({ model: "a-model", n: 3, c: 2, errored: 1 });
    expect(a?.passAt).toEqual({ 1: passAtEach(3, 2, 1)[0], 2: 1, 3: 1, 4: null });
    expect(a?.method).toEqual({ 1: "wilson", 2: "wilson", 3: "wilson" });
    expect(a?.interval["1"]?.[0]).toBeCloseTo(wilsonInterval(2, 3)[0], 12);
    expect(b).toMatchObject({ model: "b-model", n: 1, c: 0, errored: 0 });
    expect(b?.passAt).toEqual({ 1: 0, 2: null, 3: null, 4: null });
  });

  it("ignores retracted trials, and lists every revision", async () => {
    const trials: GivenTrial[] = [
      { model: "m", status: "failed", modelRevision: "r1", retracted: true },
      { model: "m", status: "passed", modelRevision: "r2" },
      { model: "m", status: "passed", modelRevision: "r3" },
      { model: "m", status: "failed" },
    ];
    const { id } = await givenEval(api, await api.givenTask(), { trials });
    const { models } = await summaryOf(id);
    expect(models).toMatchObject([{ n: 3, c: 2, modelRevisions: ["r2", "r3"] }]);
  });

  it("has no models before the first trial, and is 404 for an unknown eval", async () => {
    const { id } = await givenEval(api, await api.givenTask());
    expect(await summaryOf(id)).toMatchObject({ models: [] });
    const unknown = await api.call("GET", `/evals/${crypto.randomUUID()}/summary`);
    expectProblem(unknown, "not_found", 404);
  });

  it("reports that models were left out", async () => {
    const trials = Array.from({ length: 101 }, (_, index) => ({
      model: `model-${String(index).padStart(3, "0")}`,
      status: "passed" as const,
    }));
    const { id } = await givenEval(api, await api.givenTask(), { trials });
    const { models, modelsTruncated } = await summaryOf(id);
    expect([models.length, models.at(-1)?.model, modelsTruncated]).toEqual([
      100,
      "model-099",
      true,
    ]);
  });
});

describe("The summary over many tasks", () => {
  it("has the mean over the tasks that match, and their coverage", async () => {
    const code = "over.mean";
    await givenEvaluated(code, [
      { "a-model": "pf", "b-model": "ff" },
      { "a-model": "pp" },
      { "b-model": "e" },
    ]);
    await api.givenTask({ taxonomyCode: code });
    const summary = await summaryOver(`name=${code}&taxonomyCode=${code}`);
    expect(summary).toMatchObject({
      name: code,
      k: 4,
      coverage: { tasksMatched: 4, tasksWithEval: 3, tasksScored: 2, evals: 3 },
      tasksTruncated: false,
      comparison: null,
    });
    const [a, b] = summary.models;
    expect(a).toMatchObject({ n: 4, c: 3, tasks: { 1: 2, 2: 2, 3: 0 } });
    expect(a?.passAt).toEqual({ 1: 0.75, 2: 1, 3: null, 4: null });
    expect(a?.method).toEqual({ 1: "bootstrap", 2: "wilson" });
    expect(b).toMatchObject({ n: 2, c: 0, errored: 1, tasks: { 1: 1, 2: 1 } });
  });

  it(`equals pass@k by exhaustive counting for random trials (replay with SEED=${seed})`, async () => {
    const name = "over.random";
    const tasks = await api.givenTasks(12);
    const each = fc.array(
      fc.record({ outcome: fc.constantFrom("p", "p", "f", "f", "e"), isRetracted: fc.nat(5) }),
      { minLength: 1, maxLength: 6 },
    );
    const drawn = fc.sample(fc.array(each, { minLength: 12, maxLength: 12 }), { seed, numRuns: 2 });
    const models = ["a-model", "b-model"] as const;
    const trials = models.flatMap((model, modelIndex) =>
      tasks.flatMap((task, index) =>
        (drawn[modelIndex]?.[index] ?? []).map((trial, trialIndex) => {
          return { task, model, k: trialIndex + 1, ...trial };
        }),
      ),
    );
    const results = trials.map(({ task, model, k, outcome }) => {
      return {
        task,
        model,
        k,
        ...(outcome === "e" ? { error: "Lost" } : { passed: outcome === "p" }),
      };
    });
    const body = { name, k: 6, results };
    const recorded = await api.call<RecordedEvaluation>("POST", "/evals/record", { body });
    const { items } = expectDone(recorded);
    for (const [index, { isRetracted }] of trials.entries()) {
      if (isRetracted !== 0) continue;
      const path = `/trials/${items[index]?.trialId}/retract`;
      expectDone(await api.call("POST", path, { body: { reason: "Wrong prompt" } }));
    }

    const summary = await summaryOver(`name=${name}`);
    for (const model of models) {
      const scored = tasks.map((task) =>
        trials.flatMap((trial) => {
          const counts = trial.task === task && trial.model === model && trial.isRetracted !== 0;
          return counts && trial.outcome !== "e" ? [trial.outcome === "p"] : [];
        }),
      );
      const found = summary.models.find((one) => one.model === model);
      expect(found?.n).toBe(scored.flat().length);
      expect(found?.c).toBe(scored.flat().filter((passed) => passed).length);
      for (let k = 1; k <= 6; k += 1) {
        const figures = scored
          .filter(({ length }) => length >= k)
          .map((verdicts) => countedPassAtK(verdicts, k));
        expect(found?.tasks[k]).toBe(figures.length);
        if (figures.length === 0) expect(found?.passAt[k]).toBeNull();
        else expect(found?.passAt[k]).toBeCloseTo(sumOf(figures) / figures.length, 12);
      }
    }
    expect(await summaryOver(`name=${name}`)).toEqual(summary);
  });

  it("compares two models on the tasks that have trials of both", async () => {
    const code = "over.compared";
    await givenEvaluated(code, [
      { "a-model": "pp", "b-model": "pf" },
      { "a-model": "pf", "b-model": "ff" },
      { "a-model": "pp", "b-model": "pp" },
      { "a-model": "ff" },
    ]);
    const { comparison, models } = await summaryOver(`name=${code}&models=a-model,b-model`);
    expect(comparison?.models).toEqual(["a-model", "b-model"]);
    expect(comparison?.difference["1"]).toBeCloseTo(1 / 3, 12);
    expect(comparison?.tasks).toEqual({ 1: 3, 2: 3, 3: 0, 4: 0 });
    expect(models.map(({ model }) => model)).toEqual(["a-model", "b-model"]);

    const single = await summaryOver(`name=${code}&models=b-model`);
    expect(single.models.map(({ model }) => model)).toEqual(["b-model"]);
    expect(single.comparison).toBeNull();
  });

  it("uses the newest version with an eval of each task, and ignores cancelled evals", async () => {
    const code = "over.versions";
    const [task] = await givenEvaluated(code, [{ m: "ffff" }]);
    const body = { content: { brief: "A new brief" }, reason: "The brief was wrong" };
    const moved = await api.call<Moved>("POST", `/tasks/${task?.id}/versions`, { body });
    const revised = expectDone(moved, 201).task;
    const before = await summaryOver(`name=${code}`);
    expect(before.models).toMatchObject([{ n: 4, c: 0 }]);
    const cancelled = trialsOf("m", "ff");
    await givenEval(api, revised, { name: code, status: "cancelled", trials: cancelled });
    await givenEval(api, revised, { name: code, trials: trialsOf("m", "pp") });
    await givenEval(api, revised, { name: "another", trials: trialsOf("m", "f") });
    const after = await summaryOver(`name=${code}`);
    expect(after).toMatchObject({ models: [{ n: 2, c: 2 }], coverage: { evals: 1 } });
    const ofAnyName = await summaryOver(`taxonomyCode=${code}`);
    expect(ofAnyName).toMatchObject({
      name: null,
      models: [{ n: 3, c: 2 }],
      coverage: { evals: 2 },
    });
  });

  it("is empty if no task matches, and never includes another tenant's evals", async () => {
    const code = "over.tenants";
    await givenEvaluated(code, [{ m: "p" }]);
    const summary = await api.call<ScopeSummary>("GET", `/evals/summary?name=${code}`, {
      tenant: api.otherTenant,
    });
    expect(expectDone(summary)).toMatchObject({
      k: 0,
      models: [],
      coverage: { tasksMatched: 0, tasksWithEval: 0, tasksScored: 0, evals: 0 },
    });
  });

  it("rejects too many models and empty names", async () => {
    const many = Array.from({ length: 21 }, (_, index) => `m${index}`).join();
    for (const query of [`models=${many}`, "models=a,,b", "models=", "name=", "model=a&model=b"]) {
      expectProblem(await api.call("GET", `/evals/summary?${query}`), "validation_failed", 400);
    }
  });

  it("takes one round trip", async () => {
    const cost = () => api.call("GET", "/evals/summary?name=over.mean&models=a-model,b-model");
    expect(await api.roundTripsOf(cost)).toBe(1);
  });
});

describe("The scores in a summary", () => {
  const record = async (task: string, results: readonly object[], body: object = {}) => {
    const full = { name: "scores", k: 4, ...body };
    const each = results.map((one) => ({ task, model: "m", ...one }));
    const answer = await api.call<RecordedEvaluation>("POST", "/evals/record", {
      body: { ...full, results: each },
    });
    return expectDone(answer);
  };

  it("are those of all trials that ended with one, and a scored trial counts in no pass@k", async () => {
    const { id: task } = await api.givenTask();
    const { counts, items } = await record(task, [
      { k: 1, score: 0.2 },
      { k: 2, score: 0.4 },
      { k: 3, passed: true, score: 0.9 },
      { k: 4, error: "Lost" },
    ]);
    expect(counts).toMatchObject({ recorded: 4 });
    const [model] = (await summaryOf(items[0]?.evalId ?? "")).models;
    expect(model).toMatchObject({ n: 1, c: 1, errored: 1, slot: { model: "m" } });
    expect(model?.passAt).toEqual({ 1: 1, 2: null, 3: null, 4: null });
    // The squares of the deviations from 0.5 are 0.09, 0.01 and 0.16.
    expect(model?.scores).toMatchObject({
      n: 3,
      tasks: 1,
      mean: expect.closeTo(0.5, 12),
      standardError: expect.closeTo(Math.sqrt(0.26 / 2 / 3), 12),
      method: "bootstrap",
      interval: [expect.any(Number), expect.any(Number)],
    });
  });

  it("weigh tasks equally, are apart for each slot, and leave the coverage of pass@k as it was", async () => {
    const code = "over.scores";
    const tasks = [];
    for (let count = 0; count < 3; count += 1) {
      tasks.push((await api.givenTask({ taxonomyCode: code })).id);
    }
    const [one = "", other = "", third = ""] = tasks;
    const slotBy = ["model", "agent"];
    await record(
      one,
      [1, 2, 3].map((k) => ({ k, agent: "x", score: k })),
      { slotBy },
    );
    await record(other, [{ k: 1, agent: "x", score: 4 }], { slotBy });
    await record(other, [{ k: 1, agent: "y", passed: true }], { slotBy });
    await record(third, [{ k: 1, score: -1e300 }]);
    const summary = await summaryOver(`name=scores&taxonomyCode=${code}`);
    expect(summary.coverage).toEqual({
      tasksMatched: 3,
      tasksWithEval: 3,
      tasksScored: 1,
      tasksWithScore: 3,
      evals: 3,
    });
    const entries = new Map(summary.models.map((entry) => [JSON.stringify(entry.slot), entry]));
    expect(entries.size).toBe(3);
    // The means of the tasks are 2 and 4.
    expect(entries.get('{"model":"m","agent":"x"}')).toMatchObject({
      n: 0,
      scores: { n: 4, tasks: 2, mean: 3, standardError: 1 },
    });
    expect(entries.get('{"model":"m","agent":"y"}')).toMatchObject({ n: 1, scores: null });
    expect(entries.get('{"model":"m"}')?.scores).toEqual({
      n: 1,
      tasks: 1,
      mean: -1e300,
      standardError: null,
      interval: null,
      method: null,
    });
    const compared = await summaryOver(`name=scores&taxonomyCode=${code}&models=m,another`);
    expect(compared.comparison).toBeNull();
  });

  it("are finite for the largest doubles", async () => {
    const { id: task } = await api.givenTask();
    const scores = [1.7e308, 1.7e308, -1.7e308, 5e-324];
    const { items } = await record(
      task,
      scores.map((score, index) => ({ k: index + 1, score })),
    );
    const [model] = (await summaryOf(items[0]?.evalId ?? "")).models;
    expect(model?.scores?.mean).toBeCloseTo(1.7e308 / 4, -300);
    expect(model?.scores?.standardError).toBeGreaterThan(1e307);
  });

  it("and pass@k leave out an eval that is marked as the twin of a newer one", async () => {
    const code = "over.twins";
    const task = await api.givenTask({ taxonomyCode: code });
    const newer = await givenEval(api, task, { name: code, trials: trialsOf("m", "pf") });
    const older = await givenEval(api, task, {
      name: code,
      twinOf: newer.id,
      trials: trialsOf("m", "pp"),
    });
    const [pooled] = (await summaryOver(`name=${code}&taxonomyCode=${code}`)).models;
    expect(pooled).toMatchObject({ n: 2, c: 1 });
    expect((await summaryOf(older.id)).models).toMatchObject([{ n: 2, c: 2 }]);
  });
});
