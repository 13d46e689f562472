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
