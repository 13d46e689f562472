import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { WorkView } from "../../src/actions/runs/claim-runs.ts";
import type { Reported } from "../../src/actions/runs/report-run.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../support/api.ts";
import { countDeadlocks, watchForDeadlocks } from "../support/model/deadlocks.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { inParallel, tally } from "../support/model/load.ts";
import { openTransaction, untilBlocked } from "../support/model/locks.ts";
import { silenceLog } from "../support/model/quiet.ts";
import { offerDispatched, offering } from "../support/offer-runs.ts";
import { endLeases, passDeadlines } from "../support/run-rows.ts";
import { givenMachine, givenOfferedRun } from "../support/runs.ts";

silenceLog();

let api: TestApi;
/** The keys of two machines of one tenant. */
let one: string;
let other: string;

beforeAll(async () => {
  api = await freshApi();
  await watchForDeadlocks(api.database);
  one = await givenMachine(api, "One");
  other = await givenMachine(api, "The other");
  await api.roundTripsOf(async () => {});
});

afterEach(() => api.database.clearFaults());

const TYPES = ["QUALITY_AUTOMATION", "OUTPUT_GENERATION", "POST_QA_SCORING", "PAYMENT"];
const claim = async (bearer: string, max = 100) => {
  const body = { types: TYPES, max, leaseSeconds: 600 };
  const claimed = await api.call<{ data: WorkView[] }>("POST", "/worker-runs/claim", {
    bearer,
    body,
  });
  return expectDone(claimed).data.map(({ run }) => run);
};
const report = (bearer: string, runId: string, body: object) =>
  api.call<Reported>("PATCH", `/worker-runs/${runId}`, { bearer, body });
const runOf = async (runId: string) => {
  const [row] = await api.database.query(
    "owner",
    "select state, attempt, error, lease_owner, deadline_at > now() as in_time from worker_runs where id = $1",
    [runId],
  );
  return row;
};
const statusOf = async (runId: string) => {
  const [row] = await api.database.query(
    "owner",
    `select s.status, t.event_seq from worker_runs w join tasks t on t.id = w.task_id
     join steps s on s.id = t.current_step_id where w.id = $1`,
    [runId],
  );
  return row;
};

/** Starts work that is decided now and written later, and does something in between. */
async function meanwhile<Value>(
  { work, writing }: { work: () => Promise<Value>; writing: string },
  between: () => Promise<unknown>,
): Promise<Value> {
  await api.database.faults({ kind: "delay", delayMilliseconds: 400, sql: writing });
  const working = work();
  // Once the delay has started, the write is on its way with the state that it loaded.
  await expect.poll(() => api.database.waitingFaults()).toBe(0);
  await between();
  return working;
}
const EVENTS = "insert into step_events";

/** Creates tasks that wait for their check, each with an offered run. Returns the runs' ids. */
async function givenOffered(count: number): Promise<string[]> {
  const start = { kind: "authoring", status: "approved", reason: "Written elsewhere" };
  const tasks = Array.from({ length: count }, (_, index) => ({ title: `Task ${index}`, start }));
  const made = await api.call<{ items: { id: string }[] }>("POST", "/tasks/import", {
    body: { tasks },
  });
  const ids = expectDone(made).items.map(({ id }) => id);
  const body = { moves: ids.map((task) => ({ task, advance: true })), runAttachedWorkflows: true };
  expectDone(await api.call("POST", "/moves", { body }));
  return offerDispatched(api.database, ids);
}

describe("concurrent claims", () => {
  test("by 16 workers give every run to exactly one of them", async () => {
    const runIds = await givenOffered(120);
    const shifts = await inParallel({ count: 32, clients: 16 }, (index) =>
      claim(index % 2 === 0 ? one : other, 7),
    );
    const claimed = shifts.flat();
    // A claim returns nothing while all remaining runs are locked by others, so claim again.
    while (claimed.length < runIds.length) {
      const rest = await claim(one);
      expect(rest).not.toEqual([]);
      claimed.push(...rest);
    }
    expect(claimed.map(({ id }) => id).toSorted()).toEqual(runIds);
    expect(tally(claimed.map(({ attempt }) => attempt))).toEqual({ 1: 120 });
    await expectInvariantsHold(api.database);
  });

  test("skip a locked run without waiting", async () => {
    const { runId: held } = await givenOfferedRun(api);
    const { runId: free } = await givenOfferedRun(api);
    const holding = await openTransaction(api.database, [
      { text: "select from worker_runs where id = $1 for update", values: [held] },
    ]);
    expect(await claim(one)).toMatchObject([{ id: free }]);
    await holding.end();
    expect(await claim(other)).toMatchObject([{ id: held }]);
  });

  test("of a run whose lease has ended give it to one worker, with the next attempt number", async () => {
    const { runId } = await givenOfferedRun(api);
    await claim(one);
    for (let attempt = 2; attempt <= 8; attempt += 1) {
      await endLeases(api.database, [runId]);
      const claims = await Promise.all([one, other, one, other].map((bearer) => claim(bearer)));
      expect(claims.flat()).toMatchObject([{ id: runId, attempt }]);
    }
  });
});

describe("a report of a worker whose lease ends at the same moment", () => {
  test.for([
    ["that moves its task", "quality_automation", EVENTS],
    ["that only changes its run", "payment", "update worker_runs w set state ="],
  ] as const)("%s loses to the worker who has the run now", async ([, pipeline, writing]) => {
    const { runId } = await givenOfferedRun(api, { pipeline });
    await claim(one);
    const before = await statusOf(runId);
    const work = () => report(one, runId, { state: "RUNNING", attempt: 1 });
    const late = await meanwhile({ work, writing }, async () => {
      await endLeases(api.database, [runId]);
      expect(await claim(other)).toMatchObject([{ id: runId, attempt: 2 }]);
    });
    expectProblem(late, "lease_lost", 409);
    expect(await runOf(runId)).toMatchObject({ state: "QUEUED", attempt: "2" });
    expect(await statusOf(runId)).toEqual(before);
    expect(expectDone(await report(other, runId, { state: "RUNNING", attempt: 2 })).run.state).toBe(
      "RUNNING",
    );
  });

  test("is accepted if no other worker has claimed the run since", async () => {
    const { runId } = await givenOfferedRun(api);
    await claim(one);
    const work = () => report(one, runId, { state: "RUNNING", attempt: 1 });
    const begun = await meanwhile({ work, writing: EVENTS }, () =>
      endLeases(api.database, [runId]),
    );
    expect(expectDone(begun).run.state).toBe("RUNNING");
    expect(await claim(other)).toEqual([]);
  });

  test("that waits for its task is judged by the current state of the run", async () => {
    const { task, runId } = await givenOfferedRun(api);
    await claim(one);
    const held = await openTransaction(api.database, [
      { text: "select from tasks where id = $1 for update", values: [task.id] },
    ]);
    const late = report(one, runId, { state: "RUNNING", attempt: 1 });
    // Its write waits for the task, so it has already loaded the run.
    await untilBlocked(api.database);
    await endLeases(api.database, [runId]);
    expect(await claim(other)).toMatchObject([{ attempt: 2 }]);
    await held.end();
    expectProblem(await late, "lease_lost", 409);
    expect(await runOf(runId)).toMatchObject({ state: "QUEUED" });
  });

  test("that meets an uncommitted claim waits for its result", async () => {
    const { task, runId } = await givenOfferedRun(api);
    await claim(one);
    const claiming = await openTransaction(api.database, [
      {
        text: `update worker_runs set attempt = attempt + 1, lease_owner = 'a rival',
          lease_until = now() + interval '1 minute' where id = $1`,
        values: [runId],
      },
    ]);
    const late = report(one, runId, { state: "RUNNING", attempt: 1 });
    await untilBlocked(api.database);
    await claiming.end();
    expectProblem(await late, "lease_lost", 409);
    expect(await runOf(runId)).toMatchObject({ state: "QUEUED", attempt: "2" });
    expect(await statusOf(runId)).toMatchObject({ event_seq: String(task.eventSeq) });
  });

  test("and a concurrent claim: exactly one of them gets the run", async () => {
    const runIds = await givenOffered(24);
    const first = await claim(one);
    expect(first).toHaveLength(24);
    const won = await Promise.all(
      runIds.map(async (runId, index) => {
        // Some leases end before the race, some during it, some not at all.
        if (index % 3 === 0) await endLeases(api.database, [runId]);
        const [reported] = await Promise.all([
          report(one, runId, { state: "RUNNING", attempt: 1 }),
          index % 3 === 1 ? endLeases(api.database, [runId]) : null,
          claim(other, 1),
        ]);
        return reported.status === 200;
      }),
    );
    await claim(other);
    for (const [index, runId] of runIds.entries()) {
      const run = await runOf(runId);
      expect(run, `run ${index}`).toMatchObject(
        won[index] ? { state: "RUNNING", attempt: "1" } : { state: "QUEUED", attempt: "2" },
      );
    }
    await expectInvariantsHold(api.database);
  });
});

describe("a report that arrives while the sweep times its run out", () => {
  test.for([
    ["a check, which writes an event of its task", "QUALITY_AUTOMATION", EVENTS],
    ["a payment, which only changes the run", "PAYMENT", "is_overdue boolean, to_state text"],
  ] as const)("of %s wins: its worker is alive", async ([, type, writing]) => {
    const task = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
    const opened = await api.call<{ id: string }>("POST", `/tasks/${task.id}/worker-runs`, {
      as: "service",
      body: { type },
    });
    const runId = expectDone(opened, 201).id;
    expectDone(await report(one, runId, { state: "RUNNING" }));
    await passDeadlines(api.database, [runId]);
    const before = await statusOf(runId);
    // A repeated report writes no event, so the sweep cannot notice it by the task.
    await meanwhile({ work: () => api.sweep(), writing }, () =>
      report(one, runId, { state: "RUNNING" }).then(expectDone),
    );
    expect(await runOf(runId)).toMatchObject({ state: "RUNNING", error: null, in_time: "t" });
    expect(await statusOf(runId)).toEqual(before);
  });

  test("and is being committed keeps the run open", async () => {
    const task = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
    const body = { type: "PAYMENT" };
    const opened = await api.call<{ id: string }>("POST", `/tasks/${task.id}/worker-runs`, {
      as: "service",
      body,
    });
    const runId = expectDone(opened, 201).id;
    expectDone(await report(one, runId, { state: "RUNNING" }));
    await passDeadlines(api.database, [runId]);
    const renew = "update worker_runs set deadline_at = now() + interval '1 hour' where id = $1";
    const reporting = await openTransaction(api.database, [{ text: renew, values: [runId] }]);
    const sweeping = api.sweep();
    await untilBlocked(api.database);
    await reporting.end();
    await sweeping;
    expect(await runOf(runId)).toMatchObject({ state: "RUNNING", error: null, in_time: "t" });
  });

  test("ends each run once without a deadlock, however many sweeps and reports run concurrently", async () => {
    const runIds = await givenOffered(60);
    await claim(one);
    for (const runId of runIds.slice(0, 30)) {
      expectDone(await report(one, runId, { state: "RUNNING", attempt: 1 }));
    }
    await passDeadlines(api.database, runIds);
    const done = { state: "SUCCEEDED", verdict: "passed", attempt: 1 };
    const [, , , ...reports] = await Promise.all([
      api.sweep(),
      api.sweep(),
      api.sweep(),
      ...runIds.map((runId) => report(one, runId, done)),
    ]);
    await api.sweep();
    for (const { status } of reports) expect([200, 409]).toContain(status);

    const ends = await api.database.query(
      "owner",
      `select w.state, s.status, count(e.seq) filter (where e.to_status <> e.from_status
           and e.to_status in ('approved', 'failed')) as ends
       from worker_runs w join tasks t on t.id = w.task_id join steps s on s.id = t.current_step_id
         join step_events e on e.task_id = t.id and e.step_id = s.id
       where w.id in (select value::uuid from json_array_elements_text($1::json))
       group by w.id, w.state, s.status`,
      [JSON.stringify(runIds)],
    );
    expect(ends).toHaveLength(60);
    for (const end of ends) {
      expect([
        { state: "SUCCEEDED", status: "approved", ends: "1" },
        { state: "FAILED", status: "failed", ends: "1" },
      ]).toContainEqual(end);
    }
    await expectInvariantsHold(api.database);
    expect(await countDeadlocks(api.database)).toBe(0);
  });
});

describe("dispatching a pipeline whose run is offered at the same moment", () => {
  test.for([
    [
      "by hand is a conflict",
      false,
      (stepId: string) =>
        api.call("POST", `/steps/${stepId}/dispatch`, {
          body: { pipeline: "quality_automation", reason: "Once more" },
        }),
    ],
    [
      "by a move creates no second dispatch",
      true,
      (stepId: string) =>
        api.call("PATCH", `/steps/${stepId}`, {
          body: { status: "queued", runAttachedWorkflows: true },
        }),
    ],
  ] as const)("%s", async ([, isMove, ask]) => {
    const { id: taskId, currentStep } = await api.givenTask({
      at: { kind: "pre_qa", status: "queued" },
    });
    const path = `/steps/${currentStep.id}`;
    const body = { pipeline: "quality_automation", reason: "To have one" };
    const made = await api.call<{ id: string }>("POST", `${path}/dispatch`, { body });
    const { id: dispatchId } = expectDone(made, 201);
    if (isMove) {
      const left = { status: "cancelled", reason: "To come back", runAttachedWorkflows: false };
      expectDone(await api.call("PATCH", path, { body: left }));
    }
    const delivering = await openTransaction(
      api.database,
      [{ text: "select from tasks where id = $1 for no key update", values: [taskId] }],
      offering(dispatchId),
    );
    const asking = ask(currentStep.id);
    await untilBlocked(api.database);
    await delivering.end();
    await asking;
    const asked = await api.database.query(
      "owner",
      "select id from pipeline_dispatches where task_id = $1",
      [taskId],
    );
    expect(asked).toEqual([{ id: dispatchId }]);
  });
});
