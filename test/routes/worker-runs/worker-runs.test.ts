import { beforeAll, describe, expect, it } from "vitest";
import type { Reported } from "../../../src/actions/runs/report-run.ts";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import type { RunRecord } from "../../../src/db/runs/worker-runs.ts";
import type { Answer, Place, TestApi } from "../../support/api.ts";
import { expectDone, expectProblem, freshApi } from "../../support/api.ts";
import { openTransaction, untilBlocked } from "../../support/model/locks.ts";

interface RunPage {
  data: RunRecord[];
  nextCursor: string | null;
}

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const as = "service";
const report = (runId: string, body: object, options: object = {}) =>
  api.call<Reported>("PATCH", `/worker-runs/${runId}`, { as, body, ...options });
const givenRun = async (at: Place, type: string) => {
  const task = await api.givenTask({ at });
  const answer = await api.call<RunRecord>("POST", `/tasks/${task.id}/worker-runs`, {
    as,
    body: { type, externalRef: "job-7" },
  });
  return { task, run: expectDone(answer, 201) };
};

describe("Starting a worker run", () => {
  it("queues it on the current step, due in an hour, and writes no event", async () => {
    const { task, run } = await givenRun(
      { kind: "pre_qa", status: "queued" },
      "QUALITY_AUTOMATION",
    );
    expect(run).toMatchObject({
      taskId: task.id,
      stepId: task.currentStep.id,
      state: "QUEUED",
      attempt: 1,
      externalRef: "job-7",
    });
    expect(Date.parse(run.deadlineAt) - Date.parse(run.createdAt)).toBeCloseTo(3_600_000, -4);
    const after = await api.call<TaskView>("GET", `/tasks/${task.id}`);
    expect(expectDone(after).eventSeq).toBe(task.eventSeq);
  });

  it("waits for a move of its task that is under way, and then sees where the task is", async () => {
    const task = await api.givenTask();
    const moving = await openTransaction(api.database, [
      { text: "select from tasks where id = $1 for no key update", values: [task.id] },
    ]);
    const created = api.call("POST", `/tasks/${task.id}/worker-runs`, {
      as,
      body: { type: "PAYMENT" },
    });
    await untilBlocked(api.database);
    await moving.end();
    expectDone(await created, 201);
  });

  it("is rejected for an archived task", async () => {
    const task = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
    expectDone(await api.call("POST", `/tasks/${task.id}/archive`, { body: {} }));
    const body = { type: "QUALITY_AUTOMATION" };
    const opened = await api.call("POST", `/tasks/${task.id}/worker-runs`, { as, body });
    expectProblem(opened, "archived", 409);
    const list = await api.call<RunPage>("GET", `/worker-runs?task=${task.id}`);
    expect(expectDone(list).data).toEqual([]);
  });
});

describe("Reporting on a worker run", () => {
  it("moves the step to running, then to approved on a passed verdict", async () => {
    const { run } = await givenRun({ kind: "pre_qa", status: "queued" }, "QUALITY_AUTOMATION");
    const running = expectDone(await report(run.id, { state: "RUNNING" }));
    expect(running.task).toMatchObject({
      unifiedStatus: "CHECKING_QUALITY",
      currentStep: { status: "running" },
    });
    expect(running.run).toMatchObject({ id: run.id, state: "RUNNING" });
    const passed = expectDone(await report(run.id, { state: "SUCCEEDED", verdict: "passed" }));
    expect(passed.events.map(({ type }) => type)).toEqual([
      "worker_run_changed",
      "review_recorded",
      "step_transitioned",
    ]);
    expect(passed.task).toMatchObject({ unifiedStatus: "READY_TO_SUBMIT", attention: ["ready"] });
  });

  it("makes all moves of the step if the first report is also the last", async () => {
    const { run } = await givenRun({ kind: "pre_qa", status: "queued" }, "QUALITY_AUTOMATION");
    const failed = expectDone(await report(run.id, { state: "SUCCEEDED", verdict: "failed" }));
    expect(failed.events.filter(({ from, to }) => from !== to).map(({ to }) => to)).toEqual([
      "running",
      "awaiting_review",
    ]);
    expect(failed.task.unifiedStatus).toBe("QUALITY_CHECK_FAILED");
  });

  it("records a crash as an errored gate without a review", async () => {
    const { run } = await givenRun({ kind: "pre_qa", status: "queued" }, "QUALITY_AUTOMATION");
    const crashed = expectDone(await report(run.id, { state: "FAILED", error: "Out of memory" }));
    expect(crashed.task).toMatchObject({
      attention: ["errored"],
      currentStep: { status: "failed", gate: "errored" },
    });
    expect(crashed.events.some(({ type }) => type === "review_recorded")).toBe(false);
  });

  it("writes no event for a repeated state", async () => {
    const { run } = await givenRun(
      { kind: "output_generation", status: "queued" },
      "OUTPUT_GENERATION",
    );
    expectDone(await report(run.id, { state: "RUNNING" }));
    expect(expectDone(await report(run.id, { state: "RUNNING" })).events).toEqual([]);
    const done = expectDone(await report(run.id, { state: "SUCCEEDED", result: { files: 3 } }));
    expect(done.task.currentStep.status).toBe("approved");
  });

  it("returns the run's final state to each of two concurrent reports", async () => {
    for (let round = 0; round < 8; round += 1) {
      const { run } = await givenRun({ kind: "expert_review", status: "queued" }, "PAYMENT");
      const answers = await Promise.all(
        ["SUCCEEDED", "FAILED"].map((state) =>
          report(run.id, { state }, { idempotencyKey: `${run.id}-${state}` }),
        ),
      );
      const [row] = await api.database.query(
        "owner",
        "select state from worker_runs where id = $1",
        [run.id],
      );
      for (const answer of answers) expect(expectDone(answer).run.state).toBe(row?.["state"]);
    }
  });

  it("does not move the task if the task has left the run's step", async () => {
    const { task, run } = await givenRun(
      { kind: "calibration", status: "approved" },
      "POST_QA_SCORING",
    );
    expectDone(await api.call("POST", `/tasks/${task.id}/advance`, { body: {} }));
    const reported = expectDone(
      await report(run.id, { state: "SUCCEEDED", result: { score: 0.9 } }),
    );
    expect(reported).toMatchObject({
      run: { state: "SUCCEEDED" },
      keptAside: { reason: "step_left" },
      events: [],
    });
    expect(reported.task.currentStep.kind).toBe("delivery");
  });

  it("rejects an earlier state, a missing verdict, and a verdict on a failed run", async () => {
    const { run } = await givenRun({ kind: "pre_qa", status: "queued" }, "QUALITY_AUTOMATION");
    expectDone(await report(run.id, { state: "RUNNING" }));
    const back = expectProblem(
      await report(run.id, { state: "QUEUED" }),
      "invalid_transition",
      409,
    );
    expect(back).toMatchObject({ allowed: ["SUCCEEDED", "FAILED", "CANCELLED"] });
    expectProblem(await report(run.id, { state: "SUCCEEDED" }), "validation_failed", 400);
    expectProblem(
      await report(run.id, { state: "FAILED", verdict: "passed" }),
      "validation_failed",
      400,
    );
  });
});

describe("Listing worker runs", () => {
  it("returns runs newest first, filtered and paginated", async () => {
    const { task, run } = await givenRun(
      { kind: "expert_review", status: "queued" },
      "EXPERT_REVIEW",
    );
    const list = (query: string): Promise<Answer<RunPage>> =>
      api.call<RunPage>("GET", `/worker-runs?${query}`);
    expect(expectDone(await list(`task=${task.id}`)).data).toMatchObject([{ id: run.id }]);
    expect(expectDone(await list("type=EXPERT_REVIEW&state=QUEUED")).data).toMatchObject([
      { id: run.id },
    ]);

    const all = expectDone(await list("limit=200")).data.map(({ id }) => id);
    const paged: string[] = [];
    let cursor: string | null = null;
    do {
      const page: RunPage = expectDone(
        await list(`limit=3${cursor === null ? "" : `&cursor=${cursor}`}`),
      );
      paged.push(...page.data.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(paged).toEqual(all);
    expect(all).toEqual(all.toSorted().toReversed());
  });
});
