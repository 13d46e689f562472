import { beforeAll, describe, expect, it, test } from "vitest";
import type { BulkExecution } from "../../../src/actions/views/bulk-views.ts";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import type { DispatchRecord } from "../../../src/db/dispatches/read-dispatches.ts";
import type { RunRecord } from "../../../src/db/runs/worker-runs.ts";
import {
  type CallOptions,
  expectDone,
  expectProblem,
  freshApi,
  type TestApi,
} from "../../support/api.ts";
import {
  deliver,
  givenDead,
  givenDispatch,
  readDispatch,
  timePasses,
} from "../../support/dispatches.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import { openTransaction, untilBlocked } from "../../support/model/locks.ts";
import { offering } from "../../support/offer-runs.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
  const body = { endpoint: "https://checks.example.com/hook" };
  expectDone(await api.call("PUT", "/pipelines/quality_automation", { body }));
});

const REASON = "The endpoint works again";
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

/** A dispatch that is dead, because its endpoint responded with 410. */
async function givenRefused(): Promise<string> {
  const id = await givenDispatch(api);
  await deliver(api, id, answering(410));
  return id;
}

describe("Listing dispatches", () => {
  it("filters by state, pipeline, and task, and paginates", async () => {
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
});

describe("Retrieving a dispatch", () => {
  it("returns its current state and the log of its changes", async () => {
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
      lastError: "endpoint_answered_410: The endpoint returned 410.",
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
  it("prevents its delivery, and logs the actor and the reason", async () => {
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

  it("cancels the waiting run if an attempt to deliver it failed", async () => {
    const id = await givenDispatch(api);
    await deliver(api, id, answering(500));
    const recalled = expectDone(await change(id, "recall"));
    expect(recalled).toMatchObject({ state: "recalled", attempts: 1, nextAttemptAt: null });
    expect(await runOf(recalled)).toMatchObject({ state: "CANCELLED" });
  });

  it("allows another dispatch for the step", async () => {
    const id = await givenDispatch(api);
    const body = { pipeline: "quality_automation", reason: "Once more" };
    const path = `/steps/${await stepOf(await readDispatch(api, id))}/dispatch`;
    expectProblem(await api.call("POST", path, { body }), "conflict", 409);
    expectDone(await change(id, "recall"));
    expectDone(await api.call("POST", path, { body }), 201);
  });

  it("is rejected while it is being delivered", async () => {
    const id = await givenDispatch(api);
    const { promise: answer, resolve } = Promise.withResolvers<Response>();
    let isRequested = false;
    const delivering = deliver(api, id, {
      fetch: () => {
        isRequested = true;
        return answer;
      },
    });
    await expect.poll(() => isRequested).toBe(true);
    const problem = expectProblem(await change(id, "recall"), "invalid_transition", 409);
    expect(problem.detail).toBe("It is being delivered right now.");
    resolve(new Response(null, { status: 200 }));
    await delivering;
    expect(await readDispatch(api, id)).toMatchObject({ state: "delivered" });
  });

  it("is rejected if a worker has reported on its run, whatever the endpoint responded", async () => {
    const id = await givenDispatch(api);
    await deliver(api, id, answering(500));
    const { runId } = await readDispatch(api, id);
    const body = { state: "RUNNING" };
    expectDone(await api.call("PATCH", `/worker-runs/${runId}`, { as: "service", body }));
    const problem = expectProblem(await change(id, "recall"), "invalid_transition", 409);
    expect(problem.detail).toContain("it was delivered");
  });

  test.each(["delivered", "dead", "recalled"] as const)("is rejected if it is %s", async (end) => {
    const id = await givenDispatch(api);
    if (end === "recalled") expectDone(await change(id, "recall"));
    else await deliver(api, id, answering(end === "dead" ? 410 : 200));
    const problem = expectProblem(await change(id, "recall"), "invalid_transition", 409);
    expect(problem).toMatchObject({ from: end, to: "recalled" });
    expect(problem.allowed).toEqual(end === "dead" ? ["pending"] : []);
  });
});

describe("A dispatch that the relay is sending again", () => {
  test.each<[string, (dispatch: DispatchRecord) => Promise<unknown>]>([
    ["a recall", ({ id }) => change(id, "recall")],
    ["an attempt", ({ id }) => deliver(api, id, answering(200))],
    [
      "a move",
      ({ taskId }) =>
        api.call("POST", `/tasks/${taskId}/versions`, { body: { content: {}, reason: "Again" } }),
    ],
  ])("is changed by %s after that, so that its log has no gap", async (_, act) => {
    const id = await givenDispatch(api);
    const dispatch = await readDispatch(api, id);
    await timePasses(api.database, 3600);
    const relaying = await openTransaction(api.database, [
      { text: "select claim_dispatches(1000)" },
    ]);
    const acting = act(dispatch);
    await untilBlocked(api.database);
    await relaying.end();
    await acting;
    const { log } = await readDispatch(api, id);
    expect(log.length).toBeGreaterThan(3);
    expect(log.map(({ from }) => from)).toEqual([null, ...log.slice(0, -1).map(({ to }) => to)]);
  });
});

it("A dispatch that was recalled is not marked as sent by a relay that had claimed it before", async () => {
  const id = await givenDispatch(api);
  expectDone(await change(id, "recall"));
  await api.database.query("application", "select mark_dispatches_sent($1::json)", [
    JSON.stringify([{ tenant_id: api.tenant.id, id }]),
  ]);
  expect((await readDispatch(api, id)).state).toBe("recalled");
});

it("A dispatch that is being recalled is not marked as sent once that is committed", async () => {
  const own = await freshApi();
  const id = await givenDispatch(own);
  const pending = "update pipeline_dispatches set state = 'pending' where id = $1";
  await own.database.query("superuser", pending, [id]);
  const recall = "update pipeline_dispatches set state = 'recalled' where id = $1";
  const recalling = await openTransaction(own.database, [{ text: recall, values: [id] }]);
  const marking = own.database.query("application", "select mark_dispatches_sent($1::json)", [
    JSON.stringify([{ tenant_id: own.tenant.id, id }]),
  ]);
  await untilBlocked(own.database);
  await recalling.end();
  await marking;
  expect((await readDispatch(own, id)).state).toBe("recalled");
});

describe("Retrying a dispatch", () => {
  it("delivers it with the same run", async () => {
    const id = await givenRefused();
    const { runId } = await readDispatch(api, id);
    expect(expectDone(await change(id, "retry"))).toMatchObject({
      state: "pending",
      attempts: 0,
      lastError: null,
      runId,
    });
    // The relay puts it on the queue right after the response.
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

  it("is rejected if the task has left the step", async () => {
    const id = await givenRefused();
    const body = { content: {}, reason: "Start again" };
    const { taskId } = await readDispatch(api, id);
    expectDone(await api.call("POST", `/tasks/${taskId}/versions`, { body }), 201);
    const problem = expectProblem(await change(id, "retry"), "invalid_transition", 409);
    expect(problem).toMatchObject({
      allowed: [],
      detail: "The task no longer needs it.",
    });
  });

  it("is rejected if its run has ended", async () => {
    const id = await givenRefused();
    const { runId } = await readDispatch(api, id);
    const body = { state: "FAILED", error: "No worker started" };
    expectDone(await api.call("PATCH", `/worker-runs/${runId}`, { as: "service", body }));
    const problem = expectProblem(await change(id, "retry"), "invalid_transition", 409);
    expect(problem.detail).toBe("Its run has begun or ended. Request the pipeline again instead.");
  });

  it("is rejected for a payment whose approval was withdrawn", async () => {
    const task = await api.givenTask({ at: { kind: "expert_review", status: "in_review" } });
    const to = (status: string) =>
      api.call("PATCH", `/steps/${task.currentStep.id}`, {
        body: { status, reason: "Reviewed", runAttachedWorkflows: true },
      });
    expectDone(await to("approved"));
    const [payment] = await find(`task=${task.id}`);
    await givenDead(api.database, payment?.id ?? "");
    expectDone(await to("changes_requested"));
    expectProblem(await change(payment?.id ?? "", "retry"), "invalid_transition", 409);
  });

  it("is rejected if the pipeline was dispatched again meanwhile", async () => {
    const id = await givenRefused();
    const step = await stepOf(await readDispatch(api, id));
    const body = { pipeline: "quality_automation", reason: "Once more" };
    const again = await api.call<{ id: string }>("POST", `/steps/${step}/dispatch`, { body });
    const { id: rival } = expectDone(again, 201);
    const expectRejected = async () => {
      const problem = expectProblem(await change(id, "retry"), "conflict", 409);
      expect(problem.existing).toEqual({ id: rival });
    };
    await expectRejected();
    // The other dispatch is delivered, but its run still waits for a worker to claim it.
    await api.database.transaction("superuser", offering(rival));
    await expectRejected();
  });

  it("is rejected if the task is archived", async () => {
    const id = await givenRefused();
    const { taskId } = await readDispatch(api, id);
    expectDone(await api.call("POST", `/tasks/${taskId}/archive`, { body: {} }));
    expectProblem(await change(id, "retry"), "archived", 409);
  });

  it("is rejected if the task is being archived, once that is committed", async () => {
    const id = await givenRefused();
    const { taskId } = await readDispatch(api, id);
    const held = await openTransaction(api.database, [
      { text: "select from tasks where id = $1 for no key update", values: [taskId] },
    ]);
    const archiving = api.call("POST", `/tasks/${taskId}/archive`, { body: {} });
    await untilBlocked(api.database);
    const retrying = change(id, "retry");
    await untilBlocked(api.database, 2);
    await held.end();
    expectDone(await archiving);
    expectProblem(await retrying, "archived", 409);
  });

  test.each(["sent", "delivered", "recalled"] as const)("is rejected if it is %s", async (at) => {
    const id = await givenDispatch(api);
    if (at === "recalled") expectDone(await change(id, "recall"));
    if (at === "delivered") await deliver(api, id, answering(200));
    const problem = expectProblem(await change(id, "retry"), "invalid_transition", 409);
    expect(problem).toMatchObject({ from: at, to: "pending" });
  });

  it("delivers it an hour later", async () => {
    const id = await givenRefused();
    expectDone(await change(id, "retry"));
    await timePasses(api.database, 3600);
    expect(await deliver(api, id, answering(204))).toBe("acknowledged");
    await expectInvariantsHold(api.database);
  });
});

interface BatchResult {
  matched: number;
  examined: number;
  changed: number;
  refused: { reason: string; detail: string; count: number; examples: string[] }[];
  nextAfter: string | null;
}

describe("Retrying and recalling dispatches that match a filter", () => {
  let all: TestApi;
  beforeAll(async () => {
    all = await freshApi();
    const body = { endpoint: "https://checks.example.com/hook" };
    expectDone(await all.call("PUT", "/pipelines/quality_automation", { body }));
  });
  const many = (what: "retry" | "recall", body: object, options: CallOptions = {}) =>
    all.call<BatchResult>("POST", `/dispatches/${what}`, {
      as: "operator",
      body: { filter: {}, reason: REASON, ...body },
      ...options,
    });
  const refusedOf = ({ refused }: BatchResult) =>
    Object.fromEntries(refused.map(({ reason, count }) => [reason, count]));
  async function givenDeadOnes(count: number): Promise<string[]> {
    const ids: string[] = [];
    for (let made = 0; made < count; made += 1) {
      const id = await givenDispatch(all);
      await deliver(all, id, answering(422));
      ids.push(id);
    }
    return ids;
  }
  /** The states. A dispatch that was retried may have been sent to the queue by now. */
  const statesOf = async (ids: readonly string[]) =>
    Promise.all(
      ids.map(async (id) => {
        const { state } = await readDispatch(all, id);
        return state === "sent" ? "pending" : state;
      }),
    );

  it("changes each as the call for one of them would, and counts the others by their reason", async () => {
    const [ready = "", archived = "", left = "", done = "", again = ""] = await givenDeadOnes(5);
    const taskOf = async (id: string) => (await readDispatch(all, id)).taskId;
    const post = async (path: string, body: object) =>
      expect((await all.call("POST", path, { body })).status).toBeLessThan(300);
    await post(`/tasks/${await taskOf(archived)}/archive`, { reason: "Over" });
    const step = (await readDispatch(all, left)).stepId;
    const reject = { status: "rejected", reason: "No" };
    expectDone(await all.call("PATCH", `/steps/${step}`, { body: reject }));
    const { runId } = await readDispatch(all, done);
    const report = { state: "RUNNING" };
    expectDone(await all.call("PATCH", `/worker-runs/${runId}`, { as: "service", body: report }));
    const requested = await all.call<{ id: string }>(
      "POST",
      `/steps/${(await readDispatch(all, again)).stepId}/dispatch`,
      { body: { pipeline: "quality_automation", reason: "Once more" } },
    );
    const rival = expectDone(requested, 201).id;

    const ids = [ready, archived, left, done, again];
    const preview = expectDone(await many("retry", { dryRun: true }));
    expect(await statesOf(ids)).toEqual(ids.map(() => "dead"));
    const result = expectDone(await many("retry", {}));
    expect(result).toEqual({ ...preview, dryRun: false });
    expect(result).toMatchObject({ matched: 5, examined: 5, changed: 1, nextAfter: null });
    expect(refusedOf(result)).toEqual({
      archived: 1,
      unwanted: 1,
      run_begun: 1,
      requested_again: 1,
    });
    expect(await statesOf(ids)).toEqual(["pending", "dead", "dead", "dead", "dead"]);
    // What the call for one of them says.
    for (const { examples } of result.refused) {
      const [id = ""] = examples;
      const one = await all.call("POST", `/dispatches/${id}/retry`, { body: { reason: REASON } });
      expect(one.status).toBe(409);
    }
    const { log } = await readDispatch(all, ready);
    const retried = log.filter(({ from }) => from === "dead");
    expect(retried).toMatchObject([{ to: "pending", reason: REASON }]);

    const recalled = expectDone(
      await many("recall", { filter: { pipeline: "quality_automation" } }),
    );
    expect(recalled).toMatchObject({ matched: 2, changed: 2, refused: [] });
    expect(await statesOf([ready, rival])).toEqual(["recalled", "recalled"]);
    await expectInvariantsHold(all.database);
  });

  it("retries only the newest of several dead dispatches of one step", async () => {
    const [first = ""] = await givenDeadOnes(1);
    const { stepId, taskId } = await readDispatch(all, first);
    const body = { pipeline: "quality_automation", reason: "Once more" };
    const requested = await all.call<{ id: string }>("POST", `/steps/${stepId}/dispatch`, { body });
    const second = expectDone(requested, 201).id;
    await deliver(all, second, answering(422));
    const result = expectDone(await many("retry", { filter: { task: taskId } }));
    expect(result).toMatchObject({ matched: 2, changed: 1 });
    expect(refusedOf(result)).toEqual({ requested_again: 1 });
    expect(await statesOf([first, second])).toEqual(["dead", "pending"]);
    await expectInvariantsHold(all.database);
  });

  it("goes on after the part before, and repeats no part under its key", async () => {
    const ids = await givenDeadOnes(3);
    const { createdAt } = await readDispatch(all, ids[0] ?? "");
    const filter = { createdAfter: new Date(Date.parse(createdAt) - 1).toISOString() };
    const key = { idempotencyKey: crypto.randomUUID() };
    const part = expectDone(await many("retry", { filter, limit: 2 }, key));
    expect(part).toMatchObject({ matched: 3, changed: 2, nextAfter: ids[1] });
    const repeated = await many("retry", { filter, limit: 2 }, key);
    expect(expectDone(repeated)).toEqual(part);
    expect(repeated.headers.get("idempotency-replayed")).toBe("true");
    expect(await statesOf(ids)).toEqual(["pending", "pending", "dead"]);
    const rest = expectDone(await many("retry", { filter, limit: 2, after: part.nextAfter }));
    expect(rest).toMatchObject({ matched: 1, changed: 1, nextAfter: null });
  });

  it("changes once if the database's answer is lost after the commit", async () => {
    const [id = ""] = await givenDeadOnes(1);
    await all.database.faults({
      kind: "cut-after-commit",
      sql: "update pipeline_dispatches d set state",
    });
    const { taskId } = await readDispatch(all, id);
    const result = expectDone(await many("retry", { filter: { task: taskId } }));
    expect(result).toMatchObject({ matched: 1, changed: 1 });
    expect((await readDispatch(all, id)).log.filter(({ to }) => to === "pending")).toHaveLength(2);
  });

  it("changes each dispatch once if several calls meet, without a deadlock", async () => {
    const ids = await givenDeadOnes(12);
    const { createdAt } = await readDispatch(all, ids[0] ?? "");
    const filter = { createdAfter: new Date(Date.parse(createdAt) - 1).toISOString() };
    const retries = await Promise.all([1, 2, 3, 4].map(() => many("retry", { filter })));
    const changed = retries.map((answer) => expectDone(answer).changed);
    expect(changed.reduce((sum, count) => sum + count)).toBe(ids.length);
    const both = await Promise.all([
      many("recall", { filter }),
      many("retry", { filter }),
      many("recall", { filter }),
    ]);
    const [one, , other] = both.map((answer) => expectDone(answer).changed);
    expect((one ?? 0) + (other ?? 0)).toBe(ids.length);
    expect(await statesOf(ids)).toEqual(ids.map(() => "recalled"));
    await expectInvariantsHold(all.database);
  });

  it("says of an explicit state why nothing of it can be changed", async () => {
    const id = await givenDispatch(all);
    await deliver(all, id, answering(200));
    const { taskId } = await readDispatch(all, id);
    const filter = { task: taskId, state: "delivered" };
    expect(refusedOf(expectDone(await many("retry", { filter })))).toEqual({ not_dead: 1 });
    expect(refusedOf(expectDone(await many("recall", { filter })))).toEqual({ not_open: 1 });
  });

  test.each([
    ["no filter", { filter: undefined }],
    ["no reason", { reason: undefined }],
    ["an unknown member of the filter", { filter: { label: "DRAFT" } }],
    ["a limit over a thousand", { limit: 1001 }],
    ["a place that is no id", { after: "first" }],
  ])("refuses %s", async (_, body) => {
    for (const what of ["retry", "recall"] as const) {
      expectProblem(await many(what, body), "validation_failed", 400);
    }
  });

  it("is for operators", async () => {
    for (const what of ["retry", "recall"] as const) {
      expectProblem(await many(what, {}, { as: "viewer" }), "forbidden", 403);
    }
  });
});
