import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BULK_ACTIONS } from "../../../src/domain/bulk/actions.ts";
import { RETRIED_STATUSES } from "../../../src/domain/bulk/judge.ts";
import { GATE_ON_STATUS, isGateOpen } from "../../../src/domain/lifecycle/gates.ts";
import { STEP_KINDS, STEP_STATUSES } from "../../../src/domain/lifecycle/statuses.ts";
import {
  allowedNext,
  kindHasStatus,
  kindsUpTo,
  nextKind,
} from "../../../src/domain/lifecycle/transitions.ts";
import { pipelinesAttachedTo } from "../../../src/domain/lifecycle/attached.ts";
import {
  expectDone,
  expectProblem,
  freshApi,
  type Place,
  type TestApi,
} from "../../support/api.ts";
import { givenMany, givenManyAt } from "../../support/given-many.ts";
import { offerDispatched } from "../../support/offer-runs.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import {
  addNote,
  dispatchesOf,
  eventsOf,
  execute,
  expectInLedger,
  labelOf,
  preview,
  rowCounts,
} from "./support.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});
afterAll(() => expectInvariantsHold(api.database));

/** Every place of a task, with the gate that its status implies, and with a waived gate once for each kind. */
const PLACES: Place[] = STEP_KINDS.flatMap((kind) => [
  ...STEP_STATUSES.filter((status) => kindHasStatus(kind, status)).map((status) => ({
    kind,
    status,
  })),
  { kind, status: "queued", gate: "waived" } as const,
]);

/** Whether an action accepts a task at this place: the rule of the single call, written independently. */
const ACCEPTS: Record<(typeof BULK_ACTIONS)[number], (place: Place) => boolean> = {
  advance: ({ kind, status, gate = GATE_ON_STATUS[status] }) =>
    isGateOpen(gate) && nextKind(kind) !== null,
  retry: ({ kind, status }) =>
    RETRIED_STATUSES.some((one) => one === status) && allowedNext(kind, status).includes("queued"),
  run_pipelines: (place) => pipelinesAttachedTo(place).length > 0,
  edit: () => true,
  archive: () => true,
  restore: () => false,
  rework: ({ kind }) => kindsUpTo(kind).includes(REWORKED_TO),
};

/** The stage that the reworks of these tests lead to. */
const REWORKED_TO = "pre_qa";

const CASES = BULK_ACTIONS.flatMap((action) =>
  [false, true].map((runAttachedWorkflows) => ({ action, runAttachedWorkflows })),
);

function parametersOf(action: string) {
  if (action === "edit") return { changes: { assignee: "ada" } };
  return action === "rework" ? ({ toKind: REWORKED_TO } as const) : {};
}

describe("Preview and execution of an action", () => {
  test.each(CASES)(
    "agree on $action from every place, with pipelines: $runAttachedWorkflows",
    async ({ action, runAttachedWorkflows }) => {
      const taskIds = [...(await givenMany(api, PLACES)), crypto.randomUUID()];
      const body = { taskIds, action, ...parametersOf(action), runAttachedWorkflows };
      const before = await rowCounts(api);
      const planned = expectDone(await preview(api, body));
      expect(await rowCounts(api)).toEqual(before);
      expect(planned).toMatchObject({ action, ...parametersOf(action) });
      expect(planned.items.map(({ decision }) => decision === "eligible")).toEqual([
        ...PLACES.map((place) => ACCEPTS[action](place)),
        false,
      ]);

      const { planToken } = expectDone(await preview(api, body, { as: "reviewer" }));
      const answer = await execute(api, { ...body, planToken });
      if (action === "run_pipelines" && !runAttachedWorkflows) {
        const { issues } = expectProblem(answer, "validation_failed", 400);
        expect(issues).toMatchObject([{ path: ["runAttachedWorkflows"], code: "required" }]);
        return;
      }
      const done = expectDone(answer);
      expect(
        done.items.map(({ taskId, outcome, code, from, to }) => ({
          taskId,
          outcome,
          code,
          from,
          to,
        })),
      ).toEqual(
        planned.items.map(({ taskId, decision, code, from, to }) => ({
          taskId,
          outcome: decision === "eligible" ? "changed" : "refused",
          code,
          from,
          to,
        })),
      );
      for (const { taskId, from, to, outcome } of done.items) {
        if (from !== null)
          expect(await labelOf(api, taskId)).toBe(outcome === "changed" ? to : from);
      }
      const expected = planned.pipelines.reduce((sum, { tasks }) => sum + tasks, 0);
      expect(done.dispatched).toBe(runAttachedWorkflows ? expected : 0);
      const hasEvents = action !== "run_pipelines";
      expect(await eventsOf(api, done.operationId)).toHaveLength(
        hasEvents ? done.counts.changed : 0,
      );
      if (hasEvents) await expectInLedger(api, done);
    },
  );
});

describe("Running pipelines in bulk", () => {
  const RUN = { action: "run_pipelines", runAttachedWorkflows: true } as const;

  test("refuses a task whose pipeline is already requested, and counts it in the preview", async () => {
    const taskIds = await givenManyAt(api, 2, { kind: "pre_qa", status: "queued" });
    const [first = "", second = ""] = taskIds;
    expect(expectDone(await execute(api, { taskIds: [first], ...RUN })).dispatched).toBe(1);
    const planned = expectDone(await preview(api, { taskIds, ...RUN }));
    expect(planned).toMatchObject({
      counts: { eligible: 1, refused: 1 },
      byCode: { already_dispatched: 1 },
      pipelines: [{ name: "quality_automation", tasks: 1, alreadyDispatched: 1 }],
      primaryLabel: "Run Pipeline (1)",
    });
    const done = expectDone(await execute(api, { taskIds, ...RUN }));
    expect(done.items.map(({ outcome, code }) => [outcome, code])).toEqual([
      ["refused", "already_dispatched"],
      ["changed", undefined],
    ]);
    expect(await dispatchesOf(api, first)).toEqual(["quality_automation"]);
    expect(await dispatchesOf(api, second)).toEqual(["quality_automation"]);
  });

  test("requests nothing while an earlier request waits for a polling worker", async () => {
    const taskIds = await givenManyAt(api, 3, { kind: "pre_qa", status: "queued" });
    expectDone(await execute(api, { taskIds, ...RUN }));
    await offerDispatched(api.database, taskIds);
    const done = expectDone(await execute(api, { taskIds, ...RUN }));
    expect(done).toMatchObject({ counts: { changed: 0, refused: 3 }, dispatched: 0 });
    expect(done.items.map(({ code }) => code)).toEqual(taskIds.map(() => "already_dispatched"));
  });

  test("writes no event, and records the actor and the reason in the dispatch's log", async () => {
    const [taskId = ""] = await givenManyAt(api, 1, { kind: "calibration", status: "queued" });
    const done = expectDone(
      await execute(api, { taskIds: [taskId], ...RUN, reason: "The scorer was down." }),
    );
    expect(done.items).toEqual([{ taskId, outcome: "changed", from: "PASSED", to: "PASSED" }]);
    const [row] = await api.database.query(
      "owner",
      `select d.by_hand, d.bulk_operation_id, l.reason, l.actor_name, t.event_seq
       from pipeline_dispatches d join dispatch_events l on l.dispatch_id = d.id and l.to_state = 'pending'
       join tasks t on t.id = d.task_id where d.task_id = $1`,
      [taskId],
    );
    expect(row).toEqual({
      by_hand: "t",
      bulk_operation_id: done.operationId,
      reason: "The scorer was down.",
      actor_name: "first reviewer key",
      event_seq: "1",
    });
  });

  test("creates one dispatch for each task from concurrent calls, and counts correctly in each", async () => {
    const taskIds = await givenManyAt(api, 20, { kind: "pre_qa", status: "queued" });
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => execute(api, { taskIds, ...RUN })),
    );
    const done = answers.map((answer) => expectDone(answer));
    expect(done.reduce((sum, { counts }) => sum + counts.changed, 0)).toBe(20);
    for (const { counts, dispatched } of done) expect(dispatched).toBe(counts.changed);
  });
});

describe("Editing in bulk", () => {
  test("refuses tasks that already have the values", async () => {
    const taskIds = await givenManyAt(api, 2, { kind: "authoring", status: "running" });
    const [first = ""] = taskIds;
    expectDone(await api.call("PATCH", `/tasks/${first}`, { body: { priority: 7 } }));
    const change = { taskIds, action: "edit", changes: { priority: 7 } } as const;
    const done = expectDone(await execute(api, change));
    expect(done.items.map(({ outcome, code }) => [outcome, code])).toEqual([
      ["refused", "already_in_status"],
      ["changed", undefined],
    ]);
  });

  test("requires at least one field, and only accepts fields that many tasks can share", async () => {
    const taskIds = ["one"];
    for (const [body, code] of [
      [{ action: "edit" }, "required"],
      [{ action: "edit", changes: {} }, "required"],
      [{ action: "edit", changes: { title: "Another", priority: 1 } }, "unrecognized_keys"],
      [{ action: "retry", changes: { priority: 1 } }, "not_applicable"],
      [{ action: "retry", targetStatus: "PASSED" }, "one_of"],
      [{}, "one_of"],
    ] as const) {
      const answer = await api.call("POST", "/bulk/execute", {
        idempotencyKey: crypto.randomUUID(),
        body: { taskIds, reason: "Tried", ...body },
      });
      expect(expectProblem(answer, "validation_failed", 400).issues).toMatchObject([{ code }]);
    }
  });
});

describe("A plan token of an action", () => {
  test("is only valid for that action and those values", async () => {
    const taskIds = await givenManyAt(api, 1, { kind: "pre_qa", status: "failed" });
    const edit = { taskIds, action: "edit", changes: { priority: 3, assignee: null } } as const;
    const { planToken } = expectDone(await preview(api, edit, { as: "reviewer" }));
    for (const other of [
      { taskIds, action: "retry" },
      { ...edit, changes: { priority: 4, assignee: null } },
      { taskIds, targetStatus: "REJECTED" },
    ] as const) {
      expectProblem(await execute(api, { ...other, planToken }), "invalid_plan_token", 400);
    }
    const same = { ...edit, changes: { assignee: null, priority: 3 }, planToken } as const;
    expect(expectDone(await execute(api, same)).counts.changed).toBe(1);
  });

  test("is stale for a task that has changed, even if it is still eligible", async () => {
    const taskIds = await givenManyAt(api, 2, { kind: "pre_qa", status: "failed" });
    const body = { taskIds, action: "retry" } as const;
    const { planToken } = expectDone(await preview(api, body, { as: "reviewer" }));
    await addNote(api, taskIds[0] ?? "");
    expectProblem(await execute(api, { ...body, planToken }), "plan_stale", 409);
    const done = expectDone(await execute(api, { ...body, planToken, onStale: "skip" }));
    expect(done.items.map(({ outcome }) => outcome)).toEqual(["stale", "changed"]);
  });
});

describe("Recovering from a checker that was down overnight", () => {
  test("takes one retry of 600 tasks with their pipelines, in two round trips", async () => {
    const taskIds = await givenManyAt(api, 600, { kind: "pre_qa", status: "failed" });
    const body = { taskIds, action: "retry", runAttachedWorkflows: true } as const;
    const planned = expectDone(await preview(api, body));
    expect(planned).toMatchObject({
      counts: { eligible: 600 },
      pipelines: [{ name: "quality_automation", tasks: 600, alreadyDispatched: 0 }],
      primaryLabel: "Retry & Run Pipeline (600)",
    });
    const roundTrips = await api.roundTripsOf(async () => {
      const done = expectDone(await execute(api, body));
      expect(done).toMatchObject({ counts: { changed: 600 }, dispatched: 600 });
    });
    expect(roundTrips).toBe(2);
  });
});
