import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import { addNote, execute, expectInLedger, labelOf, preview, rowCounts } from "./support.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});
afterAll(() => expectInvariantsHold(api.database));

describe("Executing a bulk change", () => {
  test("changes eligible tasks, says why it refused the others, and records both in the ledger", async () => {
    const inReview = await api.givenTaskLabelled("IN_REVIEW");
    const draft = await api.givenTaskLabelled("DRAFT", { externalId: "a-draft" });
    const unknown = crypto.randomUUID();
    const taskIds = [unknown, inReview.id, "ext:a-draft", "ext:nobody", "no id at all"];
    const done = expectDone(await execute(api, { taskIds, targetStatus: "PASSED" }));
    const to = "PASSED";
    const notFound = { outcome: "refused", code: "not_found", from: null, to, allowed: [] };
    expect(done).toEqual({
      operationId: expect.any(String),
      state: "completed",
      counts: { requested: 5, changed: 1, refused: 4, stale: 0, failed: 0 },
      dispatched: 0,
      items: [
        { taskId: unknown, ...notFound },
        {
          taskId: inReview.id,
          outcome: "changed",
          from: "IN_REVIEW",
          to,
          eventSeq: inReview.eventSeq + 1,
        },
        {
          taskId: draft.id,
          outcome: "refused",
          code: "illegal_target",
          from: "DRAFT",
          to,
          allowed: [],
        },
        { taskId: "ext:nobody", ...notFound },
        { taskId: "no id at all", ...notFound },
      ],
    });
    await expectInLedger(api, done);
  });

  test("writes one event for each task, with the operation, the reason and the actor", async () => {
    const task = await api.givenTaskLabelled("CHANGES_REQUESTED");
    const taskIds = [task.id];
    const reason = "The second reading came out well.";
    const done = expectDone(await execute(api, { taskIds, targetStatus: "PASSED", reason }));
    const [event] = await api.database.query(
      "owner",
      `select type, from_status, to_status, from_gate, to_gate, reason, payload, run_attached_workflows,
         actor_role, operation_id = bulk_operation_id as same_operation
       from step_events where bulk_operation_id = $1`,
      [done.operationId],
    );
    expect(event).toEqual({
      type: "bulk_transitioned",
      from_status: "changes_requested",
      to_status: "approved",
      from_gate: "failed",
      to_gate: "passed",
      reason,
      payload: "{}",
      run_attached_workflows: "f",
      actor_role: "reviewer",
      same_operation: "t",
    });
    const after = expectDone(await api.call<TaskView>("GET", `/tasks/${task.id}`));
    expect(after).toMatchObject({ unifiedStatus: "PASSED", eventSeq: task.eventSeq + 1 });
  });

  test("takes two round trips for 500 tasks, with or without a plan token", async () => {
    const start = { kind: "expert_review", status: "approved", reason: "Begun elsewhere" };
    const tasks = Array.from({ length: 500 }, () => ({ title: "One of many", start }));
    const imported = await api.call<{ items: { id: string }[] }>("POST", "/tasks/import", {
      body: { tasks },
    });
    const taskIds = expectDone(imported).items.map(({ id }) => id);
    const first = { taskIds, targetStatus: "REJECTED", runAttachedWorkflows: true } as const;
    const { planToken } = expectDone(await preview(api, first, { as: "reviewer" }));
    const withPlan = await api.roundTripsOf(async () => {
      const done = expectDone(await execute(api, { ...first, planToken }));
      expect(done.counts.changed).toBe(500);
    });
    const withoutPlan = await api.roundTripsOf(async () => {
      const done = expectDone(await execute(api, { taskIds, targetStatus: "DUPLICATE" }));
      expect(done.counts.changed).toBe(500);
    });
    expect([withPlan, withoutPlan]).toEqual([2, 2]);
  });

  test("counts a repeated task once, at its first position", async () => {
    const first = await api.givenTaskLabelled("PASSED", { externalId: "again" });
    const other = await api.givenTaskLabelled("PASSED");
    const repeated = Array.from({ length: 500 }, () => first.id);
    const taskIds = [other.id, ...repeated, "ext:again", other.id];
    const done = expectDone(await execute(api, { taskIds, targetStatus: "REJECTED" }));
    expect(done.items.map(({ taskId }) => taskId)).toEqual([other.id, first.id]);
    expect(done.counts).toMatchObject({ requested: 2, changed: 2 });
  });

  test("records an operation as refused if every task was refused", async () => {
    const draft = await api.givenTaskLabelled("DRAFT");
    const taskIds = [draft.id, crypto.randomUUID()];
    const done = expectDone(await execute(api, { taskIds, targetStatus: "PASSED" }));
    expect(done).toMatchObject({ state: "refused", counts: { changed: 0, refused: 2 } });
    await expectInLedger(api, done);
  });

  test("skips a task that changed between planning and writing, and changes the others", async () => {
    const moving = await api.givenTaskLabelled("PASSED");
    const still = await api.givenTaskLabelled("PASSED");
    await api.database.faults({
      kind: "delay",
      delayMilliseconds: 1500,
      sql: "insert into bulk_operations",
    });
    const taskIds = [moving.id, still.id];
    const running = execute(api, { taskIds, targetStatus: "REJECTED" });
    // The fault is consumed when the write begins, after planning.
    await expect.poll(() => api.database.waitingFaults()).toBe(0);
    const body = { status: "changes_requested", reason: "Seen by a rival" };
    expectDone(await api.call("PATCH", `/steps/${moving.currentStep.id}`, { body }));

    const done = expectDone(await running);
    expect(done.state).toBe("partial");
    expect(done.items[0]).toEqual({
      taskId: moving.id,
      outcome: "stale",
      code: "stale",
      from: "PASSED",
      to: "REJECTED",
    });
    expect(done.items[1]?.outcome).toBe("changed");
    await expectInLedger(api, done);
    expect(await labelOf(api, moving.id)).toBe("CHANGES_REQUESTED");
  });

  test("records an operation as failed if no eligible task was changed", async () => {
    const task = await api.givenTaskLabelled("PASSED");
    const body = { taskIds: [task.id, crypto.randomUUID()], targetStatus: "REJECTED" } as const;
    const { planToken } = expectDone(await preview(api, body, { as: "reviewer" }));
    await addNote(api, task.id);
    const done = expectDone(await execute(api, { ...body, planToken, onStale: "skip" }));
    expect(done).toMatchObject({ state: "failed", counts: { stale: 1, refused: 1 } });
    await expectInLedger(api, done);
  });
});

describe("A task is refused", () => {
  test("if it is another tenant's, exactly like an unknown one", async () => {
    const mine = await api.givenTasks(499);
    const theirs = await api.givenTask({
      tenant: api.otherTenant,
      at: { kind: "expert_review", status: "approved" },
    });
    const stranger = crypto.randomUUID();
    const executeWith = async (other: string) => {
      const body = { taskIds: [...mine, other], targetStatus: "REJECTED" } as const;
      const done = expectDone(await execute(api, body));
      return done.items.map(({ taskId, ...item }) => ({ ...item, isMine: mine.includes(taskId) }));
    };
    const items = await executeWith(theirs.id);
    expect(items.at(-1)).toMatchObject({ isMine: false, code: "not_found", from: null });
    expect(items).toEqual(await executeWith(stranger));
    const tenant = api.otherTenant;
    const after = await api.call<TaskView>("GET", `/tasks/${theirs.id}`, { tenant });
    expect(expectDone(after).eventSeq).toBe(theirs.eventSeq);
  });

  test("if it is archived", async () => {
    const task = await api.givenTaskLabelled("PASSED");
    const put = { body: { reason: "Put away" } };
    expectDone(await api.call("POST", `/tasks/${task.id}/archive`, put));
    const done = expectDone(await execute(api, { taskIds: [task.id], targetStatus: "REJECTED" }));
    expect(done.items[0]).toMatchObject({ outcome: "refused", code: "archived", allowed: [] });
  });

  test("if it already has the target, with the targets that it accepts", async () => {
    const task = await api.givenTaskLabelled("REJECTED");
    const done = expectDone(await execute(api, { taskIds: [task.id], targetStatus: "REJECTED" }));
    expect(done.items[0]).toMatchObject({ code: "already_in_status", allowed: ["DUPLICATE"] });
  });

  test("if its gate is blocked, until it is unblocked", async () => {
    const blocked = await api.givenTask({
      at: { kind: "expert_review", status: "queued", gate: "blocked" },
    });
    const step = `/steps/${blocked.currentStep.id}`;
    const review = { status: "in_review", reason: "Begins", runAttachedWorkflows: false };
    expectDone(await api.call("PATCH", step, { body: review }));

    const body = { taskIds: [blocked.id], targetStatus: "PASSED" } as const;
    const planned = expectDone(await preview(api, body));
    const done = expectDone(await execute(api, body));
    const refused = { code: "gate_closed", from: "IN_REVIEW" };
    const allowed = ["CHANGES_REQUESTED", "REJECTED", "DUPLICATE"];
    expect(planned.items[0]).toMatchObject({ decision: "refused", ...refused, allowed });
    expect(done.items[0]).toMatchObject({ outcome: "refused", ...refused, allowed });

    const unblock = { gate: "evaluating", reason: "Sorted out" };
    expectDone(await api.call("PATCH", `${step}/gate`, { body: unblock }));
    expect(expectDone(await execute(api, body)).items[0]?.outcome).toBe("changed");
  });
});

describe("Marking duplicates in bulk", () => {
  test("records the original on the event, named by its id or its external id", async () => {
    const original = await api.givenTask({ externalId: "the-original" });
    const one = await api.givenTaskLabelled("PASSED");
    const other = await api.givenTaskLabelled("IN_REVIEW");
    const mark = (taskId: string, duplicateOf: string) =>
      execute(api, { taskIds: [taskId], targetStatus: "DUPLICATE", duplicateOf });
    expectDone(await mark(one.id, original.id));
    expectDone(await mark(other.id, "ext:the-original"));
    const rows = await api.database.query(
      "owner",
      "select task_id, duplicate_of from step_events where to_status = 'duplicate' and task_id = any($1)",
      [[one.id, other.id]],
    );
    expect(rows.map((row) => row["duplicate_of"])).toEqual([original.id, original.id]);
  });

  test("refuses the original itself, which may be a duplicate of another task", async () => {
    const original = await api.givenTaskLabelled("PASSED");
    const copy = await api.givenTaskLabelled("PASSED");
    const taskIds = [original.id, copy.id];
    const body = { taskIds, targetStatus: "DUPLICATE", duplicateOf: original.id } as const;
    const planned = expectDone(await preview(api, body));
    const done = expectDone(await execute(api, body));
    const refused = { code: "self_duplicate", allowed: ["REJECTED", "DUPLICATE"] };
    expect(planned.items[0]).toMatchObject({ decision: "refused", ...refused });
    expect(done.items[0]).toMatchObject({ outcome: "refused", ...refused });
    expect(done.items[1]?.outcome).toBe("changed");
  });

  test("returns 404 if the original does not exist", async () => {
    const task = await api.givenTaskLabelled("PASSED");
    const theirs = await api.givenTask({ tenant: api.otherTenant });
    const before = await rowCounts(api);
    for (const duplicateOf of [crypto.randomUUID(), "ext:nobody", theirs.id]) {
      const body = { taskIds: [task.id], targetStatus: "DUPLICATE", duplicateOf } as const;
      expectProblem(await preview(api, body), "not_found", 404);
      expectProblem(await execute(api, body), "not_found", 404);
    }
    expect(await rowCounts(api)).toEqual(before);
  });

  test("rejects duplicateOf with any other target", async () => {
    const task = await api.givenTaskLabelled("PASSED");
    const body = { taskIds: [task.id], targetStatus: "REJECTED", duplicateOf: task.id } as const;
    for (const answer of [await preview(api, body), await execute(api, body)]) {
      const { issues } = expectProblem(answer, "validation_failed", 400);
      expect(issues).toMatchObject([{ path: ["duplicateOf"], code: "not_applicable" }]);
    }
  });
});

describe("Executing a bulk change rejects", () => {
  test("a filter, because it changes the tasks that were previewed", async () => {
    const answer = await execute(api, { filter: {}, targetStatus: "PASSED", taskIds: ["one"] });
    const { issues } = expectProblem(answer, "validation_failed", 400);
    expect(issues).toMatchObject([{ path: ["filter"], code: "unrecognized_keys" }]);
  });

  test("more than 50,000 tasks, and none", async () => {
    const taskIds = Array.from({ length: 50_001 }, (_, index) => `t${index}`);
    const many = await execute(api, { taskIds, targetStatus: "PASSED" });
    expect(expectProblem(many, "too_many_items", 400).max).toBe(50_000);
    const none = await execute(api, { taskIds: [], targetStatus: "PASSED" });
    expectProblem(none, "validation_failed", 400);
  });

  test("a flag that is not a boolean, or is given twice", async () => {
    const taskIds = ["one"];
    for (const runAttachedWorkflows of ["true", 1]) {
      const answer = await api.call("POST", "/bulk/execute", {
        idempotencyKey: crypto.randomUUID(),
        body: { taskIds, targetStatus: "PASSED", reason: "Why", runAttachedWorkflows },
      });
      expectProblem(answer, "validation_failed", 400);
    }
    const repeated = `{"runAttachedWorkflows":false,"taskIds":["one"],"runAttachedWorkflows":true}`;
    const answer = await api.call("POST", "/bulk/execute", {
      idempotencyKey: crypto.randomUUID(),
      body: repeated,
    });
    expectProblem(answer, "duplicate_key", 400);
  });

  test("a missing reason or Idempotency-Key", async () => {
    const body = { taskIds: ["one"], targetStatus: "PASSED" };
    const withoutReason = await api.call("POST", "/bulk/execute", {
      idempotencyKey: crypto.randomUUID(),
      body,
    });
    expectProblem(withoutReason, "validation_failed", 400);
    const withoutKey = await api.call("POST", "/bulk/execute", {
      body: { ...body, reason: "Why" },
    });
    expectProblem(withoutKey, "idempotency_key_required", 400);
  });
});
