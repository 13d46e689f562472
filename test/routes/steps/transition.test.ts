import { beforeAll, describe, expect, it } from "vitest";
import type { Moved } from "../../../src/actions/moves/move-task.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const transition = (stepId: string, body: object, options: object = {}) =>
  api.call<Moved>("PATCH", `/steps/${stepId}`, { body, ...options });

describe("Changing a step's status", () => {
  it("returns the task, the step and the event that it wrote", async () => {
    const task = await api.givenTask();
    const answer = await transition(task.currentStep.id, { status: "running", reason: "Begun" });
    const { task: after, step, events, dispatched } = expectDone(answer);

    expect(after).toMatchObject({
      unifiedStatus: "DRAFT",
      eventSeq: 2,
      currentStep: { status: "running", gate: "pending" },
    });
    expect(after.statusSince).toBe(events[0]?.at);
    expect(step).toMatchObject({ id: task.currentStep.id, status: "running", current: true });
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      seq: 2,
      type: "step_transitioned",
      from: "queued",
      to: "running",
      fromGate: "locked",
      toGate: "pending",
      reason: "Begun",
      runAttachedWorkflows: true,
    });
    expect(dispatched).toEqual([]);
    expect(answer.headers.get("etag")).toBe('"2"');
  });

  it("refuses an unlawful move, and names the lawful ones", async () => {
    const task = await api.givenTask();
    const answer = await transition(task.currentStep.id, { status: "approved" });
    const problem = expectProblem(answer, "invalid_transition", 409);
    expect(problem).toMatchObject({
      from: "queued",
      to: "approved",
      allowed: ["running", "failed"],
      retry: "reload",
    });
    expect(problem.next).toContainEqual({
      method: "PATCH",
      path: `/v1/steps/${task.currentStep.id}`,
      body: { status: "running" },
    });
  });

  it("refuses a status that the step already has, and writes no event", async () => {
    const task = await api.givenTask();
    const answer = await transition(task.currentStep.id, { status: "queued" });
    expect(expectProblem(answer, "already_in_status", 409)).toMatchObject({ done: true });
    const again = await api.call<{ eventSeq: number }>("GET", `/tasks/${task.id}`);
    expect(again.body.eventSeq).toBe(1);
  });

  it("distinguishes a step that is no longer current from a sealed one", async () => {
    const task = await api.givenTask({ at: { kind: "ingestion", status: "approved" } });
    expectDone(await api.call("POST", `/tasks/${task.id}/advance`, { body: {} }));
    expectProblem(
      await transition(task.currentStep.id, { status: "rejected" }),
      "step_not_current",
      409,
    );

    const version = { content: { brief: "Anew" }, reason: "The brief was wrong" };
    expectDone(await api.call("POST", `/tasks/${task.id}/versions`, { body: version }), 201);
    const sealed = await transition(task.currentStep.id, { status: "rejected" });
    expect(expectProblem(sealed, "version_sealed", 409)).toMatchObject({
      activeVersion: { number: 2 },
    });
  });

  it("refuses a move if the task is not in the state that If-Match names", async () => {
    const task = await api.givenTask();
    const stale = await transition(task.currentStep.id, { status: "running" }, { ifMatch: 7 });
    expect(expectProblem(stale, "version_conflict", 412)).toMatchObject({ eventSeq: 1 });
    expect(stale.headers.get("etag")).toBe('"1"');
    expectDone(await transition(task.currentStep.id, { status: "running" }, { ifMatch: 1 }));
  });

  it("answers a repeat with the same key with the same bytes", async () => {
    const task = await api.givenTask();
    const call = () =>
      transition(task.currentStep.id, { status: "running" }, { idempotencyKey: "again" });
    const first = await call();
    const second = await call();
    expectDone(first);
    expect(second.text).toBe(first.text);
    expect(second.headers.get("etag")).toBe(first.headers.get("etag"));
    expect(second.headers.get("idempotency-replayed")).toBe("true");
    expect(first.headers.get("idempotency-replayed")).toBeNull();
  });

  it("dispatches the pipelines attached to the new status by default", async () => {
    const task = await api.givenTask({ at: { kind: "pre_qa", status: "approved" } });
    const queued = await transition(task.currentStep.id, { status: "queued" });
    expect(expectDone(queued).dispatched).toMatchObject([{ pipeline: "quality_automation" }]);
    const rows = await api.database.query(
      "owner",
      "select pipeline, state, cause_seq from pipeline_dispatches where task_id = $1",
      [task.id],
    );
    expect(rows).toEqual([
      {
        pipeline: "quality_automation",
        state: "sent",
        cause_seq: String(expectDone(queued).task.eventSeq),
      },
    ]);
  });

  it("dispatches nothing if the call opted out", async () => {
    const task = await api.givenTask({ at: { kind: "pre_qa", status: "approved" } });
    const body = { status: "queued", runAttachedWorkflows: false };
    expect(expectDone(await transition(task.currentStep.id, body)).dispatched).toEqual([]);
  });

  it("records the original of a duplicate, and refuses an unknown one and the task itself", async () => {
    const original = await api.givenTask({ externalId: "the-original" });
    const task = await api.givenTask({ at: { kind: "pre_qa", status: "in_review" } });
    const step = task.currentStep.id;
    const unknown = { status: "duplicate", duplicateOf: "ext:nobody" };
    expectProblem(await transition(step, unknown), "not_found", 404);
    const itself = await transition(step, { status: "duplicate", duplicateOf: task.id });
    expect(expectProblem(itself, "validation_failed", 400).issues).toMatchObject([
      { path: ["duplicateOf"], code: "self_duplicate" },
    ]);
    const twin = { status: "duplicate", duplicateOf: "ext:the-original" };
    const unexplained = expectProblem(await transition(step, twin), "validation_failed", 400);
    expect(unexplained.issues).toMatchObject([{ path: ["reason"], code: "required" }]);
    const marked = await transition(step, { ...twin, reason: "The same task" });
    expect(expectDone(marked).events[0]).toMatchObject({ duplicateOf: original.id });
  });
});
