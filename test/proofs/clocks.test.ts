import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { EvalEventView, StepEventView } from "../../src/actions/views/event-view.ts";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import { givenOpenEval, givenTrial } from "../routes/evals/support.ts";
import { expectDone, freshApi, type TestApi } from "../support/api.ts";
import { consumed, deliver, givenDead, givenDispatch, timePasses } from "../support/dispatches.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { passDeadlines } from "../support/run-rows.ts";

let api: TestApi;

beforeAll(async () => {
  api = await freshApi();
});

beforeEach(() => setClock("0 hours"));

/** Steps the clock that the writers read, as NTP or a failover to another machine would. */
async function setClock(offset: string): Promise<void> {
  await api.database.query(
    "superuser",
    `create or replace function writer_clock_of(tenant uuid) returns timestamptz
       language plpgsql volatile parallel safe as $$ begin return clock_timestamp() + interval '${offset}'; end $$`,
  );
}

const HOUR_MS = 3_600_000;

async function expectClockStepped(): Promise<void> {
  const { createdAt } = await api.givenTask();
  expect(Date.parse(createdAt)).toBeLessThan(Date.now() - HOUR_MS / 2);
}

function expectNoneFalls(times: readonly (string | null | undefined)[]): void {
  const known = times.map((time) => time ?? expect.fail("a time is missing"));
  expect(known).toEqual(known.toSorted((one, other) => (one < other ? -1 : 1)));
}

const done = async <Body>(method: string, path: string, body?: object, as = "admin" as const) =>
  expectDone(
    await api
      .call<Body>(method, path, { as, ...(body !== undefined && { body }) })
      .then((answer) => ({
        ...answer,
        status: answer.status === 201 ? 200 : answer.status,
      })),
  );

describe("if the database's clock steps back", () => {
  test("times in a task's history never fall", async () => {
    const created = await api.givenTask({ title: "Two clocks" });
    const task = `/tasks/${created.id}`;
    const read = () => done<TaskView>("GET", task);
    const step = async (body: object) =>
      done("PATCH", `/steps/${(await read()).currentStep.id}`, body);
    await step({ status: "running" });
    const before = await read();

    await setClock("-1 hour");
    await expectClockStepped();
    await step({ status: "awaiting_review" });
    await done("POST", `${task}/notes`, { text: "A remark" });
    await done("POST", `${task}/reviews`, {
      kind: "expert",
      outcome: "passed",
      move: { status: "approved" },
    });
    await done("POST", `${task}/versions`, {
      content: { brief: "Again" },
      reason: "The brief was wrong",
      firstKind: "pre_qa",
    });
    await done("POST", `${task}/rework`, { toKind: "pre_qa", reason: "Once more" });
    await done("PATCH", task, { title: "Two clocks, edited" });
    await done("POST", `${task}/archive`, { reason: "Done with it" });
    await done("POST", `${task}/restore`, { reason: "Not done with it" });

    const { data: events } = await done<{ data: StepEventView[] }>(
      "GET",
      `${task}/events?limit=200`,
    );
    expect(events.length).toBeGreaterThan(9);
    expectNoneFalls(events.map(({ at }) => at));
    const after = await read();
    expectNoneFalls([before.updatedAt, after.statusSince, after.updatedAt]);
    expectNoneFalls([before.updatedAt, ...(await timesOf("reviews", created.id))]);
    expectNoneFalls([
      before.updatedAt,
      ...(await timesOf("steps", created.id, "kind <> 'ingestion'")),
    ]);
    const { data: versions } = await done<{
      data: { createdAt: string; sealedAt: string | null }[];
    }>("GET", `${task}/versions`);
    const [first, second] = versions.toSorted((one, other) =>
      one.sealedAt === null ? 1 : other.sealedAt === null ? -1 : 0,
    );
    expectNoneFalls([first?.createdAt, before.updatedAt, first?.sealedAt, second?.createdAt]);
    await expectInvariantsHold(api.database);
  });

  test("times of a task's runs and dispatches never fall", async () => {
    const at = { kind: "pre_qa", status: "changes_requested" } as const;
    const { currentStep, id: taskId } = await api.givenTask({ at });
    await done("PATCH", `/steps/${currentStep.id}`, {
      status: "queued",
      runAttachedWorkflows: true,
    });
    const { data: dispatches } = await done<{ data: { id: string }[] }>(
      "GET",
      `/dispatches?task=${taskId}`,
    );
    const [{ id: dispatchId } = { id: "" }] = dispatches;
    const before = (await done<TaskView>("GET", `/tasks/${taskId}`)).updatedAt;

    await setClock("-1 hour");
    await expectClockStepped();
    await deliver(api, dispatchId);
    const claimed = expectDone(
      await api.call<{ data: { run: { id: string } }[] }>("POST", "/worker-runs/claim", {
        as: "service",
        body: { types: ["QUALITY_AUTOMATION"], leaseSeconds: 600, max: 20 },
      }),
    );
    const runId = claimed.data.find(({ run }) => run.id)?.run.id ?? "";
    const report = async (body: object) => {
      const answer = await api.call("PATCH", `/worker-runs/${runId}`, { as: "service", body });
      return expectDone(answer);
    };
    const updated = () => timesOf("worker_runs", taskId, "true", "updated_at");
    const times = [before, ...(await updated())];
    await report({ state: "RUNNING", attempt: 1 });
    times.push(...(await updated()));
    await report({ state: "SUCCEEDED", verdict: "passed", attempt: 1 });
    times.push(...(await updated()));
    expectNoneFalls(times.slice(1));
    const { log } = await done<{ log: { at: string }[] }>("GET", `/dispatches/${dispatchId}`);
    expect(log.length).toBeGreaterThan(1);
    expectNoneFalls([before, ...log.map((entry) => entry.at)].slice(1));
    await expectInvariantsHold(api.database);
  });

  /** The present times of a task's dispatches and runs, and the last of each dispatch's log, by row. */
  async function timesByRow(taskId: string): Promise<Map<string, string>> {
    const rows = await api.database.query(
      "owner",
      `select 'dispatch ' || id as row, iso(updated_at) as at from pipeline_dispatches where task_id = $1
       union all select 'run ' || id, iso(updated_at) from worker_runs where task_id = $1
       union all select 'log ' || d.id, (select iso(e.at) from dispatch_events e where e.dispatch_id = d.id
         order by e.position desc limit 1) from pipeline_dispatches d where d.task_id = $1`,
      [taskId],
    );
    return new Map(rows.map(({ row, at }) => [row ?? "", at ?? ""]));
  }

  interface Act {
    what: string;
    given?: (dispatchId: string) => Promise<unknown>;
    act: (ids: { dispatchId: string; taskId: string; stepId: string }) => Promise<unknown>;
  }
  const fails = { fetch: async () => new Response(null, { status: 500 }) };
  const failed = async (dispatchId: string) => {
    await deliver(api, dispatchId, fails);
    await timePasses(api.database, 3600);
  };
  const acts: readonly Act[] = [
    { what: "an attempt at a dispatch", act: ({ dispatchId }) => deliver(api, dispatchId, fails) },
    {
      what: "a second attempt",
      given: failed,
      act: ({ dispatchId }) => deliver(api, dispatchId, fails),
    },
    {
      what: "a dead letter",
      given: failed,
      act: ({ dispatchId }) =>
        consumed(api, [{ version: 1, tenantId: api.tenant.id, dispatchId }], {
          queue: "stepledger-dispatches-dead",
        }),
    },
    {
      what: "the sweep, which sends a message again",
      given: () => timePasses(api.database, 3600),
      act: () => api.sweep(),
    },
    {
      what: "a recall by a call",
      given: failed,
      act: ({ dispatchId }) => done("POST", `/dispatches/${dispatchId}/recall`, { reason: "Stop" }),
    },
    {
      what: "a retry",
      given: (dispatchId) => givenDead(api.database, dispatchId),
      act: ({ dispatchId }) => done("POST", `/dispatches/${dispatchId}/retry`, { reason: "Again" }),
    },
    {
      what: "a recall by a move",
      given: failed,
      act: ({ taskId }) =>
        done("POST", `/tasks/${taskId}/versions`, { content: {}, reason: "Start again" }),
    },
  ];
  test.each(acts)("no time of a dispatch or its run falls by $what", async ({ given, act }) => {
    await done("PUT", "/pipelines/quality_automation", {
      endpoint: "https://checks.example.com/hook",
    });
    const dispatchId = await givenDispatch(api);
    const { taskId, stepId } = await done<{ taskId: string; stepId: string }>(
      "GET",
      `/dispatches/${dispatchId}`,
    );
    await given?.(dispatchId);
    const before = await timesByRow(taskId);
    await setClock("-1 hour");
    await expectClockStepped();
    await act({ dispatchId, taskId, stepId });
    await setClock("0 hours");
    const after = await timesByRow(taskId);
    for (const [row, at] of before) expectNoneFalls([at, after.get(row)]);
  });

  const requests: [by: string, request: (task: TaskView) => Promise<unknown>][] = [
    [
      "a call",
      ({ currentStep }) =>
        done("POST", `/steps/${currentStep.id}/dispatch`, {
          pipeline: "quality_automation",
          reason: "Now",
        }),
    ],
    [
      "a bulk change",
      ({ id }) =>
        api
          .call("POST", "/bulk/execute", {
            idempotencyKey: id,
            body: {
              taskIds: [id],
              action: "run_pipelines",
              runAttachedWorkflows: true,
              reason: "Now",
            },
          })
          .then(expectDone),
    ],
  ];
  test.each(requests)(
    "a dispatch that %s requests is not older than its task",
    async (_, request) => {
      const task = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
      await setClock("-1 hour");
      await expectClockStepped();
      await request(task);
      const requested = await timesOf("pipeline_dispatches", task.id);
      expect(requested).toHaveLength(1);
      expectNoneFalls([task.updatedAt, ...requested]);
    },
  );

  test("no time of a run falls when its deadline passes", async () => {
    const { id } = await api.givenTask({ at: { kind: "delivery", status: "approved" } });
    const run = await done<{ id: string }>("POST", `/tasks/${id}/worker-runs`, { type: "PAYMENT" });
    const before = await timesByRow(id);
    await passDeadlines(api.database, [run.id]);
    await setClock("-1 hour");
    await api.sweep();
    const after = await timesByRow(id);
    for (const [row, at] of before) expectNoneFalls([at, after.get(row)]);
    expect(after.size).toBe(1);
  });

  test("each report on an insight has a later time than the one before", async () => {
    const { id } = await api.givenTask();
    const body = { taskId: id, kind: "completion", model: "solver" };
    const insight = await done<{ id: string; updatedAt: string }>("POST", "/insights", body);
    await setClock("-1 hour");
    await expectClockStepped();
    const path = `/insights/${insight.id}`;
    const reported = await done<{ updatedAt: string }>("PATCH", path, { status: "RUNNING" });
    expect(reported.updatedAt > insight.updatedAt).toBe(true);
  });

  test("a bulk operation does not end before it was created", async () => {
    const { id } = await api.givenTask({ at: { kind: "expert_review", status: "in_review" } });
    await setClock("-1 hour");
    await expectClockStepped();
    const change = { taskIds: [id], targetStatus: "CHANGES_REQUESTED", reason: "Now" };
    const call = { idempotencyKey: id, body: change };
    const { operationId } = expectDone(
      await api.call<{ operationId: string }>("POST", "/bulk/execute", call),
    );
    // As if it waited for its consumer again.
    const queued = "update bulk_operations set state = 'queued', finished_at = null where id = $1";
    const times =
      "select iso(created_at) as created, iso(finished_at) as finished from bulk_operations";
    const ended = await api.database.query("owner", times);
    await api.database.query("owner", queued, [operationId]);
    await done("POST", `/bulk/operations/${operationId}/cancel`);
    for (const row of [...ended, ...(await api.database.query("owner", times))]) {
      expectNoneFalls([row["created"], row["finished"]]);
    }
  });

  test("times in an eval's history never fall", async () => {
    const { id: evalId } = await givenOpenEval(api, { status: "queued", k: 2 });
    await setClock("-1 hour");
    await expectClockStepped();
    await done("PATCH", `/evals/${evalId}`, { status: "running" });
    const trial = await givenTrial(api, evalId, { status: "running" });
    await done("PATCH", `/trials/${trial.id}`, { passed: true });
    await done("POST", `/trials/${trial.id}/retract`, { reason: "Wrong prompt" });

    const { data: events } = await done<{ data: EvalEventView[] }>(
      "GET",
      `/evals/${evalId}/events`,
    );
    expect(events).toHaveLength(6);
    expectNoneFalls(events.map(({ at }) => at));
    await expectInvariantsHold(api.database);
  });
});

describe("the clock of the writers", () => {
  test("cannot be replaced or shadowed by the application's role", async () => {
    const functions = [
      "writer_clock()",
      "writer_clock_of(tenant uuid)",
      "running_clock(set_to timestamptz, speed numeric, set_at timestamptz, until timestamptz, moment timestamptz)",
    ];
    for (const signature of functions) {
      const replace = `create or replace function ${signature} returns timestamptz language sql return 'epoch'`;
      await expect(api.database.query("application", replace)).rejects.toMatchObject({
        code: "42501",
      });
    }
  });
});

/** Times of the rows of a task, in the order of their ids. */
async function timesOf(
  table: string,
  taskId: string,
  where = "true",
  column = "created_at",
): Promise<(string | null | undefined)[]> {
  const rows = await api.database.query(
    "owner",
    `select iso(${column}) as at from ${table} where task_id = $1 and ${where} order by created_at, id`,
    [taskId],
  );
  return rows.map(({ at }) => at);
}
