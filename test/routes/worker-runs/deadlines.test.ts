import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { StepEventView } from "../../../src/actions/views/event-view.ts";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import type { RunRecord } from "../../../src/db/runs/worker-runs.ts";
import { expectDone, freshApi, type Place, type Tenant, type TestApi } from "../../support/api.ts";
import { importedState } from "../../support/imported-state.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import { silenceLog } from "../../support/model/quiet.ts";
import { passDeadlines } from "../../support/run-rows.ts";
import { givenOfferedRun } from "../../support/runs.ts";

silenceLog();

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});
afterEach(() => api.database.clearFaults());

const read = async (id: string, tenant: Tenant = api.tenant) =>
  expectDone(await api.call<TaskView>("GET", `/tasks/${id}`, { tenant }));
const startRun = async (taskId: string, type: string, tenant: Tenant = api.tenant) => {
  const path = `/tasks/${taskId}/worker-runs`;
  const opened = await api.call<RunRecord>("POST", path, { as: "service", tenant, body: { type } });
  return expectDone(opened, 201).id;
};
const report = async (runId: string, body: object) =>
  expectDone(await api.call("PATCH", `/worker-runs/${runId}`, { as: "service", body }));
const givenRun = async (
  type = "QUALITY_AUTOMATION",
  at: Place = { kind: "pre_qa", status: "queued" },
) => {
  const task = await api.givenTask({ at });
  return { task, runId: await startRun(task.id, type) };
};
const runsOf = async (taskId: string) => {
  const path = `/worker-runs?task=${taskId}&limit=200`;
  return expectDone(await api.call<{ data: RunRecord[] }>("GET", path)).data;
};
const eventsOf = async (taskId: string) => {
  const path = `/tasks/${taskId}/events?limit=200`;
  return expectDone(await api.call<{ data: StepEventView[] }>("GET", path)).data;
};

const TIMED_OUT = { state: "FAILED", error: "timed_out" };

describe("A run's deadline", () => {
  it("fails the run as a report would, with `Deadline` as the actor", async () => {
    const { task: waiting, runId: queued } = await givenRun();
    const { task: busy, runId: running } = await givenRun();
    await report(running, { state: "RUNNING" });
    await passDeadlines(api.database, [queued, running]);
    await api.sweep();

    for (const { id } of [waiting, busy]) {
      expect(await runsOf(id)).toMatchObject([TIMED_OUT]);
      expect(await read(id)).toMatchObject({
        unifiedStatus: "CHECKING_QUALITY",
        attention: ["errored"],
        currentStep: { status: "failed", gate: "errored" },
      });
    }
    const events = await eventsOf(waiting.id);
    const closing = events.slice(waiting.eventSeq);
    expect(closing.map(({ type, to }) => [type, to])).toEqual([
      ["worker_run_changed", "queued"],
      ["step_transitioned", "running"],
      ["step_transitioned", "failed"],
    ]);
    for (const { actor, requestId } of closing) {
      expect(actor).toEqual({ id: "system", name: "Deadline", kind: "system", role: "service" });
      expect(requestId).not.toBe("");
    }
    await expectInvariantsHold(api.database);
  });

  it("makes a later report have no effect, except that it is stored on the run", async () => {
    const { task, runId } = await givenRun();
    await passDeadlines(api.database, [runId]);
    await api.sweep();
    const given = await read(task.id);
    await report(runId, { state: "SUCCEEDED", verdict: "passed", result: { score: 1 } });
    expect(await read(task.id)).toEqual(given);
    expect(await runsOf(task.id)).toMatchObject([
      {
        ...TIMED_OUT,
        lateReports: 1,
        lateReport: { state: "SUCCEEDED", verdict: "passed", result: { score: 1 } },
      },
    ]);
  });

  it("is renewed by every report, so that a slow worker can continue", async () => {
    const { task, runId } = await givenRun();
    for (const state of ["QUEUED", "RUNNING", "RUNNING"]) {
      await passDeadlines(api.database, [runId]);
      await report(runId, { state });
      await api.sweep();
      const [run] = await runsOf(task.id);
      expect(run).toMatchObject({ state, error: null });
      expect(Date.parse(run?.deadlineAt ?? "") - Date.parse(run?.updatedAt ?? "")).toBeCloseTo(
        3_600_000,
        -4,
      );
    }
  });

  it("comes from the pipeline's settings if the pipeline is configured", async () => {
    await api.database.query(
      "owner",
      "insert into pipelines (tenant_id, name, run_deadline_seconds) values ($1, 'post_qa_scoring', 60)",
      [api.tenant.id],
    );
    await api.database.transaction("owner", importedState(api.tenant.id));
    const { task, runId } = await givenRun("POST_QA_SCORING", {
      kind: "calibration",
      status: "queued",
    });
    for (const state of ["RUNNING", "RUNNING"]) {
      await report(runId, { state });
      const [run] = await runsOf(task.id);
      expect(Date.parse(run?.deadlineAt ?? "") - Date.parse(run?.updatedAt ?? "")).toBeCloseTo(
        60_000,
        -4,
      );
    }
  });

  it("also fails runs that have no effect on their task", async () => {
    const { task: paid, runId: payment } = await givenRun("PAYMENT", {
      kind: "expert_review",
      status: "approved",
    });
    const { task: advanced, runId: scoring } = await givenRun("POST_QA_SCORING", {
      kind: "calibration",
      status: "approved",
    });
    expectDone(await api.call("POST", `/tasks/${advanced.id}/advance`, { body: {} }));
    const before = await read(advanced.id);
    await passDeadlines(api.database, [payment, scoring]);
    await api.sweep();
    expect(await runsOf(paid.id)).toMatchObject([TIMED_OUT]);
    expect(await runsOf(advanced.id)).toMatchObject([TIMED_OUT]);
    expect([await read(paid.id), await read(advanced.id)]).toEqual([paid, before]);
  });

  it("fails all runs of a task that are late", async () => {
    const { task, runId } = await givenRun();
    const runIds = [runId];
    for (const type of ["QUALITY_AUTOMATION", "PAYMENT", "QUALITY_AUTOMATION", "POST_QA_SCORING"]) {
      runIds.push(await startRun(task.id, type));
    }
    await passDeadlines(api.database, runIds);
    await api.sweep();
    expect(await runsOf(task.id)).toMatchObject(runIds.map(() => TIMED_OUT));
    const changes = (await eventsOf(task.id)).filter(({ type }) => type === "worker_run_changed");
    // Only runs that a label can depend on write an event.
    expect(changes).toHaveLength(3);
    await expectInvariantsHold(api.database);
  });

  it("applies to archived tasks", async () => {
    const { task, runId } = await givenRun();
    expectDone(await api.call("POST", `/tasks/${task.id}/archive`, { body: {} }));
    await passDeadlines(api.database, [runId]);
    await api.sweep();
    expect(await runsOf(task.id)).toMatchObject([TIMED_OUT]);
    expect(await read(task.id)).toMatchObject({ attention: ["errored"] });
  });

  it("fails an offered run whether or not it is claimed", async () => {
    const { task: claimed, runId } = await givenOfferedRun(api);
    const body = { types: ["QUALITY_AUTOMATION"], max: 100 };
    expectDone(await api.call("POST", "/worker-runs/claim", { as: "service", body }));
    const { task: unclaimed, runId: other } = await givenOfferedRun(api);
    await passDeadlines(api.database, [runId, other]);
    await api.sweep();
    for (const { id } of [claimed, unclaimed]) expect(await runsOf(id)).toMatchObject([TIMED_OUT]);
  });

  it("does not affect runs that are in time or have ended", async () => {
    const { task: inTime } = await givenRun();
    const { task: ended, runId } = await givenRun();
    await report(runId, { state: "SUCCEEDED", verdict: "passed" });
    await passDeadlines(api.database, [runId]);
    const before = [await read(inTime.id), await read(ended.id)];
    await api.sweep();
    expect([await read(inTime.id), await read(ended.id)]).toEqual(before);
  });
});

describe("The deadline sweep", () => {
  /** Tasks that wait for their check, each with a late run. */
  const givenLate = async (count: number, tenant = api.tenant): Promise<string[]> => {
    const start = { kind: "pre_qa", reason: "Written elsewhere" };
    const tasks = Array.from({ length: count }, (_, index) => ({ title: `Late ${index}`, start }));
    const imported = await api.call<{ items: { id: string }[] }>("POST", "/tasks/import", {
      tenant,
      body: { tasks },
    });
    const ids = expectDone(imported).items.map(({ id }) => id);
    await api.database.query(
      "owner",
      `insert into worker_runs (tenant_id, id, task_id, version_id, step_id, type, state, deadline_at, created_by)
       select tenant_id, new_id(), id, active_version_id, current_step_id, 'QUALITY_AUTOMATION', 'QUEUED',
         now() - interval '1 second', 'a test'
       from tasks where id in (select value::uuid from json_array_elements_text($1::json))`,
      [JSON.stringify(ids)],
    );
    return ids;
  };
  const isErrored = async (ids: readonly string[], tenant = api.tenant) => {
    const tasks = await Promise.all(ids.map((id) => read(id, tenant)));
    return tasks.map(({ attention }) => attention.includes("errored"));
  };

  it("fails hundreds of runs in as many round trips as one", async () => {
    const costOf = async (count: number) => {
      await givenLate(count);
      const cost = await api.roundTripsOf(() => api.sweep());
      const open =
        "select count(*) as n from worker_runs where deadline_at < now() and state = 'QUEUED'";
      expect(await api.database.query("owner", open)).toEqual([{ n: "0" }]);
      return cost;
    };
    expect(await costOf(1)).toBe(2);
    expect(await costOf(500)).toBe(2);
  });

  it("covers every tenant", async () => {
    const [mine, theirs] = [await givenLate(2), await givenLate(3, api.otherTenant)];
    await api.sweep();
    expect(await isErrored(mine)).toEqual([true, true]);
    expect(await isErrored(theirs, api.otherTenant)).toEqual([true, true, true]);
  });

  it("fails each run once if the response of the database is lost", async () => {
    const ids = await givenLate(3);
    await api.database.faults({ kind: "cut-after-commit", sql: "insert into step_events" });
    await api.sweep();
    expect(await api.database.waitingFaults()).toBe(0);
    expect(await isErrored(ids)).toEqual([true, true, true]);
    for (const id of ids) expect(await eventsOf(id)).toHaveLength(4);
  });

  it("fails the other runs if the database rejects one, throws, and can be repeated", async () => {
    const ids = await givenLate(5);
    const [, , poisoned = ""] = ids;
    await api.database.transaction("superuser", [
      {
        text: `create function reject_poisoned() returns trigger language plpgsql as $$
          begin raise exception 'poisoned'; end $$`,
      },
      {
        text: `create trigger poison before insert on step_events for each row
          when (new.task_id = '${poisoned}') execute function reject_poisoned()`,
      },
    ]);
    await expect(api.sweep()).rejects.toThrow("The database refused the statement");
    expect(await isErrored(ids)).toEqual(ids.map((id) => id !== poisoned));

    await api.database.query("superuser", "drop trigger poison on step_events");
    await api.sweep();
    expect(await isErrored(ids)).toEqual(ids.map(() => true));
    await expectInvariantsHold(api.database);
  });
});
