import { beforeAll, beforeEach, describe, expect, it, test } from "vitest";
import type { WorkView } from "../../../src/actions/runs/claim-runs.ts";
import type { Reported } from "../../../src/actions/runs/report-run.ts";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import type { RunRecord } from "../../../src/db/runs/worker-runs.ts";
import {
  type CallOptions,
  expectDone,
  expectProblem,
  freshApi,
  type TestApi,
} from "../../support/api.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import { endLeases, passDeadlines } from "../../support/run-rows.ts";
import { givenMachine, givenOfferedRun } from "../../support/runs.ts";

let api: TestApi;
/** The API key of another worker of the tenant. */
let rival: string;
beforeAll(async () => {
  api = await freshApi();
  rival = await givenMachine(api, "The other worker");
});

const TYPES = ["QUALITY_AUTOMATION", "OUTPUT_GENERATION", "POST_QA_SCORING", "PAYMENT"];
const claim = (body: object = {}, options: CallOptions = {}) =>
  api.call<{ data: WorkView[] }>("POST", "/worker-runs/claim", {
    as: "service",
    body: { types: TYPES, max: 100, ...body },
    ...options,
  });
const claimedIds = async (body: object = {}, options: CallOptions = {}) =>
  expectDone(await claim(body, options)).data.map(({ run }) => run.id);
const report = (runId: string, body: object, options: CallOptions = {}) =>
  api.call<Reported>("PATCH", `/worker-runs/${runId}`, { as: "service", body, ...options });
const read = async (runId: string, tenant = api.tenant) => {
  const path = "/worker-runs?limit=200";
  const { data } = expectDone(await api.call<{ data: RunRecord[] }>("GET", path, { tenant }));
  return data.find(({ id }) => id === runId) ?? expect.fail("There is no such run");
};

// Claims the runs that the previous test left waiting.
beforeEach(async () => {
  await claimedIds({ leaseSeconds: 3600 });
});

describe("Claiming runs", () => {
  it("returns each run with its task, version, and step, and writes no event", async () => {
    const { task, runId } = await givenOfferedRun(api, { title: "To be checked" });
    const [work, ...others] = expectDone(await claim({ leaseSeconds: 120 })).data;
    expect(others).toEqual([]);
    const run = await read(runId);
    const { currentStep, id: taskId } = task;
    const step = { ...currentStep, deferred: [], taskId, versionId: run.versionId, current: true };
    const { contentHash } = work?.version ?? {};
    expect(work).toEqual({ run, task, step, version: { ...task.activeVersion, contentHash } });
    expect(contentHash).toMatch(/^[0-9a-f]{64}$/);
    expect(run).toMatchObject({ state: "QUEUED", attempt: 1, offered: true });
    expect(Date.parse(run.leaseUntil ?? "") - Date.parse(run.updatedAt)).toBeCloseTo(120_000, -4);
    const after = await api.call<TaskView>("GET", `/tasks/${task.id}`);
    expect(expectDone(after)).toEqual(task);
    expect(await claimedIds()).toEqual([]);
  });

  it("returns up to `max` runs, of the most urgent task first, then the oldest", async () => {
    const runs: Record<string, string> = {};
    for (const [title, priority] of [
      ["later", 0],
      ["last", 0],
      ["urgent", 90],
      ["soon", 10],
    ] as const) {
      runs[title] = (await givenOfferedRun(api, { title, priority })).runId;
    }
    expect(await claimedIds({ max: 3 })).toEqual([runs["urgent"], runs["soon"], runs["later"]]);
    expect(await claimedIds({ max: 3 })).toEqual([runs["last"]]);
  });

  it("returns one run by default", async () => {
    await givenOfferedRun(api);
    await givenOfferedRun(api);
    const body = { types: ["QUALITY_AUTOMATION"] };
    const one = await api.call<{ data: WorkView[] }>("POST", "/worker-runs/claim", {
      as: "service",
      body,
    });
    expect(expectDone(one).data).toHaveLength(1);
  });

  it("returns only runs of the requested types", async () => {
    const { runId: payment } = await givenOfferedRun(api, { pipeline: "payment" });
    const { runId: output } = await givenOfferedRun(api, { pipeline: "output_generation" });
    expect(await claimedIds({ types: ["OUTPUT_GENERATION", "EXPERT_REVIEW"] })).toEqual([output]);
    expect(await claimedIds({ types: ["PAYMENT"] })).toEqual([payment]);
  });

  it("does not return a run that a worker started itself", async () => {
    const { id } = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
    const body = { type: "QUALITY_AUTOMATION" };
    const opened = await api.call<RunRecord>("POST", `/tasks/${id}/worker-runs`, {
      as: "service",
      body,
    });
    expect(expectDone(opened, 201)).toMatchObject({ offered: false, leaseUntil: null });
    expect(await claimedIds()).toEqual([]);
  });

  it("does not return a run of another tenant", async () => {
    const { runId } = await givenOfferedRun(api, { tenant: api.otherTenant });
    expect(await claimedIds()).toEqual([]);
    expect(await claimedIds({}, { tenant: api.otherTenant })).toEqual([runId]);
  });

  it("does not return a run that has ended or whose deadline has passed", async () => {
    const { runId: late } = await givenOfferedRun(api);
    await passDeadlines(api.database, [late]);
    const { task } = await givenOfferedRun(api);
    expectDone(
      await api.call("PATCH", `/steps/${task.currentStep.id}`, {
        body: { status: "rejected", reason: "Off topic" },
      }),
    );
    expect(await claimedIds()).toEqual([]);
  });

  it("returns runs of archived tasks, because a payment is owed all the same", async () => {
    const { task, runId } = await givenOfferedRun(api, { pipeline: "payment" });
    expectDone(await api.call("POST", `/tasks/${task.id}/archive`, { body: {} }));
    expect(await claimedIds()).toEqual([runId]);
  });

  it("returns the run's own step if the task has advanced", async () => {
    const { task, runId } = await givenOfferedRun(api, { pipeline: "payment" });
    expectDone(await api.call("POST", `/tasks/${task.id}/advance`, { body: {} }));
    const [work] = expectDone(await claim()).data;
    expect(work).toMatchObject({
      run: { id: runId },
      step: { id: task.currentStep.id, kind: "expert_review", current: false },
      task: { currentStep: { kind: "calibration" } },
    });
  });

  it("returns the same runs to a retry with the same key, but looks again if there were none", async () => {
    const options = { idempotencyKey: "the-first-shift" };
    const none = await claim({}, options);
    expect(expectDone(none).data).toEqual([]);
    const { runId } = await givenOfferedRun(api);
    const first = await claim({}, options);
    expect(expectDone(first).data).toMatchObject([{ run: { id: runId } }]);
    const again = await claim({}, options);
    expect(again.text).toBe(first.text);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expectProblem(await claim({ max: 1 }, options), "idempotency_key_reused", 422);
  });

  it("rejects invalid leases, limits, and types", async () => {
    for (const body of [
      { leaseSeconds: 4 },
      { leaseSeconds: 3601 },
      { max: 0 },
      { max: 101 },
      { types: [] },
      { types: ["GARDENING"] },
    ]) {
      expectProblem(await claim(body), "validation_failed", 400);
    }
  });
});

describe("A lease", () => {
  it("releases its run for the next attempt when it expires", async () => {
    const { runId } = await givenOfferedRun(api);
    expect(await claimedIds()).toEqual([runId]);
    await endLeases(api.database, [runId]);
    const [work] = expectDone(await claim({}, { bearer: rival })).data;
    expect(work?.run).toMatchObject({ id: runId, attempt: 2 });

    const late = await report(runId, { state: "RUNNING", attempt: 1 });
    expect(expectProblem(late, "lease_lost", 409)).toMatchObject({ retry: "never" });
    expectDone(await report(runId, { state: "RUNNING", attempt: 2 }, { bearer: rival }));
  });

  it("that has expired is lost even if no other worker has claimed the run", async () => {
    const { task, runId } = await givenOfferedRun(api);
    await claimedIds();
    await endLeases(api.database, [runId]);
    expectProblem(await report(runId, { state: "RUNNING", attempt: 1 }), "lease_lost", 409);
    const after = await api.call<TaskView>("GET", `/tasks/${task.id}`);
    expect(expectDone(after)).toEqual(task);
  });

  it("is required for the first report on an offered run", async () => {
    const { runId } = await givenOfferedRun(api);
    expectProblem(await report(runId, { state: "RUNNING" }), "lease_lost", 409);
    await claimedIds({}, { bearer: rival });
    expectProblem(await report(runId, { state: "RUNNING", attempt: 1 }), "lease_lost", 409);
    const started = await report(runId, { state: "RUNNING", attempt: 1 }, { bearer: rival });
    expect(expectDone(started).task.currentStep.status).toBe("running");
  });

  it("ends with the first report, after which only the deadline counts", async () => {
    const { runId } = await givenOfferedRun(api);
    await claimedIds();
    expectDone(await report(runId, { state: "RUNNING", attempt: 1 }));
    expect(await read(runId)).toMatchObject({ state: "RUNNING", leaseUntil: null });
    await endLeases(api.database, [runId]);
    expect(await claimedIds()).toEqual([]);
    // Any caller can report now, but a report must name the same attempt.
    const wrong = await report(runId, { state: "FAILED", attempt: 2 }, { bearer: rival });
    expectProblem(wrong, "lease_lost", 409);
    const done = { state: "SUCCEEDED", verdict: "passed", attempt: 1 };
    expectDone(await report(runId, done, { bearer: rival }));
  });

  it("is renewed, with the deadline, by a report that the run is still queued", async () => {
    const { runId } = await givenOfferedRun(api);
    await claimedIds({ leaseSeconds: 300 });
    await api.database.query(
      "owner",
      `update worker_runs set lease_until = now() + interval '1 minute', deadline_at = now() + interval '2 minutes'
       where id = $1`,
      [runId],
    );
    expectDone(await report(runId, { state: "QUEUED", attempt: 1 }));
    const { leaseUntil, deadlineAt, updatedAt, state } = await read(runId);
    expect(state).toBe("QUEUED");
    expect(Date.parse(leaseUntil ?? "") - Date.parse(updatedAt)).toBeCloseTo(300_000, -4);
    expect(Date.parse(deadlineAt) - Date.parse(updatedAt)).toBeCloseTo(3_600_000, -4);
  });

  it("ends with its run's deadline at the latest, so that claims cannot keep a run alive", async () => {
    const { runId } = await givenOfferedRun(api);
    await api.database.query(
      "owner",
      "update worker_runs set deadline_at = now() + interval '1 minute' where id = $1",
      [runId],
    );
    const before = await read(runId);
    await claimedIds({ leaseSeconds: 3600 });
    const { leaseUntil, deadlineAt } = await read(runId);
    expect(deadlineAt).toBe(before.deadlineAt);
    expect(leaseUntil).toBe(deadlineAt);
  });

  it("makes every later report name its attempt, so that a stale worker is not mistaken for its successor", async () => {
    const { task, runId } = await givenOfferedRun(api);
    await claimedIds();
    await endLeases(api.database, [runId]);
    expectDone(await claim({}, { bearer: rival }));
    // The first worker shares the key of the second, so that only the attempt distinguishes them.
    const stale = { bearer: rival };
    for (const body of [
      { state: "RUNNING" },
      { state: "SUCCEEDED", verdict: "passed" },
      { state: "FAILED", error: "Crashed" },
      { state: "CANCELLED" },
    ]) {
      const refused = expectProblem(await report(runId, body, stale), "validation_failed", 400);
      expect(refused).toMatchObject({ issues: [{ path: ["attempt"], code: "required" }] });
      expectProblem(await report(runId, { ...body, attempt: 1 }, stale), "lease_lost", 409);
    }
    const after = await api.call<TaskView>("GET", `/tasks/${task.id}`);
    expect(expectDone(after)).toEqual(task);
    const passed = { state: "SUCCEEDED", verdict: "passed", attempt: 2 };
    expect(expectDone(await report(runId, passed, stale)).run.state).toBe("SUCCEEDED");
    expectProblem(await report(runId, { state: "FAILED" }, stale), "validation_failed", 400);
    expect(await read(runId)).toMatchObject({ state: "SUCCEEDED", lateReports: 0 });
  });

  test("of another attempt is rejected before anything else is checked", async () => {
    const { runId } = await givenOfferedRun(api);
    await claimedIds();
    const body = { state: "SUCCEEDED", verdict: "passed" };
    expectDone(await report(runId, { ...body, attempt: 1 }));
    // This holds for a run that has ended, too: a worker with another attempt learns that it lost the run.
    expectProblem(await report(runId, { ...body, attempt: 7 }), "lease_lost", 409);
    await expectInvariantsHold(api.database);
  });
});
