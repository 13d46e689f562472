import { beforeAll, describe, expect, it } from "vitest";
import type { Reported } from "../../../src/actions/runs/report-run.ts";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import type { LateReportRecord } from "../../../src/db/runs/late-reports.ts";
import type { RunRecord } from "../../../src/db/runs/worker-runs.ts";
import {
  type CallOptions,
  expectDone,
  expectProblem,
  freshApi,
  type TestApi,
} from "../../support/api.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import { openTransaction, untilBlocked } from "../../support/model/locks.ts";
import { givenMachine } from "../../support/runs.ts";

let api: TestApi;
/** The API key of another worker of the tenant. */
let rival: string;
beforeAll(async () => {
  api = await freshApi();
  rival = await givenMachine(api, "The other worker");
});

const as = "service";
const report = async (runId: string, body: object, options: CallOptions = {}) =>
  expectDone(await api.call<Reported>("PATCH", `/worker-runs/${runId}`, { as, body, ...options }));
const givenRun = async (type = "QUALITY_AUTOMATION") => {
  const task = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
  const path = `/tasks/${task.id}/worker-runs`;
  const run = expectDone(await api.call<RunRecord>("POST", path, { as, body: { type } }), 201);
  return { task, runId: run.id };
};
const read = async (runId: string): Promise<RunRecord> => {
  const { data } = expectDone(
    await api.call<{ data: RunRecord[] }>("GET", "/worker-runs?limit=200"),
  );
  return data.find(({ id }) => id === runId) ?? expect.fail("There is no such run");
};
const lateReportsOf = (runId: string, query = "") =>
  api.call<{ data: LateReportRecord[]; nextCursor: string | null }>(
    "GET",
    `/worker-runs/${runId}/late-reports${query}`,
  );
const kept = async (runId: string) => expectDone(await lateReportsOf(runId)).data;

const PASSED = { state: "SUCCEEDED", verdict: "passed", result: { score: 0.9, notes: ["fine"] } };
const FAILED = { state: "SUCCEEDED", verdict: "failed", result: { score: 0.1 } };

describe("A report on a run that has ended", () => {
  it("is kept whole, one row each, while the run and the task stay as they were", async () => {
    const { task, runId } = await givenRun();
    await report(runId, PASSED);
    const run = await read(runId);
    const before = await api.call<TaskView>("GET", `/tasks/${task.id}`);

    const contradiction = await report(runId, FAILED);
    expect(contradiction).toMatchObject({
      run: { state: "SUCCEEDED" },
      keptAside: { reason: "run_ended" },
      events: [],
    });
    const crash = await report(runId, { state: "FAILED", error: "Crashed", result: { at: 3 } });
    expect(crash.keptAside?.detail).toContain("SUCCEEDED");
    await report(runId, { state: "CANCELLED" }, { bearer: rival });

    const reports = await kept(runId);
    const none = { verdict: null, result: null, error: null, attempt: null };
    expect(reports).toMatchObject([
      { ...none, state: "CANCELLED", reporter: { name: "The other worker" } },
      { ...none, state: "FAILED", error: "Crashed", result: { at: 3 } },
      { ...none, ...FAILED, reporter: { id: expect.any(String) as string } },
    ]);
    for (const { requestId, at } of reports) {
      expect(requestId).not.toBe("");
      expect(Date.parse(at)).toBeGreaterThanOrEqual(Date.parse(run.updatedAt));
    }
    expect(await read(runId)).toEqual({ ...run, lateReports: 3, lateReport: reports[0] });
    expect(run).toMatchObject({ verdict: "passed", result: PASSED.result, lateReport: null });
    const after = await api.call<TaskView>("GET", `/tasks/${task.id}`);
    expect(expectDone(after)).toEqual(expectDone(before));
    await expectInvariantsHold(api.database);
  });

  it("writes nothing if it repeats how the run ended, with or without what it said then", async () => {
    const { runId } = await givenRun();
    await report(runId, PASSED);
    const run = await read(runId);
    for (const repeat of [
      PASSED,
      { state: "SUCCEEDED", verdict: "passed" },
      { state: "SUCCEEDED", verdict: "passed", result: null },
      { ...PASSED, result: { notes: ["fine"], score: 0.9 } },
    ]) {
      const { keptAside, run: answered } = await report(runId, repeat);
      expect([keptAside, answered.state]).toEqual([null, "SUCCEEDED"]);
    }
    expect(await read(runId)).toEqual(run);
    expect(await kept(runId)).toEqual([]);
  });

  it("repeats how the run ended only if nothing that it says is new", async () => {
    const { runId } = await givenRun();
    await report(runId, { state: "FAILED", error: "Out of memory" });
    for (const [index, other] of [
      { state: "FAILED", error: "Out of disk" },
      { state: "FAILED", error: "Out of memory", result: { tokens: 1 } },
      { state: "FAILED", result: [] },
      { state: "QUEUED", error: "Out of memory" },
      { state: "RUNNING" },
    ].entries()) {
      expect((await report(runId, other)).keptAside?.reason).toBe("run_ended");
      expect(await kept(runId)).toHaveLength(index + 1);
    }
  });

  it("is kept once if the same worker repeats it, and again if another one says the same", async () => {
    const { runId } = await givenRun();
    await report(runId, PASSED);
    const first = await report(runId, FAILED);
    expect(await report(runId, FAILED)).toEqual(first);
    await report(runId, { state: "CANCELLED" });
    await report(runId, FAILED);
    await report(runId, FAILED, { bearer: rival });
    expect((await kept(runId)).map(({ state }) => state)).toEqual([
      "SUCCEEDED",
      "CANCELLED",
      "SUCCEEDED",
    ]);
  });

  it("is kept once if the same report is about to be committed", async () => {
    const { runId } = await givenRun();
    await report(runId, PASSED);
    await report(runId, { state: "FAILED", error: "First" });
    const keeping = await openTransaction(api.database, [
      { text: "select from worker_runs where id = $1 for no key update", values: [runId] },
      {
        text: `insert into run_late_reports
          select (jsonb_populate_record(l, jsonb_build_object('id', new_id(), 'error', 'Second'))).*
          from run_late_reports l where run_id = $1`,
        values: [runId],
      },
    ]);
    const second = report(runId, { state: "FAILED", error: "Second" });
    await untilBlocked(api.database);
    await keeping.end();
    await second;
    expect((await kept(runId)).map(({ error }) => error)).toEqual(["Second", "First"]);
  });

  it("cannot change how the run ended past the service either", async () => {
    const { runId } = await givenRun();
    await report(runId, PASSED);
    for (const set of ["state = 'FAILED'", "verdict = 'failed'", "result = null", "error = 'No'"])
      await expect(
        api.database.query("owner", `update worker_runs set ${set} where id = $1`, [runId]),
      ).rejects.toMatchObject({ code: "SL001", constraint: "worker_runs_end_once" });
  });

  it("is kept once if it is sent twice at the same time", async () => {
    for (let round = 0; round < 8; round += 1) {
      const { runId } = await givenRun("PAYMENT");
      await report(runId, { state: "SUCCEEDED" });
      const late = { state: "FAILED", error: "Declined" };
      await Promise.all([report(runId, late), report(runId, late), report(runId, late)]);
      expect(await kept(runId)).toHaveLength(1);
    }
  });

  it("is answered alike when its Idempotency-Key comes again", async () => {
    const { runId } = await givenRun();
    await report(runId, PASSED);
    const options = { idempotencyKey: "late" };
    const path = `/worker-runs/${runId}`;
    const send = () => api.call("PATCH", path, { as, body: FAILED, ...options });
    const first = await send();
    const again = await send();
    expect(again.text).toBe(first.text);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(await kept(runId)).toHaveLength(1);
  });

  it("is compared with the verdict that the run ended with, on a step that the task has left too", async () => {
    const { task, runId } = await givenRun("PAYMENT");
    expectDone(
      await api.call("POST", `/tasks/${task.id}/rework`, {
        body: { toKind: "pre_qa", reason: "Again" },
      }),
    );
    expect((await report(runId, { state: "SUCCEEDED" })).keptAside).toBeNull();
    expect((await report(runId, { state: "FAILED" })).keptAside?.reason).toBe("run_ended");
  });
});

describe("The late reports of a run", () => {
  it("are listed newest first, page by page, to every role of the tenant", async () => {
    const { runId } = await givenRun("PAYMENT");
    await report(runId, { state: "SUCCEEDED" });
    for (let n = 1; n <= 5; n += 1) await report(runId, { state: "FAILED", error: `Error ${n}` });
    const errors: (string | null)[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? "?limit=2" : `?limit=2&cursor=${cursor}`;
      const page: { data: LateReportRecord[]; nextCursor: string | null } = expectDone(
        await lateReportsOf(runId, query),
      );
      errors.push(...page.data.map(({ error }) => error));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(errors).toEqual([5, 4, 3, 2, 1].map((n) => `Error ${n}`));
  });

  it("end a page early if their results are large", async () => {
    const { runId } = await givenRun("PAYMENT");
    await report(runId, { state: "SUCCEEDED" });
    const text = "x".repeat(250_000);
    for (let n = 0; n < 12; n += 1) await report(runId, { state: "FAILED", result: { n, text } });
    const { data, nextCursor } = expectDone(await lateReportsOf(runId));
    expect(data.length).toBeLessThan(12);
    expect(nextCursor).not.toBeNull();
    expect(await read(runId)).toMatchObject({ lateReports: 12, lateReport: { result: { n: 11 } } });
  });

  it("are empty for a run without any, and not found for an unknown run or one of another tenant", async () => {
    const { runId } = await givenRun();
    expect(await kept(runId)).toEqual([]);
    const path = `/worker-runs/${runId}/late-reports`;
    expectProblem(await api.call("GET", path, { tenant: api.otherTenant }), "not_found", 404);
    expectProblem(await lateReportsOf(crypto.randomUUID()), "not_found", 404);
  });

  it("show what an early release kept, which had lost the state", async () => {
    const { runId } = await givenRun("PAYMENT");
    await report(runId, { state: "SUCCEEDED" });
    await api.database.query(
      "owner",
      `insert into run_late_reports (tenant_id, id, run_id, result, error)
       values ($1, new_id(), $2, '{"tokens": 1}', 'Too late')`,
      [api.tenant.id, runId],
    );
    const lost = { state: null, verdict: null, attempt: null, reporter: null, requestId: null };
    expect(await kept(runId)).toMatchObject([
      { ...lost, result: { tokens: 1 }, error: "Too late" },
    ]);
  });
});
