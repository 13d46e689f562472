import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectDone, freshApi, type TestApi } from "../../support/api.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import { deliverDispatches, dispatchesOf, execute, expectInLedger, preview } from "./support.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});
afterAll(() => expectInvariantsHold(api.database));

const outbox = async () => {
  const [row] = await api.database.query("owner", "select count(*) from pipeline_dispatches");
  return Number(row?.["count"]);
};

describe("Pipelines in bulk", () => {
  test("do not run unless the caller opts in", async () => {
    const failed = await api.givenTaskLabelled("OUTPUT_FAILED");
    const inReview = await api.givenTaskLabelled("IN_REVIEW");
    const before = await outbox();
    const retried = await execute(api, { taskIds: [failed.id], targetStatus: "SUBMITTED" });
    const passed = await execute(api, {
      taskIds: [inReview.id],
      targetStatus: "PASSED",
      runAttachedWorkflows: false,
    });
    expect([expectDone(retried).dispatched, expectDone(passed).dispatched]).toEqual([0, 0]);
    expect(await outbox()).toBe(before);
  });

  test("are not requested again while the step waits for them, and the preview says so", async () => {
    const queued = await api.givenTask({ at: { kind: "output_generation", status: "queued" } });
    const step = `/steps/${queued.currentStep.id}`;
    const body = { pipeline: "output_generation", reason: "By hand" };
    expectDone(await api.call("POST", `${step}/dispatch`, { body }), 201);
    expectDone(await api.call("PATCH", step, { body: { status: "failed" } }));

    const change = {
      taskIds: [queued.id],
      targetStatus: "SUBMITTED",
      runAttachedWorkflows: true,
    } as const;
    expect(expectDone(await preview(api, change))).toMatchObject({
      pipelines: [{ name: "output_generation", tasks: 0, alreadyDispatched: 1 }],
      primaryLabel: "Change Status Only (1)",
    });
    expect(expectDone(await execute(api, change))).toMatchObject({
      dispatched: 0,
      counts: { changed: 1 },
    });
    expect(await dispatchesOf(api, queued.id)).toHaveLength(1);
  });

  test("run for exactly the eligible tasks if the caller opts in", async () => {
    const failed = await api.givenTaskLabelled("OUTPUT_FAILED");
    const draft = await api.givenTaskLabelled("DRAFT");
    const taskIds = [failed.id, draft.id, crypto.randomUUID()];
    const body = { taskIds, targetStatus: "SUBMITTED", runAttachedWorkflows: true } as const;
    const planned = expectDone(await preview(api, body));
    const pipelines = [{ name: "output_generation", tasks: 1, alreadyDispatched: 0 }];
    expect(planned).toMatchObject({ pipelines, primaryLabel: "Change Status & Run Pipeline (1)" });

    const before = await outbox();
    const done = expectDone(await execute(api, body));
    expect(done.dispatched).toBe(1);
    await expectInLedger(api, done);
    expect(await outbox()).toBe(before + 1);
    expect(await dispatchesOf(api, failed.id)).toEqual(["output_generation"]);
    const [dispatch] = await api.database.query(
      "owner",
      `select d.state, d.bulk_operation_id, e.bulk_operation_id as caused_by, e.run_attached_workflows
       from pipeline_dispatches d
       join step_events e on e.task_id = d.task_id and e.seq = d.cause_seq where d.task_id = $1`,
      [failed.id],
    );
    expect(dispatch).toEqual({
      state: "sent",
      bulk_operation_id: done.operationId,
      caused_by: done.operationId,
      run_attached_workflows: "t",
    });
  });

  test("are in the preview with or without opt-in, and the button says whether they will run", async () => {
    const taskIds = [(await api.givenTaskLabelled("IN_REVIEW")).id];
    const body = { taskIds, targetStatus: "PASSED" } as const;
    const pipelines = [{ name: "payment", tasks: 1, alreadyDispatched: 0 }];
    const optedOut = expectDone(await preview(api, body));
    expect(optedOut).toMatchObject({ pipelines, primaryLabel: "Change Status Only (1)" });
    const optedIn = expectDone(await preview(api, { ...body, runAttachedWorkflows: true }));
    expect(optedIn).toMatchObject({ pipelines, primaryLabel: "Change Status & Run Pipeline (1)" });
    const noPipeline = { ...body, targetStatus: "REJECTED", runAttachedWorkflows: true } as const;
    expect(expectDone(await preview(api, noPipeline))).toMatchObject({
      pipelines: [],
      primaryLabel: "Change Status Only (1)",
    });
  });

  test("pay a task version once, however often it is approved", async () => {
    const paid = await api.givenTask({ at: { kind: "expert_review", status: "in_review" } });
    const step = `/steps/${paid.currentStep.id}`;
    expectDone(
      await api.call("PATCH", step, { body: { status: "approved", reason: "Well done" } }),
    );
    expect(await dispatchesOf(api, paid.id)).toEqual(["payment"]);
    await deliverDispatches(api, paid.id);
    const back = { status: "changes_requested", reason: "A second look" };
    expectDone(await api.call("PATCH", step, { body: back }));

    const unpaid = await api.givenTaskLabelled("CHANGES_REQUESTED");
    const taskIds = [paid.id, unpaid.id];
    const body = { taskIds, targetStatus: "PASSED", runAttachedWorkflows: true } as const;
    const planned = expectDone(await preview(api, body));
    expect(planned.pipelines).toEqual([{ name: "payment", tasks: 1, alreadyDispatched: 1 }]);
    const done = expectDone(await execute(api, body));
    expect(done).toMatchObject({ counts: { changed: 2 }, dispatched: 1 });
    await expectInLedger(api, done);
    expect(await dispatchesOf(api, paid.id)).toEqual(["payment"]);
    expect(await dispatchesOf(api, unpaid.id)).toEqual(["payment"]);
  });

  test("are recalled if the task is rejected", async () => {
    const task = await api.givenTaskLabelled("IN_REVIEW");
    const taskIds = [task.id];
    const pass = { taskIds, targetStatus: "PASSED", runAttachedWorkflows: true } as const;
    expectDone(await execute(api, pass));
    expectDone(await execute(api, { taskIds, targetStatus: "REJECTED" }));
    const states = await api.database.query(
      "owner",
      "select state from pipeline_dispatches where task_id = $1",
      [task.id],
    );
    expect(states).toEqual([{ state: "recalled" }]);
  });
});
