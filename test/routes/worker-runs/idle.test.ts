import { beforeAll, describe, expect, it } from "vitest";
import type { Moved } from "../../../src/actions/moves/move-task.ts";
import type { StepEventView } from "../../../src/actions/views/event-view.ts";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import type { RunRecord } from "../../../src/db/runs/worker-runs.ts";
import {
  expectDone,
  expectProblem,
  freshApi,
  type Tenant,
  type TestApi,
} from "../../support/api.ts";
import { importedState } from "../../support/imported-state.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import { openTransaction, untilBlocked } from "../../support/model/locks.ts";
import { passDeadlines, passIdleTime, restoreIdleTime } from "../../support/run-rows.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const as = "service";
const read = async (id: string, tenant: Tenant = api.tenant) =>
  expectDone(await api.call<TaskView>("GET", `/tasks/${id}`, { tenant }));
const eventsOf = async (id: string, tenant: Tenant = api.tenant) =>
  expectDone(
    await api.call<{ data: StepEventView[] }>("GET", `/tasks/${id}/events?limit=200`, { tenant }),
  ).data;
const startRun = async (id: string, type = "OUTPUT_GENERATION", tenant: Tenant = api.tenant) => {
  const options = { as, tenant, body: { type } } as const;
  return expectDone(await api.call<RunRecord>("POST", `/tasks/${id}/worker-runs`, options), 201).id;
};
const report = async (runId: string, body: object, tenant: Tenant = api.tenant) =>
  expectDone(await api.call("PATCH", `/worker-runs/${runId}`, { as, tenant, body }));
const RUNNING = { kind: "output_generation", status: "running" } as const;
/** A task that is running and has no open run. */
const givenRunning = (tenant: Tenant = api.tenant) => api.givenTask({ at: RUNNING, tenant });
const givenIdle = async (tenant: Tenant = api.tenant) => {
  const task = await givenRunning(tenant);
  await passIdleTime(api.database, [task.id]);
  await api.sweep();
  return read(task.id, tenant);
};
const execute = async (body: object) =>
  expectDone(
    await api.call<{ operationId: string; items: object[] }>("POST", "/bulk/execute", {
      idempotencyKey: crypto.randomUUID(),
      body: { reason: "Nobody works on it", runAttachedWorkflows: true, ...body },
    }),
  );

describe("The sweep", () => {
  it("marks a step that runs without an open run for the run deadline, and changes nothing else", async () => {
    const task = await givenRunning();
    await api.sweep();
    expect(await read(task.id)).toEqual(task);
    await passIdleTime(api.database, [task.id]);
    await api.sweep();
    const idle = await read(task.id);
    const { eventSeq, updatedAt } = idle;
    expect(idle).toEqual({ ...task, attention: ["idle"], eventSeq, updatedAt });
    expect(eventSeq).toBe(task.eventSeq + 1);
    const event = (await eventsOf(task.id)).at(-1);
    expect(event).toMatchObject({
      type: "step_idled",
      from: "running",
      to: "running",
      actor: { id: "system", kind: "system" },
      payload: {},
    });
    await api.sweep();
    expect(await read(task.id)).toEqual(idle);
    await restoreIdleTime(api.database);
    await expectInvariantsHold(api.database);
  });

  it("leaves alone steps with an open run, those that are held, and archived tasks", async () => {
    const open = await givenRunning();
    await startRun(open.id);
    const other = await givenRunning();
    await startRun(other.id, "PAYMENT");
    const held = await givenRunning();
    const block = { body: { gate: "blocked", reason: "A person looks at it" } };
    expectDone(await api.call("PATCH", `/steps/${held.currentStep.id}/gate`, block));
    const archived = await givenRunning();
    expectDone(await api.call("POST", `/tasks/${archived.id}/archive`, { body: {} }));
    const elsewhere = await api.givenTask({ at: { kind: "delivery", status: "running" } });
    const ids = [open, other, held, archived, elsewhere].map(({ id }) => id);
    await passIdleTime(api.database, ids);
    const before = await Promise.all(ids.map((id) => read(id)));
    await api.sweep();
    expect(await Promise.all(ids.map((id) => read(id)))).toEqual(before);

    expectDone(await api.call("POST", `/tasks/${archived.id}/restore`, { body: {} }));
    await passIdleTime(api.database, [archived.id]);
    await api.sweep();
    expect((await read(archived.id)).attention).toEqual(["idle"]);
  });

  it("counts from the end of the last run, and by the deadline of the pipeline of each tenant", async () => {
    const tenant = await api.givenTenant();
    await api.database.query(
      "owner",
      "insert into pipelines (tenant_id, name, run_deadline_seconds) values ($1, 'output_generation', 86400)",
      [tenant.id],
    );
    await api.database.transaction("owner", importedState(tenant.id));
    const patient = await givenRunning(tenant);
    const recent = await givenRunning();
    await passIdleTime(api.database, [patient.id, recent.id]);
    const runId = await startRun(recent.id, "PAYMENT");
    await report(runId, { state: "SUCCEEDED" });
    await api.sweep();
    expect((await read(patient.id, tenant)).attention).toEqual([]);
    expect((await read(recent.id)).attention).toEqual([]);
    for (let times = 0; times < 8; times += 1) {
      await passIdleTime(api.database, [patient.id, recent.id]);
    }
    await api.sweep();
    expect((await read(patient.id, tenant)).attention).toEqual(["idle"]);
    expect((await read(recent.id)).attention).toEqual(["idle"]);
  });

  it("covers every tenant, and marks hundreds of steps in as many round trips as one", async () => {
    const costOf = async (count: number) => {
      const tenant = await api.givenTenant();
      const start = { kind: "output_generation", reason: "Written elsewhere" };
      const tasks = Array.from({ length: count }, (_, n) => ({ title: `Idle ${n}`, start }));
      const imported = await api.call<{ items: { id: string }[] }>("POST", "/tasks/import", {
        tenant,
        body: { tasks },
      });
      const ids = expectDone(imported).items.map(({ id }) => id);
      const moves = ids.map((task) => ({ task, status: "running" }));
      const options = { tenant, body: { moves }, idempotencyKey: crypto.randomUUID() };
      expectDone(await api.call("POST", "/moves", options));
      await passIdleTime(api.database, ids);
      const cost = await api.roundTripsOf(() => api.sweep());
      const path = "/tasks/counts?attention=idle";
      const counts = await api.call<{ total: number }>("GET", path, { tenant });
      expect(expectDone(counts).total).toBe(count);
      return cost;
    };
    expect(await costOf(1)).toBe(2);
    expect(await costOf(300)).toBe(2);
  });

  it("marks a step once if two sweeps overlap", async () => {
    const task = await givenRunning();
    await passIdleTime(api.database, [task.id]);
    await Promise.all([api.sweep(), api.sweep(), api.sweep()]);
    expect((await read(task.id)).eventSeq).toBe(task.eventSeq + 1);
  });

  it("marks nothing if a run is opened between its look and its write", async () => {
    const task = await givenRunning();
    await passIdleTime(api.database, [task.id]);
    // The sweep does not see this run when it looks, and waits for the task's lock when it writes.
    const opening = await openTransaction(api.database, [
      { text: "select from tasks where id = $1 for no key update", values: [task.id] },
      {
        text: `insert into worker_runs (tenant_id, id, task_id, version_id, step_id, type, state, deadline_at, created_by)
          select tenant_id, new_id(), id, active_version_id, current_step_id, 'OUTPUT_GENERATION', 'QUEUED',
            now() + interval '1 hour', 'a test' from tasks where id = $1`,
        values: [task.id],
      },
    ]);
    const swept = api.sweep();
    await untilBlocked(api.database);
    await opening.end();
    await swept;
    expect(await read(task.id)).toEqual(task);
  });
});

describe("An idle step", () => {
  it("is found by its code, which its next report ends", async () => {
    const { id } = await givenIdle();
    const found = async () => {
      const list = await api.call<{ data: TaskView[] }>("GET", "/tasks?attention=idle&limit=200");
      return expectDone(list).data.some((task) => task.id === id);
    };
    expect(await found()).toBe(true);
    const runId = await startRun(id);
    expect(await found()).toBe(true);
    await report(runId, { state: "RUNNING" });
    expect(await found()).toBe(false);
    expect((await read(id)).attention).toEqual([]);
  });

  it("is idle again when that run ends without moving the step", async () => {
    const { id } = await givenIdle();
    const runId = await startRun(id, "QUALITY_AUTOMATION");
    await report(runId, { state: "RUNNING" });
    await passDeadlines(api.database, [runId]);
    await api.sweep();
    expect((await read(id)).attention).toEqual([]);
    await passIdleTime(api.database, [id]);
    await api.sweep();
    expect((await read(id)).attention).toEqual(["idle"]);
    await restoreIdleTime(api.database);
    await expectInvariantsHold(api.database);
  });

  it("is retried by one call, through failed to queued, with its pipeline", async () => {
    const { id, currentStep, eventSeq } = await givenIdle();
    const body = { status: "queued", reason: "Nobody works on it" };
    const moved = expectDone(await api.call<Moved>("PATCH", `/steps/${currentStep.id}`, { body }));
    expect(moved.events.map(({ from, to }) => [from, to])).toEqual([
      ["running", "failed"],
      ["failed", "queued"],
    ]);
    expect(moved.dispatched).toMatchObject([{ pipeline: "output_generation" }]);
    expect(moved.task).toMatchObject({ attention: [], eventSeq: eventSeq + 2 });
    expect(await read(id)).toEqual(moved.task);
  });

  it("is not retried while somebody works on it", async () => {
    const { currentStep } = await givenRunning();
    const path = `/steps/${currentStep.id}`;
    const refused = await api.call("PATCH", path, { body: { status: "queued" } });
    expectProblem(refused, "invalid_transition", 409);
  });

  it("is retried in bulk, and the revert leaves it failed", async () => {
    const { id } = await givenIdle();
    const running = await givenRunning();
    const { operationId, items } = await execute({ taskIds: [id, running.id], action: "retry" });
    expect(items).toMatchObject([
      { outcome: "changed", from: "GENERATING_OUTPUT", to: "SUBMITTED" },
      { outcome: "refused", code: "invalid_transition" },
    ]);
    expect((await read(id)).currentStep.status).toBe("queued");
    const path = `/bulk/operations/${operationId}/revert`;
    const reverted = await api.call<{ items: object[] }>("POST", path, {
      idempotencyKey: crypto.randomUUID(),
      body: { reason: "A mistake" },
    });
    expectDone(reverted);
    expect(await read(id)).toMatchObject({
      attention: ["errored"],
      unifiedStatus: "OUTPUT_FAILED",
      currentStep: { status: "failed", gate: "errored" },
    });
    await restoreIdleTime(api.database);
    await expectInvariantsHold(api.database);
  });

  it("gets its pipeline by run_pipelines and by hand, once", async () => {
    const [first, second] = [await givenIdle(), await givenIdle()];
    const bulk = await execute({ taskIds: [first.id], action: "run_pipelines" });
    expect(bulk.items).toMatchObject([{ outcome: "changed" }]);
    const again = await execute({ taskIds: [first.id], action: "run_pipelines" });
    expect(again.items).toMatchObject([{ outcome: "refused", code: "already_dispatched" }]);

    const path = `/steps/${second.currentStep.id}/dispatch`;
    const body = { pipeline: "output_generation", reason: "Nobody works on it" };
    expectDone(await api.call("POST", path, { body }), 201);
    expectProblem(await api.call("POST", path, { body }), "conflict", 409);
    const other = { ...body, pipeline: "quality_automation" };
    expectProblem(await api.call("POST", path, { body: other }), "invalid_transition", 409);
    await restoreIdleTime(api.database);
    await expectInvariantsHold(api.database);
  });

  it("whose run was opened meanwhile is not dispatched again", async () => {
    const { id, currentStep } = await givenIdle();
    const runId = await startRun(id);
    const path = `/steps/${currentStep.id}/dispatch`;
    const body = { pipeline: "output_generation", reason: "Nobody works on it" };
    const refused = expectProblem(await api.call("POST", path, { body }), "conflict", 409);
    expect(refused).toMatchObject({ existing: { id: runId } });
  });
});
