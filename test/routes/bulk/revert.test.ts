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

describe("taking a bulk change back", () => {
  test.each(
    UNIFIED_STATUSES.flatMap((from) => BULK_ALLOWED_TARGETS[from].map((to) => [from, to] as const)),
  )("puts a task back from %s → %s, whether or not the tables lead there", async (from, to) => {
    const before = await api.givenTask({ at: PLACE_OF_LABEL[from] });
    const done = expectDone(await execute(api, { taskIds: [before.id], targetStatus: to }));
    const undone = await revert(api, done.operationId);
    expect(undone).toMatchObject({
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

  test("leaves and reports the tasks that moved on", async () => {
    const taskIds = await givenManyAt(api, 5, IN_REVIEW);
    const [first = "", second = ""] = taskIds;
    const done = expectDone(await execute(api, { taskIds, targetStatus: "PASSED" }));
    await addNote(api, first);
    expectDone(await execute(api, { taskIds: [second], targetStatus: "REJECTED" }));
    const undone = await revert(api, done.operationId);
    expect(undone).toMatchObject({ state: "partial", reverted: 3, movedOn: 2 });
    expect(undone.items.slice(0, 2)).toEqual([
      { taskId: first, outcome: "stale", code: "stale", from: "PASSED", to: "IN_REVIEW" },
      { taskId: second, outcome: "stale", code: "stale", from: "PASSED", to: "IN_REVIEW" },
    ]);
    expect(await labelOf(api, first)).toBe("PASSED");
    expect(await labelOf(api, second)).toBe("REJECTED");
  });

  test("names the event that it undoes, and who did it why", async () => {
    const [taskId = ""] = await givenManyAt(api, 1, IN_REVIEW);
    const done = expectDone(await execute(api, { taskIds: [taskId], targetStatus: "PASSED" }));
    const undone = await revert(api, done.operationId);
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
      bulkOperationId: undone.operationId,
      actor: { name: "first reviewer key" },
    });
    const verified = await api.call("GET", `/tasks/${taskId}/events/verify`);
    expect(expectDone(verified)).toMatchObject({ valid: true, events: 3 });
  });

  test("is told by both operations", async () => {
    const taskIds = await givenManyAt(api, 2, IN_REVIEW);
    const { operationId } = expectDone(await execute(api, { taskIds, targetStatus: "PASSED" }));
    expect(await operationOf(api, operationId)).toMatchObject({ revertible: true });
    const undone = await revert(api, operationId);
    expect(await operationOf(api, operationId)).toMatchObject({
      revertible: false,
      revertedBy: undone.operationId,
    });
    expect(await operationOf(api, undone.operationId)).toMatchObject({
      action: "revert",
      targetStatus: null,
      parentId: operationId,
      revertible: false,
      counts: { requested: 2, changed: 2 },
    });
  });

  test("costs two round trips for a thousand tasks, dispatches called back included", async () => {
    const taskIds = await givenManyAt(api, 1000, IN_REVIEW);
    const done = expectDone(await execute(api, { taskIds, ...PASS }));
    const roundTrips = await api.roundTripsOf(async () => {
      expect(await revert(api, done.operationId)).toMatchObject({ reverted: 1000, recalled: 1000 });
    });
    expect(roundTrips).toBe(2);
  });
});

describe("a revert and the pipelines that ran", () => {
  test("approve, undo, approve again is one payment", async () => {
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

  test("tells money that left, and it does not leave again", async () => {
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

  test("cancels the run of a dispatch that was tried and is called back", async () => {
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
});

describe("an action that is taken back", () => {
  test("retry: the tasks have failed again", async () => {
    const taskIds = await givenManyAt(api, 2, PLACE_OF_LABEL.OUTPUT_FAILED);
    const done = expectDone(await execute(api, { taskIds, action: "retry" }));
    expect(await revert(api, done.operationId)).toMatchObject({ reverted: 2 });
    expect(await labelOf(api, taskIds[0] ?? "")).toBe("OUTPUT_FAILED");
  });

  test("edit: each field has the value that its own task had", async () => {
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

  test("run_pipelines: what has not left is called back, whatever became of the task", async () => {
    const taskIds = await givenManyAt(api, 3, { kind: "pre_qa", status: "queued" });
    const [noted = "", delivered = ""] = taskIds;
    const run = { taskIds, action: "run_pipelines", runAttachedWorkflows: true } as const;
    const done = expectDone(await execute(api, run));
    await addNote(api, noted);
    await deliverDispatches(api, delivered);
    const undone = await revert(api, done.operationId);
    expect(undone).toMatchObject({ reverted: 2, movedOn: 1, recalled: 2, alreadyDelivered: 1 });
    expect(undone.items.map(({ outcome }) => outcome)).toEqual(["changed", "stale", "changed"]);
    expect(await dispatchStates(api, noted)).toEqual(["recalled"]);
    expect(await dispatchStates(api, delivered)).toEqual(["delivered"]);
  });

  test("advance: it cannot be", async () => {
    const taskIds = await givenManyAt(api, 1, { kind: "pre_qa", status: "approved" });
    const done = expectDone(await execute(api, { taskIds, action: "advance" }));
    expect(await operationOf(api, done.operationId)).toMatchObject({ revertible: false });
    expectProblem(await act(api, done.operationId, "revert"), "not_revertible", 409);
  });
});

describe("what a revert does not take", () => {
  test("a revert, an operation that changed nothing, one that was taken back, an unknown one", async () => {
    const taskIds = await givenManyAt(api, 1, IN_REVIEW);
    const done = expectDone(await execute(api, { taskIds, targetStatus: "PASSED" }));
    const undone = await revert(api, done.operationId);
    const idle = expectDone(await execute(api, { taskIds: ["nobody"], targetStatus: "PASSED" }));
    for (const { operationId } of [undone, idle, done]) {
      expectProblem(await act(api, operationId, "revert"), "not_revertible", 409);
    }
    expectProblem(await act(api, crypto.randomUUID(), "revert"), "not_found", 404);
  });

  test("a second one at the same moment: one takes back, the others are told so", async () => {
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

  test("a repeat of the call gets the first answer byte for byte, and writes nothing", async () => {
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

  test("is found by the service itself where its answer was lost", async () => {
    const taskIds = await givenManyAt(api, 3, IN_REVIEW);
    const done = expectDone(await execute(api, { taskIds, ...PASS }));
    await api.database.faults({ kind: "cut-after-commit", sql: "insert into bulk_operations" });
    const undone = await revert(api, done.operationId);
    expect(undone).toMatchObject({ reverted: 3, recalled: 3 });
  });
});
