import { beforeAll, describe, expect, it, test } from "vitest";
import type { BulkExecution } from "../../../src/actions/views/bulk-views.ts";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import type { DispatchRecord } from "../../../src/db/dispatches/read-dispatches.ts";
import type { RunRecord } from "../../../src/db/runs/worker-runs.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";
import {
  deliver,
  givenDead,
  givenDispatch,
  readDispatch,
  timePasses,
} from "../../support/dispatches.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import { offering } from "../../support/offer-runs.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
  const body = { endpoint: "https://checks.example.com/hook" };
  expectDone(await api.call("PUT", "/pipelines/quality_automation", { body }));
});

const REASON = "It is well again";
const change = (id: string, what: "retry" | "recall", options = {}) =>
  api.call<DispatchRecord>("POST", `/dispatches/${id}/${what}`, {
    as: "operator",
    body: { reason: REASON },
    ...options,
  });
const find = async (query: string) =>
  expectDone(await api.call<{ data: DispatchRecord[] }>("GET", `/dispatches?${query}`)).data;
const answering = (status: number) => ({ fetch: async () => new Response(null, { status }) });
const runOf = async ({ taskId }: DispatchRecord): Promise<RunRecord | undefined> =>
  expectDone(await api.call<{ data: RunRecord[] }>("GET", `/worker-runs?task=${taskId}`)).data[0];
const stepOf = async ({ taskId }: DispatchRecord) =>
  expectDone(await api.call<TaskView>("GET", `/tasks/${taskId}`)).currentStep.id;

/** A dispatch whose endpoint refused it. */
async function givenRefused(): Promise<string> {
  const id = await givenDispatch(api);
  await deliver(api, id, answering(410));
  return id;
}

describe("The list of dispatches", () => {
  it("is filtered by state, pipeline, task and operation, and goes page by page", async () => {
    const dead = await givenRefused();
    const waiting = await givenDispatch(api);
    const { taskId } = await readDispatch(api, dead);
    const reviewed = await api.givenTask({ at: { kind: "expert_review", status: "in_review" } });
    const bulk = await api.call<BulkExecution>("POST", "/bulk/execute", {
      idempotencyKey: crypto.randomUUID(),
      body: {
        taskIds: [reviewed.id],
        targetStatus: "PASSED",
        reason: "Good",
        runAttachedWorkflows: true,
      },
    });
    expect(expectDone(bulk).dispatched).toBe(1);

    const ids = async (query: string) => (await find(query)).map(({ id }) => id);
    expect(await ids("state=dead")).toEqual([dead]);
    expect(await ids(`task=${taskId}`)).toEqual([dead]);
    expect(await ids("pipeline=quality_automation")).toEqual([waiting, dead]);
    expect(await ids("pipeline=quality_automation&state=delivered")).toEqual([]);
    expect((await find("pipeline=payment")).map((one) => one.taskId)).toEqual([reviewed.id]);
    const first = await api.call<{ nextCursor: string }>("GET", "/dispatches?limit=2");
    const { nextCursor } = expectDone(first);
    expect(await ids(`limit=2&cursor=${nextCursor}`)).toEqual([dead]);
  });

  it("tells of a dispatch what stands, and its log how it came to that", async () => {
    const id = await givenRefused();
    const { log, ...dispatch } = await readDispatch(api, id);
    expect(dispatch).toMatchObject({
      id,
      pipeline: "quality_automation",
      state: "dead",
      byHand: true,
      bulkOperationId: null,
      attempts: 1,
      nextAttemptAt: null,
      lastError: "endpoint_answered_410: It answered 410.",
      runId: expect.any(String),
    });
    expect(log.map(({ from, to, actor, reason }) => [from, to, actor.name, reason])).toEqual([
      [null, "pending", "first admin key", "To have one"],
      ["pending", "sent", "Relay", null],
      ["sent", "dead", "Delivery", "endpoint_answered_410"],
    ]);
  });
});

describe("Recalling a dispatch", () => {
  it("takes it back before anybody has heard of it, with who and why", async () => {
    const id = await givenDispatch(api);
    expect(expectDone(await change(id, "recall"))).toMatchObject({ id, state: "recalled" });
    const { log } = await readDispatch(api, id);
    expect(log.at(-1)).toMatchObject({
      from: "sent",
      to: "recalled",
      actor: { name: "first operator key" },
      reason: REASON,
    });
    expect(await deliver(api, id, answering(200))).toBe("acknowledged");
    expect(await readDispatch(api, id)).toMatchObject({ state: "recalled", runId: null });
  });

  it("takes back one that was tried, and the run that waits with it", async () => {
    const id = await givenDispatch(api);
    await deliver(api, id, answering(500));
    const recalled = expectDone(await change(id, "recall"));
    expect(recalled).toMatchObject({ state: "recalled", attempts: 1, nextAttemptAt: null });
    expect(await runOf(recalled)).toMatchObject({ state: "CANCELLED" });
  });

  it("frees the step for another one", async () => {
    const id = await givenDispatch(api);
    const body = { pipeline: "quality_automation", reason: "Once more" };
    const path = `/steps/${await stepOf(await readDispatch(api, id))}/dispatch`;
    expectProblem(await api.call("POST", path, { body }), "conflict", 409);
    expectDone(await change(id, "recall"));
    expectDone(await api.call("POST", path, { body }), 201);
  });

  it("is refused while it is being delivered", async () => {
    const id = await givenDispatch(api);
    const { promise: answer, resolve } = Promise.withResolvers<Response>();
    let isAsked = false;
    const delivering = deliver(api, id, {
      fetch: () => {
        isAsked = true;
        return answer;
      },
    });
    await expect.poll(() => isAsked).toBe(true);
    const problem = expectProblem(await change(id, "recall"), "invalid_transition", 409);
    expect(problem.detail).toBe("It is being delivered at this moment.");
    resolve(new Response(null, { status: 200 }));
    await delivering;
    expect(await readDispatch(api, id)).toMatchObject({ state: "delivered" });
  });

  it("is refused where its run was reported on, whatever was answered", async () => {
    const id = await givenDispatch(api);
    await deliver(api, id, answering(500));
    const { runId } = await readDispatch(api, id);
    const body = { state: "RUNNING" };
    expectDone(await api.call("PATCH", `/worker-runs/${runId}`, { as: "service", body }));
    const problem = expectProblem(await change(id, "recall"), "invalid_transition", 409);
    expect(problem.detail).toContain("it was delivered");
  });

  test.each(["delivered", "dead", "recalled"] as const)("is refused once it is %s", async (end) => {
    const id = await givenDispatch(api);
    if (end === "recalled") expectDone(await change(id, "recall"));
    else await deliver(api, id, answering(end === "dead" ? 410 : 200));
    const problem = expectProblem(await change(id, "recall"), "invalid_transition", 409);
    expect(problem).toMatchObject({ from: end, to: "recalled" });
    expect(problem.allowed).toEqual(end === "dead" ? ["pending"] : []);
  });
});

describe("Retrying a dispatch", () => {
  it("delivers it after all, with the run that it made", async () => {
    const id = await givenRefused();
    const { runId } = await readDispatch(api, id);
    expect(expectDone(await change(id, "retry"))).toMatchObject({
      state: "pending",
      attempts: 0,
      lastError: null,
      runId,
    });
    // The relay has put it on the queue right after the answer.
    expect(await readDispatch(api, id)).toMatchObject({ state: "sent" });
    expect(await deliver(api, id, answering(200))).toBe("acknowledged");
    const { log, ...delivered } = await readDispatch(api, id);
    expect(delivered).toMatchObject({ state: "delivered", attempts: 1, runId });
    expect(log.slice(-4).map(({ to, reason }) => [to, reason])).toEqual([
      ["dead", "endpoint_answered_410"],
      ["pending", REASON],
      ["sent", null],
      ["delivered", null],
    ]);
  });

  it("is refused where the task has left the step", async () => {
    const id = await givenRefused();
    const body = { content: {}, reason: "Anew" };
    const { taskId } = await readDispatch(api, id);
    expectDone(await api.call("POST", `/tasks/${taskId}/versions`, { body }), 201);
    const problem = expectProblem(await change(id, "retry"), "invalid_transition", 409);
    expect(problem).toMatchObject({
      allowed: [],
      detail: "What it was for is no longer wanted.",
    });
  });

  it("is refused where its run has ended", async () => {
    const id = await givenRefused();
    const { runId } = await readDispatch(api, id);
    const body = { state: "FAILED", error: "Nobody came" };
    expectDone(await api.call("PATCH", `/worker-runs/${runId}`, { as: "service", body }));
    const problem = expectProblem(await change(id, "retry"), "invalid_transition", 409);
    expect(problem.detail).toBe("Its run has begun or ended; ask for the pipeline anew.");
  });

  it("is refused where the approval that is paid for was taken back", async () => {
    const task = await api.givenTask({ at: { kind: "expert_review", status: "in_review" } });
    const to = (status: string) =>
      api.call("PATCH", `/steps/${task.currentStep.id}`, {
        body: { status, reason: "So it is", runAttachedWorkflows: true },
      });
    expectDone(await to("approved"));
    const [payment] = await find(`task=${task.id}`);
    await givenDead(api.database, payment?.id ?? "");
    expectDone(await to("changes_requested"));
    expectProblem(await change(payment?.id ?? "", "retry"), "invalid_transition", 409);
  });

  it("is refused where the pipeline was asked for again meanwhile", async () => {
    const id = await givenRefused();
    const step = await stepOf(await readDispatch(api, id));
    const body = { pipeline: "quality_automation", reason: "Once more" };
    const again = await api.call<{ id: string }>("POST", `/steps/${step}/dispatch`, { body });
    const { id: rival } = expectDone(again, 201);
    const isRefused = async () => {
      const problem = expectProblem(await change(id, "retry"), "conflict", 409);
      expect(problem.existing).toEqual({ id: rival });
    };
    await isRefused();
    // Delivered, but to nobody yet: its run waits for a worker that polls.
    await api.database.transaction("superuser", offering(rival));
    await isRefused();
  });

  it("is refused where the task is archived", async () => {
    const id = await givenRefused();
    const { taskId } = await readDispatch(api, id);
    expectDone(await api.call("POST", `/tasks/${taskId}/archive`, { body: {} }));
    expectProblem(await change(id, "retry"), "archived", 409);
  });

  test.each(["sent", "delivered", "recalled"] as const)("is refused while it is %s", async (at) => {
    const id = await givenDispatch(api);
    if (at === "recalled") expectDone(await change(id, "recall"));
    if (at === "delivered") await deliver(api, id, answering(200));
    const problem = expectProblem(await change(id, "retry"), "invalid_transition", 409);
    expect(problem).toMatchObject({ from: at, to: "pending" });
  });

  it("goes on where a crash left a lease that has ended", async () => {
    const id = await givenRefused();
    expectDone(await change(id, "retry"));
    await timePasses(api.database, 3600);
    expect(await deliver(api, id, answering(204))).toBe("acknowledged");
    await expectInvariantsHold(api.database);
  });
});
