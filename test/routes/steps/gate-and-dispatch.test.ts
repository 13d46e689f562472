import { beforeAll, describe, expect, it } from "vitest";
import type { Moved } from "../../../src/actions/moves/move-task.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";
import { openTransaction, untilBlocked } from "../../support/model/locks.ts";
import { offerDispatched } from "../../support/offer-runs.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const gate = (stepId: string, to: string, options: object = {}) =>
  api.call<Moved>("PATCH", `/steps/${stepId}/gate`, {
    body: { gate: to, reason: "Settled" },
    ...options,
  });
const transition = (stepId: string, status: string) =>
  api.call<Moved>("PATCH", `/steps/${stepId}`, { body: { status } });

describe("Changing a gate by hand", () => {
  it("blocks approval of a step until the gate is set back", async () => {
    const { currentStep } = await api.givenTask({ at: { kind: "authoring", status: "running" } });
    const blocked = expectDone(await gate(currentStep.id, "blocked"));
    expect(blocked.task).toMatchObject({
      attention: ["blocked"],
      currentStep: { status: "running" },
    });
    expect(blocked.events[0]).toMatchObject({
      type: "gate_changed",
      fromGate: "pending",
      toGate: "blocked",
    });

    expect(
      expectProblem(await transition(currentStep.id, "approved"), "gate_closed", 409),
    ).toMatchObject({
      gate: "blocked",
    });
    expect(expectDone(await gate(currentStep.id, "pending")).task.attention).toEqual([]);
    expectDone(await transition(currentStep.id, "approved"));
  });

  it("refuses to pass or fail a gate, which only a status does", async () => {
    const { currentStep } = await api.givenTask({ at: { kind: "pre_qa", status: "running" } });
    for (const verdict of ["passed", "failed"]) {
      const problem = expectProblem(await gate(currentStep.id, verdict), "invalid_transition", 409);
      expect(problem.allowed).toEqual(expect.arrayContaining(["waived", "blocked", "errored"]));
      expect(problem.allowed).not.toContain(verdict);
    }
  });

  it("requires the role reviewer to waive or revoke", async () => {
    const { currentStep } = await api.givenTask({ at: { kind: "pre_qa", status: "in_review" } });
    const { id } = currentStep;
    // An evaluating gate cannot be waived, so this uses a queued check as well.
    const queued = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
    const waive = (as: "operator" | "reviewer") => gate(queued.currentStep.id, "waived", { as });
    expect(expectProblem(await waive("operator"), "forbidden", 403)).toMatchObject({
      required: "reviewer",
    });
    expect(expectDone(await waive("reviewer")).task.unifiedStatus).toBe("READY_TO_SUBMIT");
    const revoked = expectDone(await gate(queued.currentStep.id, "revoked", { as: "reviewer" }));
    expect(revoked.task).toMatchObject({
      unifiedStatus: "CHECKING_QUALITY",
      attention: ["revoked"],
    });
    expectProblem(await gate(id, "waived", { as: "reviewer" }), "invalid_transition", 409);
  });
});

describe("Requesting a pipeline by hand", () => {
  it("requests none for the step that the task has reached meanwhile", async () => {
    const task = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
    const held = await openTransaction(api.database, [
      { text: "select from tasks where id = $1 for no key update", values: [task.id] },
    ]);
    const version = { content: {}, reason: "Start again" };
    const moving = api.call("POST", `/tasks/${task.id}/versions`, { body: version });
    await untilBlocked(api.database);
    const body = { pipeline: "quality_automation", reason: "To have one" };
    const requesting = api.call("POST", `/steps/${task.currentStep.id}/dispatch`, { body });
    await untilBlocked(api.database, 2);
    await held.end();
    expectDone(await moving, 201);
    expect((await requesting).status).toBe(409);
    const found = await api.call<{ data: object[] }>("GET", `/dispatches?task=${task.id}`);
    expect(expectDone(found).data).toEqual([]);
  });

  const dispatch = (stepId: string, pipeline: string, options: object = {}) =>
    api.call<{ id: string }>("POST", `/steps/${stepId}/dispatch`, {
      body: { pipeline, reason: "Once more" },
      ...options,
    });

  it("enqueues a dispatch with its log, and refuses a second one while it is open", async () => {
    const { currentStep, id } = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
    const created = expectDone(await dispatch(currentStep.id, "quality_automation"), 201);
    const again = await dispatch(currentStep.id, "quality_automation");
    expect(expectProblem(again, "conflict", 409).existing).toEqual({ id: created.id });
    const rows = await api.database.query(
      "owner",
      `select d.id, d.by_hand, l.to_state, l.reason from pipeline_dispatches d
       join dispatch_events l on l.dispatch_id = d.id where d.task_id = $1 order by l.position`,
      [id],
    );
    expect(rows).toEqual([
      { id: created.id, by_hand: "t", to_state: "pending", reason: "Once more" },
      { id: created.id, by_hand: "t", to_state: "sent", reason: null },
    ]);
  });

  it("refuses a second one while the run of the first waits for a polling worker", async () => {
    const { currentStep, id } = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
    const created = expectDone(await dispatch(currentStep.id, "quality_automation"), 201);
    const [runId] = await offerDispatched(api.database, [id]);
    const again = await dispatch(currentStep.id, "quality_automation");
    expect(expectProblem(again, "conflict", 409).existing).toEqual({ id: created.id });
    // A move that enters the state again dispatches nothing either, because the waiting run serves it.
    for (const status of ["cancelled", "queued"]) {
      const body = { status, reason: "To and fro", runAttachedWorkflows: true };
      const moved = await api.call<{ dispatched: object[] }>("PATCH", `/steps/${currentStep.id}`, {
        body,
      });
      expect(expectDone(moved).dispatched).toEqual([]);
    }
    const claim = { types: ["QUALITY_AUTOMATION"], max: 1, leaseSeconds: 60 };
    expectDone(await api.call("POST", "/worker-runs/claim", { as: "service", body: claim }));
    const report = { as: "service", body: { state: "CANCELLED", attempt: 1 } } as const;
    expectDone(await api.call("PATCH", `/worker-runs/${runId}`, report));
    const body = { status: "queued", runAttachedWorkflows: false };
    expectDone(await api.call("PATCH", `/steps/${currentStep.id}`, { body }));
    expectDone(await dispatch(currentStep.id, "quality_automation"), 201);
  });

  it("writes no event of the task, because no label depends on it", async () => {
    const { currentStep, id, eventSeq } = await api.givenTask({
      at: { kind: "pre_qa", status: "queued" },
    });
    expectDone(await dispatch(currentStep.id, "quality_automation"), 201);
    const after = await api.call<{ eventSeq: number }>("GET", `/tasks/${id}`);
    expect(after.body.eventSeq).toBe(eventSeq);
  });

  it("refuses a pipeline that is not attached to the present state", async () => {
    const { currentStep } = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
    const problem = expectProblem(
      await dispatch(currentStep.id, "payment"),
      "invalid_transition",
      409,
    );
    expect(problem.allowed).toEqual(["quality_automation"]);
  });

  it("answers a repeat with the same key with the same bytes", async () => {
    const { currentStep } = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
    const call = () =>
      dispatch(currentStep.id, "quality_automation", { idempotencyKey: "dispatch-1" });
    const first = await call();
    expectDone(first, 201);
    expect((await call()).text).toBe(first.text);
  });

  it("pays a version once, however often it is requested", async () => {
    const { currentStep } = await api.givenTask({
      at: { kind: "expert_review", status: "in_review" },
    });
    const body = { status: "approved", runAttachedWorkflows: true };
    const approved = await api.call<Moved>("PATCH", `/steps/${currentStep.id}`, { body });
    const [payment] = expectDone(approved).dispatched;
    expect(payment).toMatchObject({ pipeline: "payment" });
    const again = await dispatch(currentStep.id, "payment");
    expect(expectProblem(again, "conflict", 409).existing).toEqual({ id: payment?.id });

    // The payment is recalled before delivery. Approving again creates a new one.
    expectDone(await transition(currentStep.id, "changes_requested"));
    expectDone(await api.call("PATCH", `/steps/${currentStep.id}`, { body }));
    const states = await api.database.query(
      "owner",
      "select state from pipeline_dispatches where step_id = $1 and pipeline = 'payment' order by id",
      [currentStep.id],
    );
    expect(states).toEqual([{ state: "recalled" }, { state: "sent" }]);
  });
});
