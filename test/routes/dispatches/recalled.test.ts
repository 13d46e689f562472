import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Moved } from "../../../src/actions/moves/move-task.ts";
import type { DispatchRecord } from "../../../src/db/dispatches/read-dispatches.ts";
import type { RunRecord } from "../../../src/db/runs/worker-runs.ts";
import type { Pipeline } from "../../../src/domain/pipelines/pipelines.ts";
import type { StepStatus } from "../../../src/domain/lifecycle/statuses.ts";
import {
  expectDone,
  expectProblem,
  freshApi,
  type Place,
  type TestApi,
} from "../../support/api.ts";
import { deliver, readDispatch, timePasses } from "../../support/dispatches.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import { passDeadlines } from "../../support/run-rows.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
  for (const pipeline of ["payment", "post_qa_scoring"]) {
    const body = { endpoint: "https://work.example.com/hook" };
    expectDone(await api.call("PUT", `/pipelines/${pipeline}`, { body }));
  }
});
afterEach(() => expectInvariantsHold(api.database));

const PAID: Place = { kind: "expert_review", status: "approved" };

/** A sent dispatch of the pipeline, for a new task at this place. */
async function givenSent(pipeline: Pipeline, at: Place): Promise<DispatchRecord> {
  const { currentStep } = await api.givenTask({ at });
  const path = `/steps/${currentStep.id}/dispatch`;
  const body = { pipeline, reason: "It is due" };
  const { id } = expectDone(await api.call<{ id: string }>("POST", path, { body }), 201);
  return readDispatch(api, id);
}

const answering = (status: number) => ({ fetch: async () => new Response(null, { status }) });
const retry = (id: string) =>
  api.call<DispatchRecord>("POST", `/dispatches/${id}/retry`, { body: { reason: "It is owed" } });
const advance = async (taskId: string) =>
  expectDone(await api.call<Moved>("POST", `/tasks/${taskId}/advance`, { body: {} })).step.id;
const runsOf = async (taskId: string) =>
  expectDone(await api.call<{ data: RunRecord[] }>("GET", `/worker-runs?task=${taskId}`)).data;

async function become(stepId: string, ...statuses: StepStatus[]): Promise<void> {
  for (const status of statuses) {
    const body = { status, reason: "Reviewed", runAttachedWorkflows: false };
    expectDone(await api.call("PATCH", `/steps/${stepId}`, { body }));
  }
}

/** Delivers the dispatch to an endpoint that fails, and runs `meanwhile` during the attempt. */
async function failMeanwhile(id: string, meanwhile: () => Promise<unknown>): Promise<void> {
  const fetch = async () => {
    await meanwhile();
    return new Response(null, { status: 500 });
  };
  expect(await deliver(api, id, { fetch })).toEqual({ retryAfterSeconds: 30 });
  expect((await readDispatch(api, id)).state).toBe("sent");
  await timePasses(api.database, 30);
}

async function expectRecalled(id: string): Promise<void> {
  const { state, log, attempts } = await readDispatch(api, id);
  expect([state, log.at(-1)?.reason, attempts]).toEqual([
    "recalled",
    "The dispatch is no longer wanted.",
    1,
  ]);
}

describe("A payment", () => {
  it("is delivered if the task advances while its endpoint is failing", async () => {
    const { id, taskId } = await givenSent("payment", PAID);
    await failMeanwhile(id, () => advance(taskId));
    expect(await deliver(api, id, answering(200))).toBe("acknowledged");
    expect((await readDispatch(api, id)).state).toBe("delivered");
  });

  it("is recalled if the task is rejected at a later stage while its endpoint is failing", async () => {
    const { id, taskId } = await givenSent("payment", PAID);
    const stepId = await advance(taskId);
    await failMeanwhile(id, () => become(stepId, "rejected"));
    expect(await deliver(api, id, answering(200))).toBe("acknowledged");
    await expectRecalled(id);
    expect(await runsOf(taskId)).toMatchObject([{ type: "PAYMENT", state: "CANCELLED" }]);
  });

  it("is recalled without its run if that has timed out", async () => {
    const { id, taskId } = await givenSent("payment", PAID);
    const stepId = await advance(taskId);
    await failMeanwhile(id, () => become(stepId, "rejected"));
    const [run] = await runsOf(taskId);
    await passDeadlines(api.database, [run?.id ?? ""]);
    await api.sweep();
    expect(await deliver(api, id, answering(200))).toBe("acknowledged");
    await expectRecalled(id);
    expect(await runsOf(taskId)).toMatchObject([{ state: "FAILED", error: "timed_out" }]);
  });

  it("is recalled if a second review requests changes while its endpoint is failing", async () => {
    const { id, taskId } = await givenSent("payment", PAID);
    const body = { toKind: "expert_review", reason: "Look again" };
    const again = await api.call<Moved>("POST", `/tasks/${taskId}/rework`, { body });
    await failMeanwhile(id, () => become(expectDone(again).step.id, "changes_requested"));
    expect(await deliver(api, id, answering(200))).toBe("acknowledged");
    await expectRecalled(id);
  });

  it("that is dead cannot be retried after the task was rejected", async () => {
    const { id, taskId } = await givenSent("payment", PAID);
    await deliver(api, id, answering(410));
    await become(await advance(taskId), "rejected");
    const problem = expectProblem(await retry(id), "invalid_transition", 409);
    expect(problem.detail).toBe("The task no longer needs it.");
  });

  it("keeps a run that timed out until its next attempt is due", async () => {
    const { id, taskId } = await givenSent("payment", PAID);
    expect(await deliver(api, id, answering(500))).toEqual({ retryAfterSeconds: 30 });
    const [run] = await runsOf(taskId);
    await passDeadlines(api.database, [run?.id ?? ""]);
    await api.sweep();
    const early = { retryAfterSeconds: expect.any(Number) };
    expect(await deliver(api, id, answering(200))).toEqual(early);
    expect((await readDispatch(api, id)).runId).toBe(run?.id);
  });

  it("that is dead gets a new run on retry if its run timed out", async () => {
    const { id, taskId } = await givenSent("payment", PAID);
    await deliver(api, id, answering(410));
    const [closed] = await runsOf(taskId);
    await passDeadlines(api.database, [closed?.id ?? ""]);
    await api.sweep();
    expect(await runsOf(taskId)).toMatchObject([{ state: "FAILED", error: "timed_out" }]);

    expect(expectDone(await retry(id))).toMatchObject({ state: "pending", attempts: 0 });
    expect(await deliver(api, id, answering(200))).toBe("acknowledged");
    const { state, runId } = await readDispatch(api, id);
    expect(state).toBe("delivered");
    expect(await runsOf(taskId)).toMatchObject([
      { id: runId, state: "QUEUED" },
      { id: closed?.id, state: "FAILED" },
    ]);
  });
});

describe("A dispatch for a step", () => {
  it("gets a new run if the first timed out and the step was queued again", async () => {
    const at: Place = { kind: "calibration", status: "queued" };
    const { id, taskId, stepId } = await givenSent("post_qa_scoring", at);
    await deliver(api, id, answering(500));
    const [closed] = await runsOf(taskId);
    await passDeadlines(api.database, [closed?.id ?? ""]);
    await api.sweep();
    // The open dispatch is enough, so no second one is created.
    const body = { status: "queued", reason: "Once more", runAttachedWorkflows: true };
    const again = await api.call<Moved>("PATCH", `/steps/${stepId}`, { body });
    expect(expectDone(again).dispatched).toEqual([]);
    await timePasses(api.database, 30);
    expect(await deliver(api, id, answering(200))).toBe("acknowledged");
    const { state, runId } = await readDispatch(api, id);
    expect(state).toBe("delivered");
    expect(await runsOf(taskId)).toMatchObject([
      { id: runId, state: "QUEUED" },
      { id: closed?.id, state: "FAILED", error: "timed_out" },
    ]);
  });

  it("is recalled if the step is rejected while its endpoint is failing", async () => {
    const at: Place = { kind: "calibration", status: "queued" };
    const { id, taskId, stepId } = await givenSent("post_qa_scoring", at);
    await failMeanwhile(id, () => become(stepId, "rejected"));
    expect(await deliver(api, id, answering(200))).toBe("acknowledged");
    await expectRecalled(id);
    expect(await runsOf(taskId)).toMatchObject([{ state: "CANCELLED" }]);
  });
});
