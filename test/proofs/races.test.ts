import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Moved } from "../../src/actions/moves/move-task.ts";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import type { WorkerType } from "../../src/domain/lifecycle/statuses.ts";
import {
  type Answer,
  type CallOptions,
  expectDone,
  freshApi,
  type TestApi,
} from "../support/api.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { openTransaction, untilBlocked } from "../support/model/locks.ts";
import { silenceLog } from "../support/model/quiet.ts";

silenceLog();

let api: TestApi;

beforeAll(async () => {
  api = await freshApi();
  await api.roundTripsOf(async () => {});
});

afterEach(() => api.database.clearFaults());

type Call = [method: string, path: string, options: CallOptions];

/** Sends a move that is decided now and written later, and does something in between. */
async function meanwhile<Value>(
  move: Call,
  between: () => Promise<Value>,
): Promise<{ moved: Answer<Moved>; value: Value }> {
  await api.database.faults({
    kind: "delay",
    delayMilliseconds: 400,
    sql: "insert into step_events",
  });
  const moving = api.call<Moved>(...move);
  // Once the delay has started, the move is on its way with the state that it loaded.
  await expect.poll(() => api.database.waitingFaults()).toBe(0);
  const value = await between();
  return { moved: await moving, value };
}

const startRun = async ({ id }: TaskView, type: WorkerType): Promise<string> => {
  const body = { type };
  const run = await api.call<{ id: string }>("POST", `/tasks/${id}/worker-runs`, {
    as: "service",
    body,
  });
  return expectDone(run, 201).id;
};

const leavings: { by: string; call: (task: TaskView) => Call }[] = [
  { by: "advance", call: ({ id }) => ["POST", `/tasks/${id}/advance`, { body: {} }] },
  {
    by: "rework",
    call: ({ id }) => [
      "POST",
      `/tasks/${id}/rework`,
      { body: { toKind: "pre_qa", reason: "Again" } },
    ],
  },
  {
    by: "new version",
    call: ({ id }) => [
      "POST",
      `/tasks/${id}/versions`,
      { body: { content: {}, reason: "Better" } },
    ],
  },
  {
    by: "rejection",
    call: ({ currentStep }) => [
      "PATCH",
      `/steps/${currentStep.id}`,
      { body: { status: "rejected", reason: "Off topic" } },
    ],
  },
];

describe("a move that leaves or ends a step", () => {
  test.for(leavings)(
    "by $by cancels a run that was opened at the same moment",
    async ({ call }) => {
      const task = await api.givenTask({ at: { kind: "pre_qa", status: "approved" } });
      const { moved, value: run } = await meanwhile(call(task), () =>
        startRun(task, "QUALITY_AUTOMATION"),
      );
      expectDone(moved, moved.status === 201 ? 201 : 200);
      const report = await api.call<{ run: { state: string } }>("PATCH", `/worker-runs/${run}`, {
        as: "service",
        body: { state: "RUNNING" },
      });
      expect(expectDone(report).run.state).toBe("CANCELLED");
      await expectInvariantsHold(api.database);
    },
  );

  test("cancels a run that was opened while the move waited for its lock", async () => {
    const task = await api.givenTask({ at: { kind: "pre_qa", status: "approved" } });
    const opening = await openTransaction(api.database, [
      { text: "select from tasks where id = $1 for no key update", values: [task.id] },
      {
        text: `insert into worker_runs (tenant_id, id, task_id, version_id, step_id, type, state, deadline_at, created_by)
          select tenant_id, new_id(), id, active_version_id, current_step_id, 'QUALITY_AUTOMATION', 'QUEUED', now(), 'a rival'
          from tasks where id = $1`,
        values: [task.id],
      },
    ]);
    const advancing = api.call("POST", `/tasks/${task.id}/advance`, { body: {} });
    await untilBlocked(api.database);
    await opening.end();
    expectDone(await advancing);
    const runs = await api.database.query(
      "owner",
      "select state from worker_runs where task_id = $1",
      [task.id],
    );
    expect(runs).toEqual([{ state: "CANCELLED" }]);
  });

  test("keeps a payment that was started at the same moment", async () => {
    const task = await api.givenTask({ at: { kind: "expert_review", status: "approved" } });
    const advance: Call = ["POST", `/tasks/${task.id}/advance`, { body: {} }];
    const { value: run } = await meanwhile(advance, () => startRun(task, "PAYMENT"));
    const report = await api.call<{ run: { state: string } }>("PATCH", `/worker-runs/${run}`, {
      as: "service",
      body: { state: "RUNNING" },
    });
    expect(expectDone(report).run.state).toBe("RUNNING");
  });

  const REQUEST = `with requested as (
      insert into pipeline_dispatches (tenant_id, id, pipeline, task_id, version_id, step_id, cause_seq, by_hand)
      select tenant_id, new_id(), 'quality_automation', id, active_version_id, current_step_id, event_seq, true
      from tasks where id = $1 returning tenant_id, id)
    insert into dispatch_events (tenant_id, id, dispatch_id, to_state, actor_id, actor_name)
    select tenant_id, new_id(), id, 'pending', 'a rival', 'A rival' from requested`;
  /** Offers the run of the dispatch to the workers that poll, which ends the dispatch. */
  const OFFER = `with delivered as (
      update pipeline_dispatches set state = 'delivered' where task_id = $1 returning *),
    offered as (
      insert into worker_runs (tenant_id, id, task_id, version_id, step_id, type, state, dispatch_id, offered,
        deadline_at, created_by)
      select tenant_id, new_id(), task_id, version_id, step_id, 'QUALITY_AUTOMATION', 'QUEUED', id, true,
        now() + interval '1 hour', 'a rival'
      from delivered)
    insert into dispatch_events (tenant_id, id, dispatch_id, from_state, to_state, actor_id, actor_name)
    select tenant_id, new_id(), id, from_state, to_state, 'a rival', 'A rival'
    from delivered, (values ('pending', 'sent'), ('sent', 'delivered')) log(from_state, to_state)`;
  test.for([
    { what: "that a call has requested", statements: [REQUEST] },
    { what: "whose run a worker can claim", statements: [REQUEST, OFFER] },
  ])(
    "dispatches a pipeline once $what while the move waited for its lock",
    async ({ statements }) => {
      const task = await api.givenTask({ at: { kind: "pre_qa", status: "changes_requested" } });
      const requesting = await openTransaction(api.database, [
        { text: "select from tasks where id = $1 for no key update", values: [task.id] },
        ...statements.map((text) => ({ text, values: [task.id] })),
      ]);
      const queuing = api.call("PATCH", `/steps/${task.currentStep.id}`, {
        body: { status: "queued", runAttachedWorkflows: true },
      });
      await untilBlocked(api.database);
      await requesting.end();
      expectDone(await queuing);
      const dispatches = await api.database.query(
        "owner",
        "select by_hand from pipeline_dispatches where task_id = $1",
        [task.id],
      );
      expect(dispatches).toEqual([{ by_hand: "t" }]);
    },
  );

  test("recalls a dispatch that was created at the same moment", async () => {
    const task = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
    const rework: Call = [
      "POST",
      `/tasks/${task.id}/rework`,
      { body: { toKind: "pre_qa", reason: "Again", runAttachedWorkflows: false } },
    ];
    const { value: id } = await meanwhile(rework, async () => {
      const body = { pipeline: "quality_automation", reason: "Now" };
      const asked = await api.call<{ id: string }>(
        "POST",
        `/steps/${task.currentStep.id}/dispatch`,
        { body },
      );
      return expectDone(asked, 201).id;
    });
    const [dispatch] = await api.database.query(
      "owner",
      "select state from pipeline_dispatches where id = $1",
      [id],
    );
    expect(dispatch).toEqual({ state: "recalled" });
    await expectInvariantsHold(api.database);
  });
});
