import { describe, expect, test } from "vitest";
import { BULK_ACTIONS } from "../../src/domain/bulk/actions.ts";
import type { BulkIntent } from "../../src/domain/bulk/intent.ts";
import { type BulkTerms, RETRIED_STATUSES } from "../../src/domain/bulk/judge.ts";
import { type DecidedPlan, planBulk } from "../../src/domain/bulk/plan.ts";
import { decideRevert, type UndoneEvent } from "../../src/domain/bulk/revert.ts";
import { BULK_TARGETS } from "../../src/domain/bulk/matrix.ts";
import { buttonLabel } from "../../src/domain/bulk/button-label.ts";
import { apply } from "../../src/domain/lifecycle/apply.ts";
import type { Command } from "../../src/domain/lifecycle/commands.ts";
import { decide } from "../../src/domain/lifecycle/decide.ts";
import type { Decision } from "../../src/domain/lifecycle/decision.ts";
import type { TaskSnapshot } from "../../src/domain/lifecycle/snapshot.ts";
import { pipelinesAttachedTo } from "../../src/domain/lifecycle/attached.ts";
import { factsOf, resolve } from "../../src/domain/status/resolve.ts";
import { explore } from "./support/explore.ts";
import { context, givenTask, minute } from "./support/world.ts";

const terms = (runAttachedWorkflows = false): BulkTerms => ({
  reason: "overnight",
  duplicateOf: null,
  runAttachedWorkflows,
});

function plan(tasks: readonly TaskSnapshot[], intent: BulkIntent, flag = false): DecidedPlan {
  const taskIds = tasks.map(({ id }) => id);
  const snapshots = new Map(tasks.map((task) => [task.id, task]));
  return planBulk({ intent, ...terms(flag), taskIds, snapshots }, { newId: () => "new" });
}

const reachable = explore().tasks.map((task, index) => ({ ...task, id: `task-${index}` }));
const byId = new Map(reachable.map((task) => [task.id, task]));
const taskOf = (id: string) =>
  byId.get(id) ?? expect.fail("the plan has a task that was not requested");

describe("a bulk action on every reachable task", () => {
  const commands: [BulkIntent, (flag: boolean) => Command][] = [
    [
      { action: "advance" },
      (flag) => ({ type: "advance", reason: "overnight", runAttachedWorkflows: flag }),
    ],
    [
      { action: "retry" },
      (flag) => ({
        type: "transition",
        status: "queued",
        reason: "overnight",
        runAttachedWorkflows: flag,
      }),
    ],
    [
      { action: "edit", changes: { priority: 5 } },
      () => ({ type: "edit", changes: { priority: 5 }, reason: "overnight" }),
    ],
  ];

  test.each(commands)("decides as the call on one task does: %o", (intent, commandOf) => {
    for (const flag of [false, true]) {
      let eligible = 0;
      for (const item of plan(reachable, intent, flag).items) {
        const task = taskOf(item.taskId);
        const isRetried =
          intent.action !== "retry" || RETRIED_STATUSES.some((one) => one === task.step.status);
        const single = decide(task, commandOf(flag), {
          ...context("reviewer"),
          newId: () => "new",
        });
        expect(item.decision === "eligible", JSON.stringify(task.step)).toBe(
          single.ok && isRetried,
        );
        if (item.decision === "refused") {
          if (!single.ok && isRetried) expect(item.code).toBe(single.refusal.code);
          expect(item.to).toBeNull();
          continue;
        }
        eligible += 1;
        if (single.ok) expect(item.change).toEqual(single.value);
        expect(item.to).toBe(resolve(factsOf(apply(task, item.change, minute(2)))));
      }
      expect(eligible).toBeGreaterThan(0);
    }
  });

  test("run_pipelines dispatches the pipelines attached to the step's status and changes nothing else", () => {
    for (const item of plan(reachable, { action: "run_pipelines" }, true).items) {
      const task = taskOf(item.taskId);
      const attached = pipelinesAttachedTo(task.step);
      if (item.decision === "refused") {
        expect([item.code, attached]).toEqual(["no_pipeline", []]);
        continue;
      }
      expect(item.change.events).toEqual([]);
      expect(item.change.dispatches.map(({ pipeline }) => pipeline)).toEqual(attached);
      expect(item.to).toBe(item.from);
    }
  });
});

describe("a bulk action on a task it cannot change", () => {
  test.each([
    [{ action: "advance" }, givenTask({ kind: "delivery", status: "approved" }), "no_next_step"],
    [{ action: "advance" }, givenTask({ kind: "pre_qa", status: "running" }), "gate_closed"],
    [{ action: "retry" }, givenTask({ kind: "pre_qa", status: "approved" }), "invalid_transition"],
    [{ action: "retry" }, givenTask({ kind: "pre_qa", status: "queued" }), "already_in_status"],
    [{ action: "run_pipelines" }, givenTask({ kind: "authoring" }), "no_pipeline"],
    [
      { action: "run_pipelines" },
      givenTask({ kind: "pre_qa", alreadyDispatched: ["quality_automation"] }),
      "already_dispatched",
    ],
    [{ action: "edit", changes: { priority: 0 } }, givenTask(), "already_in_status"],
    [{ action: "retry" }, givenTask({ status: "cancelled", archived: true }), "archived"],
  ] as const)("refuses %o with its code: case %#", (intent, task, code) => {
    expect(plan([task], intent).items).toMatchObject([{ decision: "refused", code }]);
  });
});

describe("the plan of a bulk action", () => {
  const failed = givenTask({ id: "a", kind: "pre_qa", status: "failed" });
  const dispatched = { ...failed, id: "b", alreadyDispatched: ["quality_automation"] as const };

  test("counts each pipeline's eligible tasks and those already dispatched", () => {
    const pipelines = [{ name: "quality_automation", tasks: 1, alreadyDispatched: 1 }];
    expect(plan([failed, dispatched], { action: "retry" })).toMatchObject({
      pipelines,
      primaryLabel: "Retry Only (2)",
    });
    const edited = plan([failed], { action: "edit", changes: { assignee: "ada" } }, true);
    expect(edited).toMatchObject({ pipelines: [], primaryLabel: "Edit Only (1)" });
  });

  test("does not count a dispatch of the step that the task leaves", () => {
    const approved = givenTask({
      kind: "authoring",
      status: "approved",
      alreadyDispatched: ["quality_automation"],
    });
    expect(plan([approved], { action: "advance" }, true)).toMatchObject({
      pipelines: [{ name: "quality_automation", tasks: 1, alreadyDispatched: 0 }],
      primaryLabel: "Advance & Run Pipeline (1)",
    });
  });

  test("labels the button with the action", () => {
    const labels = BULK_ACTIONS.map((action) =>
      buttonLabel({
        action,
        eligible: 2,
        runAttachedWorkflows: true,
        pipelines: ["edit", "archive", "restore"].includes(action) ? [] : [{ tasks: 2 }],
      }),
    );
    expect(labels).toEqual([
      "Advance & Run Pipeline (2)",
      "Retry & Run Pipeline (2)",
      "Run Pipeline (2)",
      "Edit Only (2)",
      "Archive Only (2)",
      "Restore Only (2)",
      "Rework & Run Pipeline (2)",
    ]);
  });
});

describe("a revert", () => {
  const operation = { id: "bulk-1", action: null };

  /** The event as the history records it once the change is applied. */
  const recorded = ({ events, reviews }: Decision, seq: number): UndoneEvent => {
    const event = events.at(-1);
    if (event === undefined || event.fromStatus === null || event.fromGate === null) {
      expect.fail("a change that can be reverted has an event with a previous status and gate");
    }
    const { type, fromStatus, fromGate, payload } = event;
    const review = reviews.at(-1) ?? null;
    return { seq, type, fromStatus, fromGate, payload, namedBefore: null, review };
  };

  test.each<BulkIntent>([
    ...BULK_TARGETS.map((targetStatus) => ({ targetStatus })),
    { action: "retry" },
  ])("restores every task that was changed: %o", (intent) => {
    let reverted = 0;
    for (const item of plan(reachable, intent).items) {
      if (item.decision === "refused") continue;
      const before = taskOf(item.taskId);
      const changed = apply(before, item.change, minute(2));
      const event = recorded(item.change, changed.eventSeq);
      const decided = decideRevert(changed, { operation, event, reason: "a mistake" });
      if (decided === null) expect.fail("a task that has not changed since can be reverted");
      const after = apply(changed, decided.change, minute(3));
      expect(after.step).toEqual(before.step);
      expect(after.reviews).toEqual(before.reviews);
      expect(decided).toMatchObject({ from: item.to, to: resolve(factsOf(after)) });
      expect(decided.change).toMatchObject({
        events: [{ type: "bulk_reverted", payload: { undoes: event.seq }, reason: "a mistake" }],
        undoes: { operationId: "bulk-1", seq: event.seq },
        dispatches: [],
      });
      reverted += 1;

      const movedOn = { ...changed, eventSeq: changed.eventSeq + 1 };
      expect(decideRevert(movedOn, { operation, event, reason: "a mistake" })).toBeNull();
    }
    expect(reverted).toBeGreaterThan(0);
  });

  test("of an edit restores each field's previous value and recalls no dispatch", () => {
    const before = { ...givenTask(), assignee: "ada", priority: 3 };
    const changes = { assignee: "bob", priority: 3 };
    const [item] = plan([before], { action: "edit", changes }).items;
    if (item?.decision !== "eligible") expect.fail("an edit is eligible on every task");
    const changed = apply(before, item.change, minute(2));
    const event = recorded(item.change, changed.eventSeq);
    const edit = { id: "bulk-1", action: "edit" } as const;
    const decided = decideRevert(changed, { operation: edit, event, reason: "a mistake" });
    expect(decided?.change).toMatchObject({ fields: { assignee: "ada" }, undoes: null });
    expect(decided?.change.fields).not.toHaveProperty("priority");
  });

  test.each(["archive", "restore"] as const)("of %s does the opposite", (action) => {
    const before = givenTask({ archived: action === "restore" });
    const [item] = plan([before], { action }).items;
    if (item?.decision !== "eligible") expect.fail("the task is in the opposite state");
    const changed = apply(before, item.change, minute(2));
    const event = recorded(item.change, changed.eventSeq);
    const put = { id: "bulk-1", action };
    const decided = decideRevert(changed, { operation: put, event, reason: "a mistake" });
    expect(decided?.change).toMatchObject({
      archive: action === "restore",
      events: [{ reason: "a mistake" }],
      undoes: null,
    });
    const movedOn = { ...changed, eventSeq: changed.eventSeq + 1 };
    expect(decideRevert(movedOn, { operation: put, event, reason: "a mistake" })).toBeNull();
  });

  test("of run_pipelines recalls the dispatches, whatever the task's status", () => {
    const run = { id: "bulk-1", action: "run_pipelines" } as const;
    const decided = decideRevert(givenTask(), { operation: run, event: null, reason: "a mistake" });
    expect(decided?.change).toMatchObject({
      events: [],
      undoes: { operationId: "bulk-1", seq: null },
    });
  });

  test("skips a task on which the operation recorded no event", () => {
    const decided = decideRevert(givenTask(), { operation, event: null, reason: "a mistake" });
    expect(decided).toBeNull();
  });
});
