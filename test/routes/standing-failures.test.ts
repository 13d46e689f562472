import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Moved } from "../../src/actions/moves/move-task.ts";
import type { MovedMany } from "../../src/actions/moves/move-tasks.ts";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import type { StepKind, StepStatus, WorkerType } from "../../src/domain/lifecycle/statuses.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../support/api.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { act, execute, preview } from "./bulk/support.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});
afterAll(() => expectInvariantsHold(api.database));

const readTask = async (id: string) =>
  expectDone(await api.call<TaskView>("GET", `/tasks/${id}`, { as: "viewer" }));

const review = async (id: string, outcome: "passed" | "failed") =>
  expectDone(
    await api.call<Moved>("POST", `/tasks/${id}/reviews`, {
      as: "reviewer",
      body: { kind: "expert", outcome },
    }),
    201,
  );

const move = (body: object) => api.call<MovedMany>("POST", "/moves", { body: { moves: [body] } });

/** Returns a task at a place, with a failed review of its step. */
async function givenFailed(kind: StepKind, status: StepStatus): Promise<TaskView> {
  const { id } = await api.givenTask({ at: { kind, status } });
  await review(id, "failed");
  return readTask(id);
}

async function startRun(taskId: string, type: WorkerType): Promise<string> {
  const run = await api.call<{ id: string }>("POST", `/tasks/${taskId}/worker-runs`, {
    as: "service",
    body: { type },
  });
  return expectDone(run, 201).id;
}

const report = async (runId: string, body: object) =>
  expectDone(await api.call<Moved>("PATCH", `/worker-runs/${runId}`, { as: "service", body }));

describe("A check that fails after its step was approved by hand", () => {
  it("keeps the task from advancing until a later review passes", async () => {
    const { id, currentStep } = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
    const run = await startRun(id, "QUALITY_AUTOMATION");
    await report(run, { state: "RUNNING" });
    const approve = { status: "approved", reason: "It looks fine", runAttachedWorkflows: false };
    expectDone(await api.call("PATCH", `/steps/${currentStep.id}`, { body: approve }));
    await report(run, { state: "SUCCEEDED", verdict: "failed" });
    expect(await readTask(id)).toMatchObject({
      unifiedStatus: "QUALITY_CHECK_FAILED",
      attention: [],
      currentStep: { status: "approved", gate: "passed" },
    });

    for (const as of ["operator", "reviewer", "service"] as const) {
      const refused = await api.call("POST", `/tasks/${id}/advance`, { as, body: {} });
      const problem = expectProblem(refused, "gate_closed", 409);
      expect(problem).toMatchObject({ gate: "passed", allowed: ["waived"] });
      expect(JSON.stringify(problem)).not.toContain('/advance"');
    }
    expect(expectDone(await move({ task: id, advance: true })).items).toMatchObject([
      { outcome: "refused", error: "gate_closed" },
    ]);
    const bulk = { taskIds: [id], action: "advance" } as const;
    const refused = { code: "gate_closed", from: "QUALITY_CHECK_FAILED" };
    expect(expectDone(await preview(api, bulk)).items).toMatchObject([refused]);
    expect(expectDone(await execute(api, bulk))).toMatchObject({
      state: "refused",
      items: [refused],
    });

    await review(id, "passed");
    expect(await readTask(id)).toMatchObject({
      unifiedStatus: "READY_TO_SUBMIT",
      attention: ["ready"],
    });
    expectDone(await api.call("POST", `/tasks/${id}/advance`, { as: "operator", body: {} }));
  });
});

describe("Approving against a failed review", () => {
  it.each([
    ["authoring", "in_review"],
    ["pre_qa", "awaiting_review"],
    ["expert_review", "in_review"],
    ["calibration", "awaiting_review"],
  ] as const)(
    "takes a reviewer with a reason on %s, whose review comes first",
    async (kind, at) => {
      const task = await givenFailed(kind, at);
      const approve = (as: "operator" | "reviewer", reason?: string) =>
        api.call<Moved>("PATCH", `/steps/${task.currentStep.id}`, {
          as,
          body: { status: "approved", runAttachedWorkflows: false, ...(reason && { reason }) },
        });
      expectProblem(await approve("operator", "It is fine"), "forbidden", 403);
      const { issues } = expectProblem(await approve("reviewer"), "validation_failed", 400);
      expect(issues).toMatchObject([{ path: ["reason"], code: "required" }]);
      const { events } = expectDone(await approve("reviewer", "It is fine"));
      expect(events.map(({ type }) => type)).toEqual(["review_recorded", "step_transitioned"]);
      expect((await readTask(task.id)).attention).toEqual(["ready"]);
    },
  );

  it("takes a reason in /moves too, which the item of the move asks for", async () => {
    const task = await givenFailed("expert_review", "in_review");
    const approve = { task: task.id, status: "approved" };
    expect(expectDone(await move(approve)).items).toEqual([
      {
        index: 0,
        outcome: "refused",
        error: "validation_failed",
        issues: [{ path: ["moves", 0, "reason"], code: "required", message: expect.any(String) }],
      },
    ]);
    expect(await readTask(task.id)).toEqual(task);
    const { items } = expectDone(await move({ ...approve, reason: "It is fine" }));
    expect(items).toEqual([{ index: 0, outcome: "changed", eventSeq: task.eventSeq + 2 }]);
  });

  it("is shown as a warning in bulk, which records the reviewer's verdict first", async () => {
    const failed = await givenFailed("expert_review", "in_review");
    const unjudged = await api.givenTask({ at: { kind: "expert_review", status: "in_review" } });
    const body = { taskIds: [failed.id, unjudged.id], targetStatus: "PASSED" } as const;
    expect(expectDone(await preview(api, body)).items).toEqual([
      {
        taskId: failed.id,
        decision: "eligible",
        from: "IN_REVIEW",
        to: "PASSED",
        warnings: ["standing_failure"],
      },
      { taskId: unjudged.id, decision: "eligible", from: "IN_REVIEW", to: "PASSED" },
    ]);
    const done = expectDone(await execute(api, { ...body, reason: "Both are fine" }));
    expect(done).toMatchObject({
      state: "completed",
      items: [{ eventSeq: failed.eventSeq + 2 }, { eventSeq: unjudged.eventSeq + 1 }],
    });
    const reviews = await api.call<{ data: object[] }>("GET", `/tasks/${failed.id}/reviews`);
    expect(expectDone(reviews).data).toMatchObject([
      { outcome: "failed" },
      {
        outcome: "passed",
        kind: "expert",
        notes: "Both are fine",
        reviewer: { name: "first reviewer key" },
      },
    ]);
    expect((await readTask(failed.id)).attention).toEqual(["ready"]);
  });

  it("in bulk is taken back with its review by a revert, so that the failure stands again", async () => {
    const before = await givenFailed("expert_review", "in_review");
    const taskIds = [before.id];
    const done = expectDone(await execute(api, { taskIds, targetStatus: "PASSED" }));
    expect(expectDone(await act(api, done.operationId, "revert"))).toMatchObject({
      state: "completed",
      reverted: 1,
    });
    const after = await readTask(before.id);
    expect(after).toMatchObject({
      unifiedStatus: "IN_REVIEW",
      attention: ["standing_failure"],
      currentStep: before.currentStep,
      eventSeq: before.eventSeq + 3,
    });
    const past = await api.call<TaskView>("GET", `/tasks/${before.id}?asOf=seq:${after.eventSeq}`);
    expect(expectDone(past)).toEqual(after);
    expect(expectDone(await preview(api, { taskIds, targetStatus: "PASSED" })).items).toMatchObject(
      [{ warnings: ["standing_failure"] }],
    );
    const again = await api.call("PATCH", `/steps/${before.currentStep.id}`, {
      as: "reviewer",
      body: { status: "approved" },
    });
    expectProblem(again, "validation_failed", 400);
  });

  it("is left to reviewers by a worker whose success has no verdict", async () => {
    const task = await givenFailed("calibration", "running");
    const run = await startRun(task.id, "POST_QA_SCORING");
    await report(run, { state: "SUCCEEDED" });
    expect(await readTask(task.id)).toMatchObject({
      attention: ["standing_failure"],
      currentStep: { status: "awaiting_review" },
    });
  });
});

describe("A score", () => {
  it("that failed waits for a reviewer, and is not hidden behind the label", async () => {
    const { id, currentStep } = await api.givenTask({
      at: { kind: "calibration", status: "queued" },
    });
    const run = await startRun(id, "POST_QA_SCORING");
    const { events } = await report(run, { state: "SUCCEEDED", verdict: "failed" });
    expect(events.map(({ type, to }) => [type, to])).toEqual([
      ["worker_run_changed", "queued"],
      ["step_transitioned", "running"],
      ["review_recorded", "running"],
      ["step_transitioned", "awaiting_review"],
    ]);
    expect(await readTask(id)).toMatchObject({
      unifiedStatus: "PASSED",
      attention: ["standing_failure"],
    });
    const listed = await api.call<{ data: TaskView[] }>("GET", "/tasks?attention=standing_failure");
    expect(expectDone(listed).data.map((task) => task.id)).toContain(id);
    const overrule = { status: "approved", reason: "The scorer is wrong" };
    expectDone(
      await api.call("PATCH", `/steps/${currentStep.id}`, { as: "reviewer", body: overrule }),
    );
    expect((await readTask(id)).attention).toEqual(["ready"]);
  });

  it.each([
    [{ state: "SUCCEEDED", verdict: "passed" }, "approved", ["ready"]],
    [{ state: "SUCCEEDED" }, "approved", ["ready"]],
    [{ state: "FAILED", error: "Out of memory" }, "failed", ["errored"]],
    [{ state: "CANCELLED" }, "failed", ["errored"]],
  ] as const)("of %j leads to %s", async (body, status, attention) => {
    const { id } = await api.givenTask({ at: { kind: "calibration", status: "queued" } });
    await report(await startRun(id, "POST_QA_SCORING"), body);
    expect(await readTask(id)).toMatchObject({ attention, currentStep: { status } });
  });
});

describe("Taking a decision back", () => {
  const version = { content: { brief: "Anew" }, reason: "The brief was wrong" };

  it.each([
    ["expert_review", "approved", "reviewer"],
    ["calibration", "queued", "reviewer"],
    ["delivery", "approved", "reviewer"],
    ["pre_qa", "rejected", "reviewer"],
    ["authoring", "duplicate", "reviewer"],
    ["expert_review", "queued", "operator"],
    ["pre_qa", "approved", "operator"],
  ] as const)("by a new version at %s, %s, takes the role %s", async (kind, status, role) => {
    const { id } = await api.givenTask({ at: { kind, status } });
    const create = (as: "operator" | "reviewer") =>
      api.call("POST", `/tasks/${id}/versions`, { as, body: version });
    if (role === "reviewer") {
      const refused = expectProblem(await create("operator"), "forbidden", 403);
      expect(refused).toMatchObject({ required: "reviewer" });
    }
    expectDone(await create(role), 201);
  });
});

describe("Ending a task while it is being written", () => {
  it("takes a reviewer with a reason, one task at a time", async () => {
    const task = await api.givenTask({ at: { kind: "authoring", status: "queued" } });
    const end = (as: "operator" | "reviewer", body: object) =>
      api.call<Moved>("PATCH", `/steps/${task.currentStep.id}`, { as, body });
    const rejected = { status: "rejected", reason: "Off topic" };
    expectProblem(await end("operator", rejected), "forbidden", 403);
    for (const reason of [undefined, "", " \n"]) {
      const { issues } = expectProblem(
        await end("reviewer", { status: "rejected", reason }),
        "validation_failed",
        400,
      );
      expect(issues?.[0]).toMatchObject({ path: ["reason"] });
    }
    const bulk = await execute(api, { taskIds: [task.id], targetStatus: "REJECTED" });
    expect(expectDone(bulk)).toMatchObject({
      state: "refused",
      items: [{ code: "illegal_target", allowed: [] }],
    });
    const { items } = expectDone(await move({ task: task.id, status: "rejected" }));
    expect(items).toMatchObject([
      { error: "validation_failed", issues: [{ path: ["moves", 0, "reason"], code: "required" }] },
    ]);
    expect(expectDone(await end("reviewer", rejected)).task.unifiedStatus).toBe("REJECTED");
    const twin = { status: "duplicate", reason: "The same" };
    expect(expectDone(await end("reviewer", twin)).task.unifiedStatus).toBe("DUPLICATE");
  });

  it("does not ask for attention because its gate was revoked", async () => {
    const { currentStep } = await api.givenTask({ at: { kind: "pre_qa", status: "approved" } });
    const body = { status: "rejected", reason: "Off topic" };
    const { task } = expectDone(
      await api.call<Moved>("PATCH", `/steps/${currentStep.id}`, { as: "reviewer", body }),
    );
    expect(task).toMatchObject({ attention: [], currentStep: { gate: "revoked" } });
  });
});

describe("Changing a gate by hand", () => {
  it.each([
    ["waived", "queued", "locked"],
    ["blocked", "running", "pending"],
    ["revoked", "queued", "waived"],
    ["pending", "running", "blocked"],
  ] as const)("to %s takes a reason", async (gate, status, from) => {
    const task = await api.givenTask({ at: { kind: "pre_qa", status, gate: from } });
    const change = (body: object) =>
      api.call("PATCH", `/steps/${task.currentStep.id}/gate`, {
        as: "reviewer",
        body: { gate, ...body },
      });
    const { issues } = expectProblem(await change({}), "validation_failed", 400);
    expect(issues).toMatchObject([{ path: ["reason"], code: "required" }]);
    expectProblem(await change({ reason: " " }), "validation_failed", 400);
    expect(await readTask(task.id)).toEqual(task);
    expectDone(await change({ reason: "Settled" }));
  });

  it("to errored takes none", async () => {
    const { currentStep } = await api.givenTask({ at: { kind: "pre_qa", status: "running" } });
    const body = { gate: "errored" };
    expectDone(await api.call("PATCH", `/steps/${currentStep.id}/gate`, { as: "operator", body }));
  });
});

describe("Archiving, restoring and reworking in bulk", () => {
  it("puts tasks away and brings them back, and a revert does the opposite", async () => {
    const task = await api.givenTask({ at: { kind: "expert_review", status: "in_review" } });
    const taskIds = [task.id];
    const archived = expectDone(await execute(api, { taskIds, action: "archive" }));
    expect(archived).toMatchObject({ state: "completed", counts: { changed: 1 }, dispatched: 0 });
    expect((await readTask(task.id)).archivedAt).not.toBeNull();
    const again = expectDone(await execute(api, { taskIds, action: "archive" }));
    expect(again).toMatchObject({ state: "refused", items: [{ code: "already_in_status" }] });
    expect(expectDone(await execute(api, { taskIds, action: "retry" })).items).toMatchObject([
      { code: "archived" },
    ]);
    const filter = { archived: true };
    const planned = expectDone(await preview(api, { filter, action: "restore" }));
    expect(planned).toMatchObject({
      taskIds,
      counts: { eligible: 1 },
      primaryLabel: "Restore Only (1)",
    });

    const undone = expectDone(await act(api, archived.operationId, "revert"));
    expect(undone).toMatchObject({ state: "completed", reverted: 1 });
    expect((await readTask(task.id)).archivedAt).toBeNull();

    expectDone(await execute(api, { taskIds, action: "archive" }));
    const restored = expectDone(await execute(api, { taskIds, action: "restore" }));
    expect(restored.counts.changed).toBe(1);
    expectDone(await act(api, restored.operationId, "revert"));
    expect((await readTask(task.id)).archivedAt).not.toBeNull();
  });

  it("reworks to a stage, runs pipelines only if asked, and cannot be reverted", async () => {
    const place = { kind: "expert_review", status: "approved" } as const;
    const [quiet, running] = [
      await api.givenTask({ at: place }),
      await api.givenTask({ at: place }),
    ];
    const rework = { action: "rework", toKind: "pre_qa" } as const;
    const early = await api.givenTask({ at: { kind: "ingestion", status: "queued" } });
    const body = { taskIds: [quiet.id, early.id], ...rework };
    expect(expectDone(await preview(api, body))).toMatchObject({
      action: "rework",
      toKind: "pre_qa",
      pipelines: [{ name: "quality_automation", tasks: 1 }],
      byCode: { invalid_transition: 1 },
      primaryLabel: "Rework Only (1)",
    });
    const done = expectDone(await execute(api, body));
    expect(done).toMatchObject({ dispatched: 0, counts: { changed: 1, refused: 1 } });
    expect(await readTask(quiet.id)).toMatchObject({
      unifiedStatus: "CHECKING_QUALITY",
      currentStep: { kind: "pre_qa", attempt: 1, status: "queued" },
    });
    const operation = await api.call("GET", `/bulk/operations/${done.operationId}`);
    expect(expectDone(operation)).toMatchObject({
      action: "rework",
      toKind: "pre_qa",
      revertible: false,
    });
    expectProblem(await act(api, done.operationId, "revert"), "not_revertible", 409);
    const opted = { taskIds: [running.id], ...rework, runAttachedWorkflows: true };
    expect(expectDone(await execute(api, opted)).dispatched).toBe(1);
  });

  it("takes a stage exactly for a rework, and binds the plan to it", async () => {
    const { id } = await api.givenTask({ at: { kind: "pre_qa", status: "approved" } });
    const taskIds = [id];
    const missing = await execute(api, { taskIds, action: "rework" });
    expect(expectProblem(missing, "validation_failed", 400).issues).toMatchObject([
      { path: ["toKind"], code: "required" },
    ]);
    const excess = await execute(api, { taskIds, action: "archive", toKind: "pre_qa" });
    expect(expectProblem(excess, "validation_failed", 400).issues).toMatchObject([
      { path: ["toKind"], code: "not_applicable" },
    ]);
    const rework = { taskIds, action: "rework" } as const;
    const planned = await preview(api, { ...rework, toKind: "pre_qa" }, { as: "reviewer" });
    const { planToken } = expectDone(planned);
    const other = await execute(api, { ...rework, toKind: "authoring", planToken });
    expectProblem(other, "invalid_plan_token", 400);
    expectDone(await execute(api, { ...rework, toKind: "pre_qa", planToken }));
  });
});
