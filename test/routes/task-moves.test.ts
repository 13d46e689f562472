import { beforeAll, describe, expect, it } from "vitest";
import type { Moved } from "../../src/actions/moves/move-task.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../support/api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const post = (taskId: string, verb: string, body: object = {}, options: object = {}) =>
  api.call<Moved>("POST", `/tasks/${taskId}/${verb}`, { body, ...options });

describe("Advancing a task", () => {
  it("opens a step of the next kind, which becomes the current one", async () => {
    const task = await api.givenTask({ at: { kind: "authoring", status: "approved" } });
    const advanced = expectDone(await post(task.id, "advance"));
    expect(advanced.step).toMatchObject({
      kind: "pre_qa",
      attempt: 1,
      status: "queued",
      gate: "locked",
    });
    expect(advanced.task.currentStep.id).toBe(advanced.step.id);
    expect(advanced.events).toMatchObject([
      { type: "step_advanced", from: null, fromGate: null, to: "queued", stepId: advanced.step.id },
    ]);
    expect(advanced.dispatched).toMatchObject([{ pipeline: "quality_automation" }]);
    const steps = await api.call<{ data: { kind: string; current: boolean }[] }>(
      "GET",
      `/tasks/${task.id}/steps`,
    );
    expect(expectDone(steps).data).toMatchObject([
      { kind: "authoring", current: false, status: "approved" },
      { kind: "pre_qa", current: true },
    ]);
  });

  it("opens the new step as pending with hold, and dispatches when it is queued", async () => {
    const task = await api.givenTask({ at: { kind: "authoring", status: "approved" } });
    const held = expectDone(await post(task.id, "advance", { hold: true }));
    expect(held.step).toMatchObject({ status: "pending" });
    expect(held.dispatched).toEqual([]);
    const released = await api.call<Moved>("PATCH", `/steps/${held.step.id}`, {
      body: { status: "queued" },
    });
    expect(expectDone(released).dispatched).toMatchObject([{ pipeline: "quality_automation" }]);
  });

  it("requires an open gate and a next stage", async () => {
    const waiting = await api.givenTask();
    expect(expectProblem(await post(waiting.id, "advance"), "gate_closed", 409)).toMatchObject({
      gate: "locked",
    });
    const delivered = await api.givenTask({ at: { kind: "delivery", status: "approved" } });
    expectProblem(await post(delivered.id, "advance"), "no_next_step", 409);
  });

  it("cancels the open runs of the step that it leaves, with the same event", async () => {
    const task = await api.givenTask({ at: { kind: "pre_qa", status: "approved" } });
    const run = await api.call<{ id: string }>("POST", `/tasks/${task.id}/worker-runs`, {
      as: "service",
      body: { type: "QUALITY_AUTOMATION" },
    });
    const { id } = expectDone(run, 201);
    const advanced = expectDone(await post(task.id, "advance"));
    expect(advanced.events[0]?.payload).toMatchObject({ cancelledRuns: [id] });
    const runs = await api.call<{ data: unknown[] }>("GET", `/worker-runs?task=${task.id}`);
    expect(expectDone(runs).data).toMatchObject([{ id, state: "CANCELLED" }]);
  });
});

describe("Reworking a task", () => {
  it("opens a new attempt and revokes the gates from that stage on, each with an event", async () => {
    const task = await api.givenTask({ at: { kind: "authoring", status: "approved" } });
    const checked = expectDone(await post(task.id, "advance"));
    for (const status of ["running", "approved"]) {
      await api.call("PATCH", `/steps/${checked.step.id}`, { body: { status } });
    }
    const reworked = expectDone(
      await post(task.id, "rework", { toKind: "authoring", reason: "The brief was unclear" }),
    );
    expect(reworked.step).toMatchObject({ kind: "authoring", attempt: 2, status: "queued" });
    expect(reworked.events.map(({ type, step, toGate }) => [type, step.kind, toGate])).toEqual([
      ["gate_changed", "authoring", "revoked"],
      ["gate_changed", "pre_qa", "revoked"],
      ["step_reworked", "authoring", "locked"],
    ]);
    expect(reworked.task.eventSeq).toBe(reworked.events.at(-1)?.seq);
  });

  it("requires the role reviewer if the stage has ended, and operator otherwise", async () => {
    const open = await api.givenTask({ at: { kind: "authoring", status: "running" } });
    const ended = await api.givenTask({ at: { kind: "authoring", status: "approved" } });
    const body = { toKind: "authoring", reason: "Once more" };
    expectDone(await post(open.id, "rework", body, { as: "operator" }));
    const refused = await post(ended.id, "rework", body, { as: "operator" });
    expect(expectProblem(refused, "forbidden", 403)).toMatchObject({ required: "reviewer" });
    expectDone(await post(ended.id, "rework", body, { as: "reviewer" }));
  });

  it("refuses a later stage", async () => {
    const task = await api.givenTask({ at: { kind: "authoring", status: "running" } });
    const ahead = await post(task.id, "rework", { toKind: "delivery", reason: "Jump" });
    expect(expectProblem(ahead, "invalid_transition", 409)).toMatchObject({
      from: "authoring",
      to: "delivery",
      allowed: ["ingestion", "authoring"],
    });
  });
});

describe("Creating a version", () => {
  it("seals the old version and starts at authoring by default", async () => {
    const task = await api.givenTask({ at: { kind: "expert_review", status: "approved" } });
    const created = await post(task.id, "versions", {
      content: { brief: "Two" },
      reason: "Revised",
    });
    const { task: after, step, events } = expectDone(created, 201);
    expect(after.activeVersion.number).toBe(2);
    expect(step).toMatchObject({ kind: "authoring", attempt: 1, status: "queued" });
    expect(events).toMatchObject([{ type: "version_created", versionNumber: 2 }]);
    expect(created.headers.get("location")).toBe(`/v1/tasks/${task.id}/versions/2`);
    const sealed = await api.database.query(
      "owner",
      "select number, sealed_at is not null as sealed from task_versions where task_id = $1 order by number",
      [task.id],
    );
    expect(sealed).toEqual([
      { number: "1", sealed: "t" },
      { number: "2", sealed: "f" },
    ]);
  });

  it("rejects a first stage after pre_qa", async () => {
    const task = await api.givenTask();
    const body = { content: {}, reason: "Skip", firstKind: "delivery" };
    expectProblem(await post(task.id, "versions", body), "validation_failed", 400);
  });
});

describe("Editing, annotating and archiving a task", () => {
  const patch = (taskId: string, body: object) =>
    api.call<Moved>("PATCH", `/tasks/${taskId}`, { body });

  it("writes an event with the old and new value of each field, or none if nothing differs", async () => {
    const task = await api.givenTask({ title: "Before", priority: 5 });
    const edited = expectDone(
      await patch(task.id, { title: "After", priority: 5, assignee: "rota-2" }),
    );
    expect(edited.events).toHaveLength(1);
    expect(edited.events[0]).toMatchObject({
      type: "task_updated",
      payload: {
        changes: { title: { from: "Before", to: "After" }, assignee: { from: null, to: "rota-2" } },
      },
    });
    expect(edited.task).toMatchObject({ title: "After", assignee: "rota-2", eventSeq: 2 });
    expect(edited.task.statusSince).toBe(task.statusSince);
    expect(expectDone(await patch(task.id, { title: "After" })).events).toEqual([]);
  });

  it("answers a repeat of an edit without effect from its key, even if the task has changed", async () => {
    const task = await api.givenTask({ priority: 5 });
    const edit = (priority: number) =>
      api.call<Moved>("PATCH", `/tasks/${task.id}`, { body: { priority }, idempotencyKey: "same" });
    const first = await edit(5);
    expect(expectDone(first).events).toEqual([]);
    expectDone(await patch(task.id, { priority: 7 }));
    const again = await edit(5);
    expect(again.text).toBe(first.text);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expectProblem(await edit(6), "idempotency_key_reused", 422);
    const now = await api.call<{ priority: number }>("GET", `/tasks/${task.id}`);
    expect(expectDone(now).priority).toBe(7);
  });

  it("treats an expired key as new", async () => {
    const task = await api.givenTask();
    const note = (text: string) =>
      api.call<Moved>("POST", `/tasks/${task.id}/notes`, { body: { text }, idempotencyKey: "day" });
    expectDone(await note("Monday"), 201);
    expectProblem(await note("Tuesday"), "idempotency_key_reused", 422);
    await api.database.query("owner", "update operations set expires_at = now() where key = 'day'");
    expectDone(await note("Tuesday"), 201);
    expectProblem(await note("Wednesday"), "idempotency_key_reused", 422);
  });

  it("refuses an external id that is taken, and names the task that has it", async () => {
    const holder = await api.givenTask({ externalId: "held" });
    const task = await api.givenTask();
    const taken = await patch(task.id, { externalId: "held" });
    expect(expectProblem(taken, "conflict", 409).existing).toEqual({ id: holder.id });
    expectDone(await patch(task.id, { externalId: "free" }));
    expectDone(await api.call("GET", "/tasks/ext:free"));
  });

  it("archives a task and restores it to the same state", async () => {
    const task = await api.givenTask({ at: { kind: "pre_qa", status: "running" } });
    const archived = expectDone(await post(task.id, "archive", { reason: "Not now" }));
    expect(archived.task.archivedAt).toBe(archived.events[0]?.at);
    expectProblem(await post(task.id, "advance"), "archived", 409);
    expectProblem(await post(task.id, "archive"), "already_in_status", 409);
    const restored = expectDone(await post(task.id, "restore"));
    expect(restored.task).toMatchObject({ archivedAt: null, unifiedStatus: task.unifiedStatus });
    expect(restored.events).toMatchObject([{ type: "task_restored" }]);
  });

  it("adds notes to the history of a task, even if it is archived", async () => {
    const task = await api.givenTask();
    expectDone(await post(task.id, "archive"));
    const noted = expectDone(
      await post(task.id, "notes", { text: "The partner asked again." }),
      201,
    );
    expect(noted.events).toMatchObject([
      { type: "note_added", payload: { text: "The partner asked again." } },
    ]);
  });
});
