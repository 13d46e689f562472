import { describe, expect, test } from "vitest";
import {
  BULK_ALLOWED_TARGETS,
  BULK_STEP_STATUS,
  BULK_TARGETS,
  type BulkTarget,
  PIPELINES_ON_TARGET,
} from "../../src/domain/bulk/matrix.ts";
import type { BulkTerms } from "../../src/domain/bulk/judge.ts";
import {
  type BulkRequest,
  type DecidedPlan,
  joinPlans,
  outlineOf,
  planBulk,
} from "../../src/domain/bulk/plan.ts";
import { apply } from "../../src/domain/lifecycle/apply.ts";
import { isHeld } from "../../src/domain/lifecycle/gates.ts";
import type { TaskSnapshot } from "../../src/domain/lifecycle/snapshot.ts";
import { allowedNext } from "../../src/domain/lifecycle/transitions.ts";
import { pipelinesAttachedTo } from "../../src/domain/lifecycle/attached.ts";
import { factsOf, resolve } from "../../src/domain/status/resolve.ts";
import { UNIFIED_STATUSES } from "../../src/domain/status/unified.ts";
import { explore } from "./support/explore.ts";
import { context, givenTask, minute, original } from "./support/world.ts";

function plan(
  tasks: readonly TaskSnapshot[],
  targetStatus: BulkTarget,
  more: Partial<BulkTerms & Pick<BulkRequest, "taskIds" | "snapshots">> = {},
): DecidedPlan {
  return planBulk(
    {
      taskIds: tasks.map(({ id }) => id),
      snapshots: new Map(tasks.map((task) => [task.id, task])),
      intent: { targetStatus },
      reason: "partner withdrew",
      duplicateOf: null,
      runAttachedWorkflows: false,
      ...more,
    },
    context("viewer"),
  );
}

function only(items: DecidedPlan["items"]): DecidedPlan["items"][number] {
  const [item] = items;
  if (item === undefined || items.length > 1) expect.fail(`${items.length} items`);
  return item;
}

const inReview = givenTask({ kind: "expert_review", status: "in_review" });

describe("a bulk change of every reachable task", () => {
  const reachable = explore().tasks.map((task, index) => ({ ...task, id: `task-${index}` }));
  const byId = new Map(reachable.map((task) => [task.id, task]));

  test.each(BULK_TARGETS)("to %s is eligible if the matrix allows it, and ends there", (target) => {
    const { items } = plan(reachable, target);
    let eligible = 0;
    for (const item of items) {
      const task = byId.get(item.taskId);
      if (task === undefined) expect.fail("the plan has a task that was not requested");
      const from = resolve(factsOf(task));
      const isAllowed = BULK_ALLOWED_TARGETS[from].includes(target);
      if (item.decision === "refused") {
        const isClosed = target === "PASSED" && isHeld(task.step);
        const code = from === target ? "already_in_status" : "illegal_target";
        expect(item.code, JSON.stringify(task.step)).toBe(
          isAllowed && isClosed ? "gate_closed" : code,
        );
        continue;
      }
      eligible += 1;
      expect(isAllowed).toBe(true);
      expect(item.from).toBe(from);
      const status = BULK_STEP_STATUS[target];
      expect(allowedNext(task.step.kind, task.step.status)).toContain(status);
      const after = apply(task, item.change, minute(2));
      expect(after.step.status).toBe(status);
      expect(resolve(factsOf(after)), JSON.stringify(task.step)).toBe(target);
    }
    expect(eligible).toBeGreaterThan(0);
  });

  test("covers every allowed cell of the matrix", () => {
    const covered = new Set<string>();
    for (const target of BULK_TARGETS) {
      for (const item of plan(reachable, target).items) {
        if (item.decision === "eligible") covered.add(`${item.from} ${item.to}`);
      }
    }
    const allowed = UNIFIED_STATUSES.flatMap((from) =>
      BULK_ALLOWED_TARGETS[from].map((to) => `${from} ${to}`),
    );
    expect([...covered].toSorted()).toEqual(allowed.toSorted());
  });

  test("attaches the same pipelines as a transition into the same status", () => {
    for (const target of BULK_TARGETS) {
      for (const item of plan(reachable, target).items) {
        if (item.decision === "refused") continue;
        const task = byId.get(item.taskId);
        const entered = { kind: task?.step.kind ?? "ingestion", status: BULK_STEP_STATUS[target] };
        const attached = PIPELINES_ON_TARGET[target];
        if (pipelinesAttachedTo(entered).join() !== attached.join()) {
          expect(pipelinesAttachedTo(entered)).toEqual(attached);
        }
      }
    }
    expect(PIPELINES_ON_TARGET.PASSED).toEqual(["payment"]);
  });
});

describe("an eligible task", () => {
  test("gets one event with the reason and the flag, and no dispatch by default", () => {
    const item = only(plan([inReview], "PASSED").items);
    if (item.decision === "refused") expect.fail(item.code);
    expect(item).toMatchObject({ from: "IN_REVIEW", to: "PASSED", warnings: [], eventSeq: 7 });
    expect(item.change.events).toEqual([
      expect.objectContaining({
        type: "bulk_transitioned",
        fromStatus: "in_review",
        toStatus: "approved",
        fromGate: "evaluating",
        toGate: "passed",
        reason: "partner withdrew",
        runAttachedWorkflows: false,
      }),
    ]);
    expect(item.change.dispatches).toEqual([]);
  });

  test("gets its dispatch if the caller opts in", () => {
    const item = only(plan([inReview], "PASSED", { runAttachedWorkflows: true }).items);
    if (item.decision === "refused") expect.fail(item.code);
    expect(item.change.dispatches).toEqual([
      { id: "new-1", pipeline: "payment", stepId: "step-1", versionId: "version-1" },
    ]);
    expect(item.change.events[0]?.runAttachedWorkflows).toBe(true);
  });

  test("is marked as a duplicate of the given task", () => {
    const item = only(plan([inReview], "DUPLICATE", { duplicateOf: original() }).items);
    if (item.decision === "refused") expect.fail(item.code);
    expect(item.change.events[0]?.duplicateOf).toBe("original-1");
  });

  test.each([
    ["itself a duplicate", original({ status: "duplicate" })],
    ["rejected", original({ status: "rejected" })],
    ["archived", original({ isArchived: true })],
  ])("cannot be a duplicate of a task that is %s", (_, duplicateOf) => {
    const item = only(plan([inReview], "DUPLICATE", { duplicateOf }).items);
    expect(item).toMatchObject({
      code: "conflict",
      allowed: expect.not.arrayContaining(["DUPLICATE"]),
    });
  });

  test("cannot become a duplicate while a duplicate names it", () => {
    const named = { ...inReview, namedBy: ["task-2"] };
    expect(only(plan([named], "DUPLICATE").items)).toMatchObject({ code: "conflict" });
    expect(only(plan([named], "REJECTED").items).decision).toBe("eligible");
  });

  test("has its runs cancelled if it is rejected", () => {
    const task = givenTask({
      kind: "expert_review",
      status: "in_review",
      running: ["EXPERT_REVIEW"],
    });
    const item = only(plan([task], "REJECTED").items);
    if (item.decision === "refused") expect.fail(item.code);
    expect(item.change.runs).toHaveLength(1);
    expect(item.change.events[0]?.payload).toEqual({ cancelledRuns: ["run-EXPERT_REVIEW"] });
    expect(item.change.recall).toMatchObject({ ofStep: true, ofVersion: true });
  });

  test.each([
    [
      "worker_live",
      givenTask({ kind: "pre_qa", reviews: ["failed"], running: ["QUALITY_AUTOMATION"] }),
    ],
    ["no_verdict", givenTask({ kind: "output_generation", status: "failed" })],
    ["in_delivery", givenTask({ kind: "delivery", status: "queued" })],
  ] as const)("can carry the warning %s", (warning, task) => {
    const item = only(plan([task], "REJECTED").items);
    if (item.decision === "refused") expect.fail(item.code);
    expect(item.warnings).toEqual([warning]);
  });
});

describe("a refused task", () => {
  test("is reported as not_found if no task has the id", () => {
    const item = only(plan([], "REJECTED", { taskIds: ["nothing"] }).items);
    expect(item).toEqual({
      taskId: "nothing",
      decision: "refused",
      code: "not_found",
      from: null,
      to: "REJECTED",
      allowed: [],
      pipelines: [],
      eventSeq: null,
    });
  });

  test("lists the targets that are allowed instead", () => {
    const item = only(plan([inReview], "SUBMITTED").items);
    expect(item).toMatchObject({
      code: "illegal_target",
      allowed: ["CHANGES_REQUESTED", "PASSED", "REJECTED", "DUPLICATE"],
    });
  });

  test("has no allowed target out of Draft", () => {
    for (const target of BULK_TARGETS) {
      const item = only(plan([givenTask()], target).items);
      expect(item).toMatchObject({ code: "illegal_target", from: "DRAFT", allowed: [] });
    }
  });

  test("is reported as already_in_status if it has the target label", () => {
    const rejected = givenTask({ kind: "pre_qa", status: "rejected" });
    expect(only(plan([rejected], "REJECTED").items)).toMatchObject({ code: "already_in_status" });
  });

  test("is reported as gate_closed if its gate is blocked by hand, and keeps its other targets", () => {
    const blocked = givenTask({ kind: "expert_review", status: "in_review", gate: "blocked" });
    expect(only(plan([blocked], "PASSED").items)).toMatchObject({
      code: "gate_closed",
      allowed: ["CHANGES_REQUESTED", "REJECTED", "DUPLICATE"],
    });
    expect(only(plan([blocked], "REJECTED").items).decision).toBe("eligible");
  });

  test("cannot be a duplicate of itself", () => {
    const item = only(
      plan([inReview], "DUPLICATE", { duplicateOf: original({ id: inReview.id }) }).items,
    );
    expect(item).toMatchObject({ code: "self_duplicate" });
  });

  test("is reported as archived", () => {
    const archived = givenTask({ kind: "expert_review", status: "in_review", archived: true });
    expect(only(plan([archived], "PASSED").items)).toMatchObject({ code: "archived", allowed: [] });
  });
});

describe("a plan", () => {
  const tasks = [
    givenTask({ id: "c", kind: "expert_review", status: "in_review" }),
    givenTask({
      id: "a",
      kind: "expert_review",
      status: "in_review",
      alreadyDispatched: ["payment"],
    }),
    givenTask({ id: "b", kind: "authoring" }),
    givenTask({ id: "d", kind: "expert_review", status: "approved" }),
  ];

  test("has each task once, in the order of the request", () => {
    const { items, counts } = plan(tasks, "PASSED", { taskIds: ["c", "b", "c", "x", "a", "b"] });
    expect(items.map(({ taskId }) => taskId)).toEqual(["c", "b", "x", "a"]);
    expect(counts).toEqual({ requested: 4, eligible: 2, refused: 2 });
  });

  test("has a task once if the request names it twice", () => {
    const [task] = tasks;
    if (task === undefined) expect.fail("no task");
    const snapshots = new Map([
      ["ext:one", task],
      ["c", task],
    ]);
    const { items } = plan([], "PASSED", { taskIds: ["ext:one", "c"], snapshots });
    expect(items.map(({ taskId }) => taskId)).toEqual(["c"]);
  });

  test("counts by source and by code", () => {
    const { bySource, byCode } = plan(tasks, "PASSED", { taskIds: ["c", "a", "b", "d", "x"] });
    expect(bySource).toEqual({
      IN_REVIEW: { eligible: 2, refused: 0 },
      DRAFT: { eligible: 0, refused: 1 },
      PASSED: { eligible: 0, refused: 1 },
    });
    expect(byCode).toEqual({ illegal_target: 1, already_in_status: 1, not_found: 1 });
  });

  test("lists the pipelines that would run, whether or not the box is checked", () => {
    const expected = [{ name: "payment", tasks: 1, alreadyDispatched: 1 }];
    expect(plan(tasks, "PASSED").pipelines).toEqual(expected);
    expect(plan(tasks, "PASSED", { runAttachedWorkflows: true }).pipelines).toEqual(expected);
    expect(plan(tasks, "REJECTED").pipelines).toEqual([]);
  });

  test("states on the button what will happen", () => {
    expect(plan(tasks, "PASSED").primaryLabel).toBe("Change Status Only (2)");
    expect(plan(tasks, "PASSED", { runAttachedWorkflows: true }).primaryLabel).toBe(
      "Change Status & Run Pipeline (2)",
    );
    expect(plan(tasks, "REJECTED", { runAttachedWorkflows: true }).primaryLabel).toBe(
      "Change Status Only (3)",
    );
  });

  test("promises no pipeline if payment is already dispatched for every task", () => {
    const dispatched = tasks.filter(({ alreadyDispatched }) =>
      alreadyDispatched.includes("payment"),
    );
    expect(plan(dispatched, "PASSED", { runAttachedWorkflows: true }).primaryLabel).toBe(
      "Change Status Only (1)",
    );
  });

  test("joined from parts equals the plan of the whole", () => {
    for (const targetStatus of BULK_TARGETS) {
      const request = { intent: { targetStatus }, runAttachedWorkflows: false };
      const parts = [plan(tasks.slice(0, 1), targetStatus), plan(tasks.slice(1), targetStatus)];
      expect(joinPlans(parts.map(outlineOf), request)).toEqual(
        outlineOf(plan(tasks, targetStatus)),
      );
    }
  });

  test("of no task is empty", () => {
    expect(plan([], "PASSED")).toMatchObject({
      items: [],
      counts: { requested: 0, eligible: 0, refused: 0 },
      bySource: {},
      byCode: {},
    });
  });

  test("is the same each time, and does not change the snapshots", () => {
    const before = structuredClone(tasks);
    expect(plan(tasks, "PASSED")).toEqual(plan(tasks, "PASSED"));
    expect(tasks).toEqual(before);
  });
});
