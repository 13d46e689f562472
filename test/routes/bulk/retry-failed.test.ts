import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import type { AnalyticsEventRecord } from "../../../src/db/stats/analytics.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";
import { givenManyAt } from "../../support/given-many.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import { openTransaction, untilBlocked } from "../../support/model/locks.ts";
import {
  act,
  addNote,
  execute,
  expectInLedger,
  labelOf,
  operationOf,
  planRetry,
  planTokenFor,
  retry,
  revert,
  rowCounts,
} from "./support.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});
afterAll(() => expectInvariantsHold(api.database));

/** An operation over three tasks. The first one was stale. */
const givenPartial = async () => {
  const taskIds = await givenManyAt(api, 3, { kind: "expert_review", status: "in_review" });
  const body = { taskIds, targetStatus: "PASSED", runAttachedWorkflows: true } as const;
  const planToken = await planTokenFor(api, body);
  await addNote(api, taskIds[0] ?? "");
  const done = expectDone(await execute(api, { ...body, planToken, onStale: "skip" }));
  expect(done).toMatchObject({ state: "partial", counts: { changed: 2, stale: 1 } });
  return { taskIds, done };
};

describe("Retrying tasks that failed or were stale", () => {
  test("opens a child operation over only those tasks, planned from their present state", async () => {
    const { taskIds, done } = await givenPartial();
    const [stale = ""] = taskIds;
    const child = expectDone(await retry(api, done.operationId));
    expect(child).toMatchObject({
      state: "completed",
      counts: { requested: 1, changed: 1 },
      dispatched: 1,
      items: [{ taskId: stale, outcome: "changed", from: "IN_REVIEW", to: "PASSED" }],
    });
    await expectInLedger(api, child);
    expect(await operationOf(api, child.operationId)).toMatchObject({
      parentId: done.operationId,
      reason: "Decided in bulk.",
      runAttachedWorkflows: true,
      targetStatus: "PASSED",
    });
    expect(await operationOf(api, done.operationId)).toMatchObject({ revertedBy: null });
  });

  test("accepts another reason, and refuses what is no longer lawful", async () => {
    const { taskIds, done } = await givenPartial();
    const [stale = ""] = taskIds;
    expectDone(await execute(api, { taskIds: [stale], targetStatus: "DUPLICATE" }));
    const body = { reason: "Once more." };
    const child = expectDone(await retry(api, done.operationId, body));
    expect(child.items).toMatchObject([{ outcome: "refused", code: "illegal_target" }]);
    expect(await operationOf(api, child.operationId)).toMatchObject(body);
  });

  test("takes two round trips, and answers a repeat with the same bytes", async () => {
    const { done } = await givenPartial();
    const { planToken } = expectDone(await planRetry(api, done.operationId, { as: "reviewer" }));
    const call = { idempotencyKey: crypto.randomUUID(), body: { planToken } };
    const roundTrips = await api.roundTripsOf(async () => {
      expectDone(await act(api, done.operationId, "retry-failed", call));
    });
    expect(roundTrips).toBe(2);
    const first = await act(api, done.operationId, "retry-failed", call);
    const second = await act(api, done.operationId, "retry-failed", call);
    expect(expectDone(second)).toMatchObject({ counts: { changed: 1 } });
    expect(second.text).toBe(first.text);
  });

  test("shows the tasks as they are now, and changes nothing before its plan is passed on", async () => {
    const { taskIds, done } = await givenPartial();
    const [stale = ""] = taskIds;
    const plan = expectDone(await planRetry(api, done.operationId));
    expect(plan).toMatchObject({
      targetStatus: "PASSED",
      taskIds: [stale],
      counts: { requested: 1, eligible: 1 },
      items: [{ taskId: stale, decision: "eligible", from: "IN_REVIEW", to: "PASSED" }],
    });
    const before = await rowCounts(api);
    const missing = await act(api, done.operationId, "retry-failed", { body: {} });
    expect(expectProblem(missing, "validation_failed", 400).issues).toMatchObject([
      { path: ["planToken"], code: "required" },
    ]);
    // The token of a change of the same tasks is not one of a retry, nor is that of another caller.
    const body = { taskIds: [stale], targetStatus: "PASSED", runAttachedWorkflows: true } as const;
    for (const planToken of [await planTokenFor(api, body), plan.planToken]) {
      const answer = await act(api, done.operationId, "retry-failed", { body: { planToken } });
      expectProblem(answer, "invalid_plan_token", 400);
    }
    expect(await rowCounts(api)).toEqual(before);
  });

  test("stops, or leaves a task out, if it has changed since the plan", async () => {
    const { taskIds, done } = await givenPartial();
    const [stale = ""] = taskIds;
    const { planToken } = expectDone(await planRetry(api, done.operationId, { as: "reviewer" }));
    await addNote(api, stale);
    const retried = (onStale: string) =>
      act(api, done.operationId, "retry-failed", { body: { planToken, onStale } });
    const stopped = expectProblem(await retried("abort"), "plan_stale", 409);
    expect(stopped).toMatchObject({ changed: [{ taskId: stale, unifiedStatus: "IN_REVIEW" }] });
    expect(expectDone(await retried("skip"))).toMatchObject({ items: [{ outcome: "stale" }] });
    // What that retry left is retried with it, or with the first operation.
    expect(expectDone(await retry(api, done.operationId)).counts).toMatchObject({ changed: 1 });
  });

  test("never does a second time what a retry has done", async () => {
    const taskIds = await givenManyAt(api, 2, { kind: "authoring", status: "approved" });
    const [stale = ""] = taskIds;
    const body = { taskIds, action: "advance" } as const;
    const planToken = await planTokenFor(api, body);
    await addNote(api, stale);
    const done = expectDone(await execute(api, { ...body, planToken, onStale: "skip" }));
    const first = await planRetry(api, done.operationId, { as: "reviewer" });
    const { planToken: retryToken } = expectDone(first);
    expect(expectDone(await retry(api, done.operationId)).counts).toMatchObject({ changed: 1 });
    // The step could be advanced once more if its new gate were open.
    const { currentStep } = expectDone(await api.call<TaskView>("GET", `/tasks/${stale}`));
    const waived = { body: { gate: "waived", reason: "Not needed" } };
    expectDone(await api.call("PATCH", `/steps/${currentStep.id}/gate`, waived));
    expectProblem(await planRetry(api, done.operationId), "not_retriable", 409);
    const again = { body: { planToken: retryToken } };
    expectProblem(await act(api, done.operationId, "retry-failed", again), "not_retriable", 409);
  });

  const expectNotRetriable = async (operationId: string) => {
    const before = await rowCounts(api);
    expectProblem(await planRetry(api, operationId), "not_retriable", 409);
    const body = { planToken: "any" };
    const answer = await act(api, operationId, "retry-failed", { body });
    expectProblem(answer, "not_retriable", 409);
    expect(await rowCounts(api)).toEqual(before);
  };

  test("refuses an operation without such tasks, and one that has not ended", async () => {
    const [taskId = ""] = await givenManyAt(api, 1, { kind: "pre_qa", status: "failed" });
    const done = expectDone(await execute(api, { taskIds: [taskId], action: "retry" }));
    await expectNotRetriable(done.operationId);
    const { done: partial } = await givenPartial();
    for (const state of ["running", "queued", "cancelled"]) {
      await api.database.query(
        "owner",
        `update bulk_operations set state = $2, cancel_requested_at = now(),
          finished_at = case when $2 = 'cancelled' then now() end where id = $1`,
        [partial.operationId, state],
      );
      await expectNotRetriable(partial.operationId);
    }
    await api.database.query(
      "owner",
      `update bulk_operations set state = 'partial', cancel_requested_at = null, finished_at = now()
        where id = $1`,
      [partial.operationId],
    );
    const unknown = crypto.randomUUID();
    expectProblem(await planRetry(api, unknown), "not_found", 404);
    expectProblem(await act(api, unknown, "retry-failed", { body: {} }), "not_found", 404);
  });

  test("refuses an operation that was reverted, its retries, and a revert with nothing failed", async () => {
    const { taskIds, done } = await givenPartial();
    const [stale = ""] = taskIds;
    const { planToken } = expectDone(await planRetry(api, done.operationId, { as: "reviewer" }));
    await addNote(api, stale);
    const body = { planToken, onStale: "skip" };
    const child = expectDone(await act(api, done.operationId, "retry-failed", { body }));
    expect(child.counts).toMatchObject({ stale: 1 });
    await addNote(api, taskIds[1] ?? "");
    const reverted = await revert(api, done.operationId);
    expect(reverted).toMatchObject({ reverted: 1, movedOn: 1 });
    await expectNotRetriable(done.operationId);
    await expectNotRetriable(child.operationId);
    await expectNotRetriable(reverted.operationId);
    expect(await labelOf(api, stale)).toBe("IN_REVIEW");
  });

  test("refuses an operation whose original can no longer be named", async () => {
    const taskIds = await givenManyAt(api, 2, { kind: "expert_review", status: "in_review" });
    const [stale = "", original = ""] = taskIds;
    const change = { taskIds: [stale], targetStatus: "DUPLICATE", duplicateOf: original } as const;
    const planToken = await planTokenFor(api, change);
    await addNote(api, stale);
    const done = expectDone(await execute(api, { ...change, planToken, onStale: "skip" }));
    expectDone(await planRetry(api, done.operationId));
    expectDone(await execute(api, { taskIds: [original], targetStatus: "REJECTED" }));
    await expectNotRetriable(done.operationId);
  });

  test("refuses an operation that is reverted between the plan and its retry", async () => {
    const { done } = await givenPartial();
    const { planToken } = expectDone(await planRetry(api, done.operationId, { as: "reviewer" }));
    await api.database.faults({
      kind: "delay",
      delayMilliseconds: 400,
      sql: "insert into bulk_operations",
      times: 1,
    });
    const retried = act(api, done.operationId, "retry-failed", { body: { planToken } });
    await expect.poll(() => api.database.waitingFaults()).toBe(0);
    await revert(api, done.operationId);
    expectProblem(await retried, "not_retriable", 409);
    await api.database.clearFaults();
  });

  test("refuses an operation whose revert is under way", async () => {
    const { taskIds, done } = await givenPartial();
    const { planToken } = expectDone(await planRetry(api, done.operationId, { as: "reviewer" }));
    // The revert waits for this task, which the retry does not touch.
    const holding = await openTransaction(api.database, [
      { text: "select from tasks where id = $1 for no key update", values: [taskIds[1] ?? ""] },
    ]);
    const reverting = act(api, done.operationId, "revert");
    await untilBlocked(api.database);
    const retried = act(api, done.operationId, "retry-failed", { body: { planToken } });
    await untilBlocked(api.database, 2);
    await holding.end();
    expectDone(await reverting);
    expectProblem(await retried, "not_retriable", 409);
  });

  test("of a revert reverts the tasks that the database refused", async () => {
    const taskIds = await givenManyAt(api, 3, { kind: "expert_review", status: "in_review" });
    const [poisoned = ""] = taskIds;
    const done = expectDone(await execute(api, { taskIds, targetStatus: "PASSED" }));
    await poison(poisoned);
    const reverted = await revert(api, done.operationId);
    expect(reverted).toMatchObject({ state: "partial", reverted: 2, counts: { failed: 1 } });
    await api.database.query("owner", "drop trigger poison on step_events");
    const first = await revertedAt(done);
    expect(first).toEqual(expect.any(String));
    const again = expectDone(await act(api, reverted.operationId, "retry-failed", { body: {} }));
    expect(again).toMatchObject({ state: "completed", reverted: 1, movedOn: 0 });
    expect(await revertedAt(done)).toBe(first);
    expect(await labelOf(api, poisoned)).toBe("IN_REVIEW");
    expect(await operationOf(api, reverted.operationId)).toMatchObject({ revertedBy: null });
  });

  test("of a revert that reverted nothing marks the product event as reverted", async () => {
    const taskIds = await givenManyAt(api, 1, { kind: "expert_review", status: "in_review" });
    const [poisoned = ""] = taskIds;
    const done = expectDone(await execute(api, { taskIds, targetStatus: "PASSED" }));
    await poison(poisoned);
    const reverted = await revert(api, done.operationId);
    await api.database.query("owner", "drop trigger poison on step_events");
    expect(await revertedAt(done)).toBeNull();
    expectDone(await act(api, reverted.operationId, "retry-failed", { body: {} }));
    expect(await revertedAt(done)).toEqual(expect.any(String));
  });

  const revertedAt = async ({ operationId }: { operationId: string }) => {
    const answer = await api.call<{ data: AnalyticsEventRecord[] }>("GET", "/analytics/events");
    const events = expectDone(answer).data;
    return events.find(({ bulkOperationId }) => bulkOperationId === operationId)?.revertedAt;
  };

  /** Makes the database refuse every event of a task. */
  async function poison(taskId: string): Promise<void> {
    await api.database.transaction("owner", [
      {
        text: `create or replace function refuse_poisoned() returns trigger language plpgsql as $$
          begin raise exception 'poisoned'; end $$`,
      },
      {
        text: `create trigger poison before insert on step_events for each row
          when (new.task_id = '${taskId}') execute function refuse_poisoned()`,
      },
    ]);
  }
});
