import { describe, expect, test } from "vitest";
import type { Command } from "../../src/domain/lifecycle/commands.ts";
import type { StepStatus } from "../../src/domain/lifecycle/statuses.ts";
import { expectDecision, givenTask, expectRefusal } from "./support/world.ts";

function to(
  status: StepStatus,
  more: Partial<Extract<Command, { type: "transition" }>> = {},
): Command {
  return { type: "transition", status, runAttachedWorkflows: false, ...more };
}

describe("a transition", () => {
  test("stores why, the caller's own payload under data, and whether pipelines may run", () => {
    const { events } = expectDecision(
      givenTask({ kind: "pre_qa", status: "queued" }),
      to("running", { reason: "start", payload: { host: "a" }, runAttachedWorkflows: true }),
    );
    expect(events[0]).toMatchObject({
      reason: "start",
      payload: { data: { host: "a" } },
      runAttachedWorkflows: true,
      duplicateOf: null,
    });
  });

  test("has an empty payload and no reason where the caller gave none", () => {
    const { events } = expectDecision(
      givenTask({ kind: "pre_qa", status: "queued" }),
      to("running"),
    );
    expect(events[0]).toMatchObject({ reason: null, payload: {} });
  });

  test("of another step of the active version is told which step is current", () => {
    const refusal = expectRefusal(
      givenTask(),
      to("running", { target: { stepId: "earlier-1", versionId: "version-1" } }),
      "step_not_current",
    );
    expect(refusal.currentStepId).toBe("step-1");
  });

  test("of a step of an older version is told which version is active", () => {
    const refusal = expectRefusal(
      givenTask(),
      to("running", { target: { stepId: "old", versionId: "version-0" } }),
      "version_sealed",
    );
    expect(refusal.activeVersion).toEqual({ id: "version-1", number: 1 });
  });

  test("of the current step by name is the same as without a name", () => {
    const target = { stepId: "step-1", versionId: "version-1" };
    expect(expectDecision(givenTask(), to("running", { target }))).toEqual(
      expectDecision(givenTask(), to("running")),
    );
  });

  test("of an archived task is refused until it is restored", () => {
    const refusal = expectRefusal(givenTask({ archived: true }), to("running"), "archived");
    expect(refusal.next?.commands).toEqual([{ type: "restore" }]);
  });
});

describe("an ending", () => {
  const worked = givenTask({
    kind: "pre_qa",
    status: "running",
    running: ["QUALITY_AUTOMATION", "POST_QA_SCORING"],
    queuedRuns: ["EXPERT_REVIEW", "PAYMENT"],
  });

  test.each(["rejected", "duplicate"] as const)(
    "as %s cancels the open runs that the label depends on, and lists them",
    (status) => {
      const { runs, events } = expectDecision(worked, to(status));
      expect(runs).toEqual([
        { id: "run-QUALITY_AUTOMATION", state: "CANCELLED", result: null, error: null },
        { id: "queued-EXPERT_REVIEW", state: "CANCELLED", result: null, error: null },
      ]);
      expect(events[0]?.payload).toEqual({
        cancelledRuns: ["run-QUALITY_AUTOMATION", "queued-EXPERT_REVIEW"],
      });
    },
  );

  test.each(["rejected", "duplicate"] as const)("as %s calls back every dispatch", (status) => {
    expect(expectDecision(worked, to(status)).recall).toEqual({
      stepId: "step-1",
      versionId: "version-1",
      ofStep: true,
      ofVersion: true,
    });
  });

  test("lists no runs where none were open", () => {
    const { events } = expectDecision(
      givenTask({ kind: "pre_qa", status: "queued" }),
      to("rejected"),
    );
    expect(events[0]?.payload).toEqual({ cancelledRuns: [] });
  });

  test("may name the task that it is a duplicate of", () => {
    const { events } = expectDecision(worked, to("duplicate", { duplicateOf: "task-2" }));
    expect(events[0]?.duplicateOf).toBe("task-2");
  });

  test("is refused as a duplicate of itself", () => {
    const refusal = expectRefusal(
      worked,
      to("duplicate", { duplicateOf: "task-1" }),
      "validation_failed",
    );
    expect(refusal.issues).toMatchObject([{ path: ["duplicateOf"], code: "self_duplicate" }]);
  });

  test("that is no duplicate takes no duplicateOf", () => {
    const refusal = expectRefusal(
      worked,
      to("rejected", { duplicateOf: "task-2" }),
      "validation_failed",
    );
    expect(refusal.issues).toMatchObject([{ path: ["duplicateOf"], code: "not_applicable" }]);
  });
});

describe("a request for changes", () => {
  test("calls back the payment of the version alone, and cancels no run", () => {
    const decision = expectDecision(
      givenTask({ kind: "expert_review", status: "in_review", running: ["EXPERT_REVIEW"] }),
      to("changes_requested"),
    );
    expect(decision.recall).toEqual({
      stepId: "step-1",
      versionId: "version-1",
      ofStep: false,
      ofVersion: true,
    });
    expect(decision.runs).toEqual([]);
  });
});

test("no other status calls anything back", () => {
  const decision = expectDecision(givenTask({ kind: "pre_qa", status: "running" }), to("failed"));
  expect(decision.recall).toBeNull();
});

describe("an approval of a quality check against a failure that still stands", () => {
  const failed = givenTask({ kind: "pre_qa", status: "awaiting_review", reviews: ["failed"] });

  test("needs a reason", () => {
    const refusal = expectRefusal(failed, to("approved"), "validation_failed");
    expect(refusal.issues).toMatchObject([{ path: ["reason"], code: "required" }]);
  });

  test("needs a reviewer", () => {
    const refusal = expectRefusal(
      failed,
      to("approved", { reason: "it is fine" }),
      "forbidden",
      "operator",
    );
    expect(refusal.required).toBe("reviewer");
  });

  test("records a passed review by that person before the transition", () => {
    const { events, reviews } = expectDecision(failed, to("approved", { reason: "it is fine" }));
    expect(reviews).toEqual([
      {
        id: "new-1",
        versionId: "version-1",
        stepId: "step-1",
        kind: "expert",
        outcome: "passed",
        sequence: 2,
        notes: "it is fine",
      },
    ]);
    expect(events.map(({ type, fromStatus, toStatus }) => [type, fromStatus, toStatus])).toEqual([
      ["review_recorded", "awaiting_review", "awaiting_review"],
      ["step_transitioned", "awaiting_review", "approved"],
    ]);
  });

  test("is an ordinary one once a later review has passed", () => {
    const passed = givenTask({
      kind: "pre_qa",
      status: "awaiting_review",
      reviews: ["failed", "passed"],
    });
    const { events, reviews } = expectDecision(passed, to("approved"), "operator");
    expect(reviews).toEqual([]);
    expect(events.map(({ type }) => type)).toEqual(["step_transitioned"]);
  });

  test("is a matter of the quality check alone", () => {
    const elsewhere = givenTask({ kind: "authoring", status: "in_review", reviews: ["failed"] });
    expect(expectDecision(elsewhere, to("approved"), "operator").reviews).toEqual([]);
  });

  test("is judged by the tables first", () => {
    const queued = givenTask({ kind: "pre_qa", status: "queued", reviews: ["failed"] });
    expectRefusal(queued, to("approved"), "invalid_transition");
  });
});
