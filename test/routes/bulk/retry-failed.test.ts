import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AnalyticsEventRecord } from "../../../src/db/stats/analytics.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";
import { givenManyAt } from "../../support/given-many.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import {
  act,
  addNote,
  execute,
  expectInLedger,
  labelOf,
  operationOf,
  planTokenFor,
  revert,
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
    const child = expectDone(await act(api, done.operationId, "retry-failed"));
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
    const child = expectDone(await act(api, done.operationId, "retry-failed", { body }));
    expect(child.items).toMatchObject([{ outcome: "refused", code: "illegal_target" }]);
    expect(await operationOf(api, child.operationId)).toMatchObject(body);
  });

  test("takes two round trips, and answers a repeat with the same bytes", async () => {
    const { done } = await givenPartial();
    const idempotencyKey = crypto.randomUUID();
    const roundTrips = await api.roundTripsOf(async () => {
      expectDone(await act(api, done.operationId, "retry-failed", { idempotencyKey }));
    });
    expect(roundTrips).toBe(2);
    const first = await act(api, done.operationId, "retry-failed", { idempotencyKey });
    const second = await act(api, done.operationId, "retry-failed", { idempotencyKey });
    expect(expectDone(second)).toMatchObject({ counts: { changed: 1 } });
    expect(second.text).toBe(first.text);
  });

  test("refuses an operation without such tasks, and one that has not ended", async () => {
    const [taskId = ""] = await givenManyAt(api, 1, { kind: "pre_qa", status: "failed" });
    const done = expectDone(await execute(api, { taskIds: [taskId], action: "retry" }));
    const answer = await act(api, done.operationId, "retry-failed");
    expect(expectProblem(answer, "already_in_status", 409)).toMatchObject({ done: true });
    await api.database.query(
      "owner",
      "update bulk_operations set state = 'running', finished_at = null where id = $1",
      [done.operationId],
    );
    const early = await act(api, done.operationId, "retry-failed");
    expectProblem(early, "invalid_transition", 409);
    await api.database.query(
      "owner",
      "update bulk_operations set state = 'completed', finished_at = now() where id = $1",
      [done.operationId],
    );
    expectProblem(await act(api, crypto.randomUUID(), "retry-failed"), "not_found", 404);
  });

  test("of a revert reverts the tasks that the database refused", async () => {
    const taskIds = await givenManyAt(api, 3, { kind: "expert_review", status: "in_review" });
    const [poisoned = ""] = taskIds;
    const done = expectDone(await execute(api, { taskIds, targetStatus: "PASSED" }));
    await poison(poisoned);
    const reverted = await revert(api, done.operationId);
    expect(reverted).toMatchObject({ state: "partial", reverted: 2, counts: { failed: 1 } });
    await api.database.query("owner", "drop trigger poison on step_events");
    const again = expectDone(await act(api, reverted.operationId, "retry-failed"));
    expect(again).toMatchObject({ state: "completed", reverted: 1, movedOn: 0 });
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
    const revertedAt = async () => {
      const answer = await api.call<{ data: AnalyticsEventRecord[] }>("GET", "/analytics/events");
      const events = expectDone(answer).data;
      return events.find(({ bulkOperationId }) => bulkOperationId === done.operationId)?.revertedAt;
    };
    expect(await revertedAt()).toBeNull();
    expectDone(await act(api, reverted.operationId, "retry-failed"));
    expect(await revertedAt()).toEqual(expect.any(String));
  });

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
