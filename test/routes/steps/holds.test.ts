import { beforeAll, describe, expect, it } from "vitest";
import type { Moved } from "../../../src/actions/moves/move-task.ts";
import type { StepEventView } from "../../../src/actions/views/event-view.ts";
import type { StepView, TaskView } from "../../../src/actions/views/task-view.ts";
import type { GateState, StepStatus, WorkerType } from "../../../src/domain/lifecycle/statuses.ts";
import {
  expectDone,
  expectProblem,
  freshApi,
  type Place,
  type TestApi,
} from "../../support/api.ts";

let api: TestApi;

beforeAll(async () => {
  api = await freshApi();
});

const reason = "Wait for legal";

const setGate = (task: TaskView, gate: GateState) =>
  api.call<Moved>("PATCH", `/steps/${task.currentStep.id}/gate`, { body: { gate, reason } });
const move = (task: TaskView, status: StepStatus) =>
  api.call<Moved>("PATCH", `/steps/${task.currentStep.id}`, { body: { status, reason } });
const read = async ({ id }: TaskView) =>
  expectDone(await api.call<TaskView>("GET", `/tasks/${id}`));
const stepOf = async ({ currentStep }: TaskView) =>
  expectDone(await api.call<StepView>("GET", `/steps/${currentStep.id}`));

/** Creates a task whose worker has begun. */
async function givenWork(at: Place, type: WorkerType): Promise<{ task: TaskView; run: string }> {
  const task = await api.givenTask({ at });
  const run = await api.call<{ id: string }>("POST", `/tasks/${task.id}/worker-runs`, {
    as: "service",
    body: { type },
  });
  const { id } = expectDone(run, 201);
  expectDone(await report(id, { state: "RUNNING" }));
  return { task, run: id };
}

const report = (run: string, body: object) =>
  api.call<Moved>("PATCH", `/worker-runs/${run}`, { as: "service", body });

const tale = (events: readonly StepEventView[]) =>
  events.map(({ type, to, toGate }) => `${type} ${to} ${toGate}`);

describe("A hold", () => {
  it("is shown by the task and the step, survives a pause, and refuses decisions everywhere", async () => {
    const task = await api.givenTask({ at: { kind: "output_generation", status: "running" } });
    const held = expectDone(await setGate(task, "blocked"));
    const seq = held.task.eventSeq;
    expect(held.task.currentStep).toMatchObject({
      gate: "blocked",
      hold: { seq, gate: "pending" },
    });
    for (const status of ["paused", "queued", "running"] as const)
      expectDone(await move(task, status));
    const now = await read(task);
    expect(now.currentStep).toMatchObject({ gate: "blocked", hold: { seq, gate: "pending" } });
    expect((await stepOf(task)).hold).toEqual({ seq, gate: "pending" });

    expectProblem(await move(task, "approved"), "gate_closed", 409);
    for (const gate of ["waived", "errored"] as const) {
      expectProblem(await setGate(task, gate), "gate_closed", 409);
    }
    const advance = await api.call("POST", `/tasks/${task.id}/advance`, { body: {} });
    expectProblem(advance, "gate_closed", 409);
    const many = await api.call<{ items: { error: string }[] }>("POST", "/moves", {
      body: { moves: [{ task: task.id, status: "approved", reason }] },
    });
    expect(expectDone(many).items).toMatchObject([{ outcome: "refused", error: "gate_closed" }]);
    expectDone(await setGate(task, "pending"));
    expectDone(await move(task, "approved"));
  });

  it("can be ended by an operator in every gate, and changes no label", async () => {
    const task = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
    expectDone(await setGate(task, "waived"));
    const { unifiedStatus } = await read(task);
    const as = "operator";
    const path = `/steps/${task.currentStep.id}/gate`;
    expectDone(await api.call("PATCH", path, { as, body: { gate: "blocked", reason } }));
    expect(await read(task)).toMatchObject({ unifiedStatus, attention: ["blocked"] });
    expectDone(await api.call("PATCH", path, { as, body: { gate: "waived", reason } }));
    expect(await read(task)).toMatchObject({ unifiedStatus, attention: ["ready"] });
    expectProblem(
      await api.call("PATCH", path, { as, body: { gate: "revoked", reason } }),
      "forbidden",
      403,
    );
  });
});

describe("A worker's success on a held step", () => {
  it("approves the step when the hold ends, in the same call", async () => {
    const { task, run } = await givenWork(
      { kind: "pre_qa", status: "queued" },
      "QUALITY_AUTOMATION",
    );
    expectDone(await setGate(task, "blocked"));
    const reported = expectDone(await report(run, { state: "SUCCEEDED", verdict: "passed" }));
    expect(reported).toMatchObject({
      keptAside: { reason: "deferred" },
      step: { status: "running" },
    });
    const deferral = { statuses: ["running", "approved"], verdict: "passed" };
    expect(reported.events[0]?.payload).toMatchObject({ deferred: deferral });
    expect((await stepOf(task)).deferred).toMatchObject([{ runId: run, ...deferral }]);

    const ended = expectDone(await setGate(task, "pending"));
    expect(tale(ended.events)).toEqual([
      "gate_changed running pending",
      "step_transitioned approved passed",
    ]);
    expect(ended.step.deferred).toEqual([]);
    expect(ended.events[0]?.payload).toMatchObject({ settled: [{ runId: run, outcome: "moved" }] });
    expect(await read(task)).toMatchObject({
      unifiedStatus: "READY_TO_SUBMIT",
      attention: ["ready"],
    });
  });

  it("does not approve if a newer review failed", async () => {
    const { task, run } = await givenWork(
      { kind: "pre_qa", status: "queued" },
      "QUALITY_AUTOMATION",
    );
    expectDone(await setGate(task, "blocked"));
    expectDone(await report(run, { state: "SUCCEEDED", verdict: "passed" }));
    const review = { kind: "expert", outcome: "failed", stepId: task.currentStep.id };
    expectDone(await api.call("POST", `/tasks/${task.id}/reviews`, { body: review }), 201);
    const ended = expectDone(await setGate(task, "pending"));
    expect(tale(ended.events)).toEqual(["gate_changed running pending"]);
    expect(ended.events[0]?.payload).toMatchObject({ settled: [{ outcome: "contradicted" }] });
  });

  it("is dropped by a decision, and waits again if that is reverted", async () => {
    const { task, run } = await givenWork(
      { kind: "calibration", status: "queued" },
      "POST_QA_SCORING",
    );
    const held = expectDone(await setGate(task, "blocked")).task.currentStep.hold;
    expectDone(await report(run, { state: "SUCCEEDED" }));
    const deferred = (await stepOf(task)).deferred;
    const bulk = await api.call<{ operationId: string }>("POST", "/bulk/execute", {
      idempotencyKey: crypto.randomUUID(),
      body: { taskIds: [task.id], targetStatus: "REJECTED", reason },
    });
    const { operationId } = expectDone(bulk);
    expect(await stepOf(task)).toMatchObject({ status: "rejected", hold: null, deferred: [] });
    const revert = await api.call("POST", `/bulk/operations/${operationId}/revert`, {
      idempotencyKey: crypto.randomUUID(),
      body: { reason },
    });
    expectDone(revert);
    expect(await stepOf(task)).toMatchObject({ status: "running", hold: held, deferred });
    expect(expectDone(await setGate(task, "pending")).step.status).toBe("approved");
  });

  it("waits again if the review that ended the hold is withdrawn", async () => {
    const { task, run } = await givenWork(
      { kind: "pre_qa", status: "queued" },
      "QUALITY_AUTOMATION",
    );
    expectDone(await setGate(task, "blocked"));
    expectDone(await report(run, { state: "SUCCEEDED", verdict: "passed" }));
    const { hold, deferred } = await stepOf(task);
    const review = await api.call<{ review: { id: string } }>("POST", `/tasks/${task.id}/reviews`, {
      as: "reviewer",
      body: {
        kind: "expert",
        outcome: "failed",
        stepId: task.currentStep.id,
        move: { status: "rejected", reason },
      },
    });
    const { id } = expectDone(review, 201).review;
    expect((await stepOf(task)).hold).toBeNull();
    const withdrawn = await api.call("POST", `/reviews/${id}/withdraw`, {
      as: "reviewer",
      body: { reason },
    });
    expectDone(withdrawn);
    expect(await stepOf(task)).toMatchObject({ status: "running", hold, deferred });
  });
});

describe("A worker's success on a paused step", () => {
  it("approves the step when it is resumed, and the pipeline does not run a second time", async () => {
    const { task, run } = await givenWork(
      { kind: "output_generation", status: "queued" },
      "OUTPUT_GENERATION",
    );
    expectDone(await move(task, "paused"));
    expectDone(await report(run, { state: "SUCCEEDED" }));
    const resumed = expectDone(await move(task, "queued"));
    expect(tale(resumed.events)).toEqual([
      "step_transitioned queued locked",
      "step_transitioned running pending",
      "step_transitioned approved passed",
    ]);
    expect(resumed.dispatched).toEqual([]);
  });

  it("is awaited if it comes after the step is resumed, without a second run", async () => {
    const { task, run } = await givenWork(
      { kind: "output_generation", status: "queued" },
      "OUTPUT_GENERATION",
    );
    expectDone(await move(task, "paused"));
    expect(expectDone(await move(task, "queued")).dispatched).toEqual([]);
    expect(expectDone(await report(run, { state: "SUCCEEDED" })).step.status).toBe("approved");
  });

  it("waits for both the hold and the pause to end", async () => {
    const { task, run } = await givenWork(
      { kind: "output_generation", status: "queued" },
      "OUTPUT_GENERATION",
    );
    expectDone(await move(task, "paused"));
    expectDone(await setGate(task, "blocked"));
    expectDone(await report(run, { state: "SUCCEEDED" }));
    expect(expectDone(await move(task, "queued"))).toMatchObject({
      step: { status: "queued", gate: "blocked", hold: { gate: "locked" } },
      dispatched: [],
    });
    expect(expectDone(await setGate(task, "locked")).step).toMatchObject({
      status: "approved",
      gate: "passed",
      hold: null,
    });
  });
});

it("A step that was blocked before holds existed is held by the daily sweep, once", async () => {
  const { task, run } = await givenWork({ kind: "pre_qa", status: "queued" }, "QUALITY_AUTOMATION");
  expectDone(await setGate(task, "blocked"));
  // What an earlier release left: the block is only in the gate, and the event says nothing of a hold.
  await api.database.transaction("superuser", [
    { text: "set local session_replication_role = replica" },
    {
      text: "update steps set held_seq = null, held_gate = null where id = $1",
      values: [task.currentStep.id],
    },
  ]);
  expectProblem(await move(task, "approved"), "gate_closed", 409);
  await api.sweepDaily();
  await api.sweepDaily();
  const { eventSeq, currentStep, unifiedStatus } = await read(task);
  expect({ eventSeq, hold: currentStep.hold, unifiedStatus }).toEqual({
    eventSeq: 5,
    hold: { seq: 5, gate: "pending" },
    unifiedStatus: "CHECKING_QUALITY",
  });
  expectDone(await report(run, { state: "SUCCEEDED", verdict: "passed" }));
  expect(expectDone(await setGate(task, "pending")).step.status).toBe("approved");
});
