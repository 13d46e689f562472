import { describe, expect, test } from "vitest";
import {
  changedSincePlan,
  PLAN_TOKEN_TTL_MS,
  planIdsText,
  planItemsById,
  planTaskTexts,
  planTokenContents,
  planTokenFault,
  planTokenFor,
  stalePlan,
} from "../../src/domain/bulk/plan-token.ts";
import type { BulkPlan } from "../../src/domain/bulk/plan.ts";
import { planBulk } from "../../src/domain/bulk/plan.ts";
import type { TaskSnapshot } from "../../src/domain/lifecycle/snapshot.ts";
import { REGISTRY_VERSION } from "../../src/domain/registry-version.ts";
import { context, givenTask } from "./support/world.ts";

const request = {
  tenantId: "tenant-1",
  actorId: "actor-1",
  targetStatus: "PASSED",
  action: null,
  changes: null,
  toKind: null,
  runAttachedWorkflows: false,
  duplicateOf: null,
  retryOf: null,
} as const;
const now = 1_000_000;

function planOf(tasks: readonly TaskSnapshot[], ids = tasks.map(({ id }) => id)): BulkPlan {
  const snapshots = new Map(tasks.map((task) => [task.id, task]));
  const { targetStatus, runAttachedWorkflows, duplicateOf } = request;
  const terms = { reason: "done", runAttachedWorkflows, duplicateOf };
  return planBulk({ intent: { targetStatus }, ...terms, taskIds: ids, snapshots }, context());
}

/** Uses the texts themselves in place of keyed digests. */
function digestsOf(plan: BulkPlan): { ids: string; tasks: string[] } {
  return { ids: planIdsText(plan), tasks: planTaskTexts(plan) };
}

const tasks = [
  givenTask({ id: "b", kind: "expert_review", status: "in_review" }),
  givenTask({ id: "a", kind: "authoring" }),
];
const plan = planOf(tasks, ["b", "a", "x"]);
const token = planTokenFor(request, digestsOf(plan), now);

describe("a plan token", () => {
  test("holds the caller, the request, the registry version, the expiry and the plan", () => {
    expect(planTokenContents.parse(token)).toEqual({
      ...request,
      registryVersion: REGISTRY_VERSION,
      expiresAt: now + 60 * 60 * 1000,
      ids: "a\nb\nx",
      tasks: ['["a",7,"illegal_target"]', '["b",7,"eligible"]', '["x",null,"not_found"]'],
    });
  });

  test("lists tasks by id, whatever the order of the request", () => {
    expect(planItemsById(plan).map(({ taskId }) => taskId)).toEqual(["a", "b", "x"]);
    expect(digestsOf(planOf(tasks, ["x", "a", "b"]))).toEqual(digestsOf(plan));
  });

  test("is valid for the same call within an hour", () => {
    expect(planTokenFault(token, request, digestsOf(plan), now)).toBeNull();
    const last = now + PLAN_TOKEN_TTL_MS - 1;
    expect(planTokenFault(token, request, digestsOf(plan), last)).toBeNull();
  });

  test.each([
    ["tenantId", "tenant-2"],
    ["actorId", "actor-2"],
    ["targetStatus", "REJECTED"],
    ["action", "retry"],
    ["changes", "{}"],
    ["runAttachedWorkflows", true],
    ["duplicateOf", "task-9"],
    ["retryOf", "bulk-1"],
  ] as const)("is invalid for a different %s", (member, value) => {
    const fault = planTokenFault(token, { ...request, [member]: value }, digestsOf(plan), now);
    expect(fault?.code).toBe("invalid_plan_token");
  });

  test("is invalid for fewer, more or different tasks", () => {
    for (const ids of [
      ["a", "b"],
      ["a", "b", "y"],
      ["a", "b", "x", "y"],
    ]) {
      const other = digestsOf(planOf(tasks, ids));
      expect(planTokenFault(token, request, other, now)?.code).toBe("invalid_plan_token");
    }
  });

  test("of a retry expires if another retry has changed some of its tasks since", () => {
    const retry = { ...request, retryOf: "bulk-1" };
    const retryToken = planTokenFor(retry, digestsOf(plan), now);
    expect(planTokenFault(retryToken, retry, digestsOf(plan), now)).toBeNull();
    const left = digestsOf(planOf(tasks, ["a", "b"]));
    expect(planTokenFault(retryToken, retry, left, now)?.code).toBe("plan_expired");
    expect(planTokenFault(retryToken, request, left, now)?.code).toBe("invalid_plan_token");
  });

  test("expires after an hour", () => {
    const fault = planTokenFault(token, request, digestsOf(plan), now + PLAN_TOKEN_TTL_MS);
    expect(fault?.code).toBe("plan_expired");
  });

  test("expires if the registry version changes", () => {
    const old = { ...token, registryVersion: 0 };
    expect(planTokenFault(old, request, digestsOf(plan), now)?.code).toBe("plan_expired");
  });

  test("rejects any other member", () => {
    expect(planTokenContents.safeParse({ ...token, role: "admin" }).success).toBe(false);
  });
});

describe("the changes since the plan", () => {
  test("are none if no task changed", () => {
    expect(changedSincePlan(token, plan, digestsOf(plan))).toEqual([]);
  });

  test("are the tasks whose seq or decision differs, with their current label and code", () => {
    const moved = planOf(
      [
        { ...givenTask({ id: "b", kind: "expert_review", status: "approved" }), eventSeq: 8 },
        { ...givenTask({ id: "a", kind: "authoring" }), eventSeq: 9 },
      ],
      ["b", "a", "x"],
    );
    const changed = changedSincePlan(token, moved, digestsOf(moved));
    expect(stalePlan(changed)).toMatchObject({
      code: "plan_stale",
      detail: "2 tasks have changed since the preview. Nothing was changed.",
      changed: [
        { taskId: "a", unifiedStatus: "DRAFT", code: "illegal_target" },
        { taskId: "b", unifiedStatus: "PASSED", code: "already_in_status" },
      ],
    });
  });

  test("include a task that appeared and one that is gone", () => {
    const appeared = planOf(
      [...tasks.slice(0, 1), givenTask({ id: "x", kind: "expert_review", status: "in_review" })],
      ["b", "a", "x"],
    );
    const changed = changedSincePlan(token, appeared, digestsOf(appeared));
    expect(stalePlan(changed)).toMatchObject({
      changed: [
        { taskId: "a", unifiedStatus: null, code: "not_found" },
        { taskId: "x", unifiedStatus: "IN_REVIEW", code: null },
      ],
    });
  });

  test("do not include a new dispatch, because no plan depends on it", () => {
    const dispatched = planOf(
      tasks.map((task) => ({ ...task, alreadyDispatched: ["payment"] as const })),
      ["b", "a", "x"],
    );
    expect(changedSincePlan(token, dispatched, digestsOf(dispatched))).toEqual([]);
  });
});
