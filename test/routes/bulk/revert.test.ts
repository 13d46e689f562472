import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import type { StepEventView } from "../../../src/actions/views/event-view.ts";
import { BULK_ALLOWED_TARGETS } from "../../../src/domain/bulk/matrix.ts";
import { UNIFIED_STATUSES } from "../../../src/domain/status/unified.ts";
import {
  expectDone,
  expectProblem,
  freshApi,
  PLACE_OF_LABEL,
  type TestApi,
} from "../../support/api.ts";
import { givenManyAt } from "../../support/given-many.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import { openTransaction, untilBlocked } from "../../support/model/locks.ts";
import {
  act,
  addNote,
  deliverDispatches,
  dispatchStates,
  execute,
  labelOf,
  operationOf,
  revert,
  rowCounts,
} from "./support.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});
afterAll(() => expectInvariantsHold(api.database));

const IN_REVIEW = PLACE_OF_LABEL.IN_REVIEW;
const PASS = { targetStatus: "PASSED", runAttachedWorkflows: true } as const;

const readTask = async (id: string) =>
  expectDone(await api.call<TaskView>("GET", `/tasks/${id}`, { as: "viewer" }));

describe("Reverting a bulk change", () => {
  test.each(
    UNIFIED_STATUSES.flatMap((from) => BULK_ALLOWED_TARGETS[from].map((to) => [from, to] as const)),
  )("puts a task back from %s → %s, even if no transition leads back", async (from, to) => {
    const before = await api.givenTask({ at: PLACE_OF_LABEL[from] });
    const done = expectDone(await execute(api, { taskIds: [before.id], targetStatus: to }));
    const reverted = await revert(api, done.operationId);
    expect(reverted).toMatchObject({
      state: "completed",
      reverted: 1,
      movedOn: 0,
      recalled: 0,
      alreadyDelivered: 0,
      items: [{ taskId: before.id, outcome: "changed", from: to, to: from }],
    });
    const after = await readTask(before.id);
    expect(after).toMatchObject({
      unifiedStatus: from,
      currentStep: before.currentStep,
      eventSeq: before.eventSeq + 2,
    });
  });

  test("skips and reports tasks that have moved on", async () => {
    const taskIds = await givenManyAt(api, 5, IN_REVIEW);
    const [first = "", second = ""] = taskIds;
    const done = expectDone(await execute(api, { taskIds, targetStatus: "PASSED" }));
    await addNote(api, first);
    expectDone(await execute(api, { taskIds: [second], targetStatus: "REJECTED" }));
    const reverted = await revert(api, done.operationId);
    expect(reverted).toMatchObject({ state: "partial", reverted: 3, movedOn: 2 });
    expect(reverted.items.slice(0, 2)).toEqual([
      { taskId: first, outcome: "stale", code: "stale", from: "PASSED", to: "IN_REVIEW" },
      { taskId: second, outcome: "stale", code: "stale", from: "PASSED", to: "IN_REVIEW" },
    ]);
    expect(await labelOf(api, first)).toBe("PASSED");
    expect(await labelOf(api, second)).toBe("REJECTED");
  });

  test("writes an event that names the reverted event, the actor and the reason", async () => {
    const [taskId = ""] = await givenManyAt(api, 1, IN_REVIEW);
    const done = expectDone(await execute(api, { taskIds: [taskId], targetStatus: "PASSED" }));
    const reverted = await revert(api, done.operationId);
    const { data } = expectDone(
      await api.call<{ data: StepEventView[] }>("GET", `/tasks/${taskId}/events`),
    );
    expect(data.at(-1)).toMatchObject({
      seq: 3,
      type: "bulk_reverted",
      from: "approved",
      to: "in_review",
      fromGate: "passed",
      toGate: "evaluating",
      payload: { undoes: 2 },
      reason: "It was a mistake.",
      bulkOperationId: reverted.operationId,
      actor: { name: "first reviewer key" },
    });
    const verified = await api.call("GET", `/tasks/${taskId}/events/verify`);
    expect(expectDone(verified)).toMatchObject({ valid: true, events: 3 });
  });

  test("is shown by both operations", async () => {
    const taskIds = await givenManyAt(api, 2, IN_REVIEW);
    const { operationId } = expectDone(await execute(api, { taskIds, targetStatus: "PASSED" }));
    expect(await operationOf(api, operationId)).toMatchObject({ revertible: true });
    const reverted = await revert(api, operationId);
    expect(await operationOf(api, operationId)).toMatchObject({
      revertible: false,
      revertedBy: reverted.operationId,
    });
    expect(await operationOf(api, reverted.operationId)).toMatchObject({
      action: "revert",
      targetStatus: null,
      parentId: operationId,
      revertible: false,
      counts: { requested: 2, changed: 2 },
    });
  });

  test("takes two round trips for 1,000 tasks, including their recalled dispatches", async () => {
    const taskIds = await givenManyAt(api, 1000, IN_REVIEW);
    const done = expectDone(await execute(api, { taskIds, ...PASS }));
    const roundTrips = await api.roundTripsOf(async () => {
      expect(await revert(api, done.operationId)).toMatchObject({ reverted: 1000, recalled: 1000 });
    });
    expect(roundTrips).toBe(2);
  });
});

describe("Reverting a bulk change that ran pipelines", () => {
  test("pays once for approve, revert and approve again", async () => {
    const taskIds = await givenManyAt(api, 3, IN_REVIEW);
    const approved = expectDone(await execute(api, { taskIds, ...PASS }));
    expect(approved.dispatched).toBe(3);
    expect(await revert(api, approved.operationId)).toMatchObject({
      recalled: 3,
      alreadyDelivered: 0,
    });
    const again = expectDone(await execute(api, { taskIds, ...PASS }));
    expect(again).toMatchObject({ counts: { changed: 3 }, dispatched: 3 });
    for (const taskId of taskIds) {
      const states = await dispatchStates(api, taskId);
      expect(states.filter((state) => state !== "recalled")).toHaveLength(1);
    }
  });

  test("reports payments that were delivered, and does not pay again", async () => {
    const taskIds = await givenManyAt(api, 3, IN_REVIEW);
    const [paid = "", leaving = "", waiting = ""] = taskIds;
    const approved = expectDone(await execute(api, { taskIds, ...PASS }));
    await deliverDispatches(api, paid);
    await api.database.query(
      "owner",
      "update pipeline_dispatches set lease_until = now() + interval '1 minute' where task_id = $1",
      [leaving],
    );
    expect(await revert(api, approved.operationId)).toMatchObject({
      reverted: 3,
      recalled: 1,
      alreadyDelivered: 2,
    });
    const again = expectDone(await execute(api, { taskIds, ...PASS }));
    expect(again).toMatchObject({ counts: { changed: 3 }, dispatched: 1 });
    expect(await dispatchStates(api, paid)).toEqual(["delivered"]);
    expect(await dispatchStates(api, waiting)).toHaveLength(2);
  });

  test("cancels the run of a dispatch that was attempted and is recalled", async () => {
    const taskIds = await givenManyAt(api, 1, PLACE_OF_LABEL.OUTPUT_FAILED);
    const retried = expectDone(
      await execute(api, { taskIds, action: "retry", runAttachedWorkflows: true }),
    );
    await api.database.query(
      "owner",
      `insert into worker_runs (tenant_id, id, task_id, version_id, step_id, type, state, dispatch_id, deadline_at,
         created_by)
       select tenant_id, new_id(), task_id, version_id, step_id, 'OUTPUT_GENERATION', 'QUEUED', id, now(), 'relay'
       from pipeline_dispatches where bulk_operation_id = $1`,
      [retried.operationId],
    );
    expect(await revert(api, retried.operationId)).toMatchObject({ reverted: 1, recalled: 1 });
    const runs = await api.database.query(
      "owner",
      "select state from worker_runs where task_id = $1",
      [taskIds[0] ?? ""],
    );
    expect(runs).toEqual([{ state: "CANCELLED" }]);
  });

  test("waits for a relay that is sending the payment again, so that its log has no gap", async () => {
    const taskIds = await givenManyAt(api, 1, IN_REVIEW);
    const passed = expectDone(await execute(api, { taskIds, ...PASS }));
    await expect.poll(() => dispatchStates(api, taskIds[0] ?? "")).toEqual(["sent"]);
    const due = "update pipeline_dispatches set next_attempt_at = now() where task_id = $1";
    await api.database.query("owner", due, taskIds);
    const relaying = await openTransaction(api.database, [
      { text: "select claim_dispatches(1000)" },
    ]);
    const reverting = revert(api, passed.operationId);
    await untilBlocked(api.database);
    await relaying.end();
    expect(await reverting).toMatchObject({ reverted: 1, recalled: 1 });
    const log = await api.database.query(
      "owner",
      `select e.from_state, e.to_state from dispatch_events e join pipeline_dispatches d on d.id = e.dispatch_id
       where d.task_id = $1 order by e.position`,
      taskIds,
    );
    expect(log.map(({ from_state }) => from_state)).toEqual([
      null,
      ...log.slice(0, -1).map(({ to_state }) => to_state),
    ]);
  });

  test("leaves the run of a recalled payment on which a worker has reported", async () => {
    const taskIds = await givenManyAt(api, 1, IN_REVIEW);
    const passed = expectDone(await execute(api, { taskIds, ...PASS }));
    await api.database.query(
      "owner",
      `insert into worker_runs (tenant_id, id, task_id, version_id, step_id, type, state, dispatch_id, deadline_at,
         created_by)
       select tenant_id, new_id(), task_id, version_id, step_id, 'PAYMENT', 'RUNNING', id, now() + interval '1 hour',
         'relay'
       from pipeline_dispatches where bulk_operation_id = $1`,
      [passed.operationId],
    );
    expect(await revert(api, passed.operationId)).toMatchObject({ reverted: 1, recalled: 1 });
    const runs = "select state from worker_runs where task_id = $1 and type = 'PAYMENT'";
    expect(await api.database.query("owner", runs, [taskIds[0] ?? ""])).toEqual([
      { state: "RUNNING" },
    ]);
  });
});

describe("Reverting an action", () => {
  test("returns retried tasks to failed", async () => {
    const taskIds = await givenManyAt(api, 2, PLACE_OF_LABEL.OUTPUT_FAILED);
    const done = expectDone(await execute(api, { taskIds, action: "retry" }));
    expect(await revert(api, done.operationId)).toMatchObject({ reverted: 2 });
    expect(await labelOf(api, taskIds[0] ?? "")).toBe("OUTPUT_FAILED");
  });

  test("gives each edited task its own old values", async () => {
    const one = await api.givenTask({ assignee: "ada", priority: 3 });
    const other = await api.givenTask({ priority: 9 });
    const taskIds = [one.id, other.id];
    const changes = { assignee: "bob", priority: 9 };
    const done = expectDone(await execute(api, { taskIds, action: "edit", changes }));
    expect(await readTask(other.id)).toMatchObject(changes);
    expect(await revert(api, done.operationId)).toMatchObject({ reverted: 2 });
    expect(await readTask(one.id)).toMatchObject({ assignee: "ada", priority: 3 });
    expect(await readTask(other.id)).toMatchObject({ assignee: null, priority: 9 });
  });

  test("recalls undelivered dispatches of run_pipelines, even if the task has moved on", async () => {
    const taskIds = await givenManyAt(api, 3, { kind: "pre_qa", status: "queued" });
    const [noted = "", delivered = ""] = taskIds;
    const run = { taskIds, action: "run_pipelines", runAttachedWorkflows: true } as const;
    const done = expectDone(await execute(api, run));
    await addNote(api, noted);
    await deliverDispatches(api, delivered);
    const reverted = await revert(api, done.operationId);
    expect(reverted).toMatchObject({ reverted: 2, movedOn: 1, recalled: 2, alreadyDelivered: 1 });
    expect(reverted.items.map(({ outcome }) => outcome)).toEqual(["changed", "stale", "changed"]);
    expect(await dispatchStates(api, noted)).toEqual(["recalled"]);
    expect(await dispatchStates(api, delivered)).toEqual(["delivered"]);
  });

  test("is not possible for an advance", async () => {
    const taskIds = await givenManyAt(api, 1, { kind: "pre_qa", status: "approved" });
    const done = expectDone(await execute(api, { taskIds, action: "advance" }));
    expect(await operationOf(api, done.operationId)).toMatchObject({ revertible: false });
    expectProblem(await act(api, done.operationId, "revert"), "not_revertible", 409);
  });
});

describe("A revert", () => {
  test("refuses a revert, an operation that changed nothing, and one that is already reverted", async () => {
    const taskIds = await givenManyAt(api, 1, IN_REVIEW);
    const done = expectDone(await execute(api, { taskIds, targetStatus: "PASSED" }));
    const reverted = await revert(api, done.operationId);
    const idle = expectDone(await execute(api, { taskIds: ["nobody"], targetStatus: "PASSED" }));
    for (const { operationId } of [reverted, idle, done]) {
      expectProblem(await act(api, operationId, "revert"), "not_revertible", 409);
    }
    expectProblem(await act(api, crypto.randomUUID(), "revert"), "not_found", 404);
  });

  test("refuses all but one of several concurrent reverts", async () => {
    const taskIds = await givenManyAt(api, 10, IN_REVIEW);
    const done = expectDone(await execute(api, { taskIds, targetStatus: "PASSED" }));
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => act(api, done.operationId, "revert")),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 200)) {
      expectProblem(answer, "not_revertible", 409);
    }
  });

  test("answers a repeat of the call byte for byte, and writes nothing", async () => {
    const taskIds = await givenManyAt(api, 3, IN_REVIEW);
    const done = expectDone(await execute(api, { taskIds, ...PASS }));
    await addNote(api, taskIds[0] ?? "");
    const idempotencyKey = crypto.randomUUID();
    const first = await act(api, done.operationId, "revert", { idempotencyKey });
    expect(expectDone(first)).toMatchObject({ reverted: 2, movedOn: 1, recalled: 2 });
    const before = await rowCounts(api);
    const second = await act(api, done.operationId, "revert", { idempotencyKey });
    expect(second.text).toBe(first.text);
    expect(second.headers.get("idempotency-replayed")).toBe("true");
    expect(await rowCounts(api)).toEqual(before);
  });

  test("is found by the service's own retry if the answer was lost", async () => {
    const taskIds = await givenManyAt(api, 3, IN_REVIEW);
    const done = expectDone(await execute(api, { taskIds, ...PASS }));
    await api.database.faults({ kind: "cut-after-commit", sql: "insert into bulk_operations" });
    const reverted = await revert(api, done.operationId);
    expect(reverted).toMatchObject({ reverted: 3, recalled: 3 });
  });
});
