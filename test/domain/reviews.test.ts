import { describe, expect, test } from "vitest";
import type { Command } from "../../src/domain/lifecycle/commands.ts";
import { isFailureStanding } from "../../src/domain/lifecycle/standing.ts";
import type { ReviewOutcome } from "../../src/domain/lifecycle/statuses.ts";
import { factsOf, resolve } from "../../src/domain/status/resolve.ts";
import { expectDecision, givenTask, expectRefusal } from "./support/world.ts";

const review = (
  outcome: ReviewOutcome,
  more: Partial<Extract<Command, { type: "review" }>> = {},
): Command => ({ type: "review", kind: "expert", outcome, ...more });

describe("the standing verdict", () => {
  test("is no failure without reviews", () => {
    expect(isFailureStanding([])).toBe(false);
  });

  test("is a failure while nothing passed after it", () => {
    expect(isFailureStanding([{ sequence: 1, outcome: "failed" }])).toBe(true);
    expect(
      isFailureStanding([
        { sequence: 1, outcome: "passed" },
        { sequence: 2, outcome: "failed" },
      ]),
    ).toBe(true);
  });

  test("is no failure any more once a failed review was followed by a passed one", () => {
    const task = givenTask({ kind: "pre_qa", status: "approved", reviews: ["failed", "passed"] });
    expect(isFailureStanding(task.reviews)).toBe(false);
    expect(resolve(factsOf(task))).toBe("READY_TO_SUBMIT");
  });

  test("goes by sequence, in whatever order the reviews are listed", () => {
    const reviews = [
      { sequence: 3, outcome: "passed" },
      { sequence: 1, outcome: "passed" },
      { sequence: 2, outcome: "failed" },
    ] as const;
    expect(isFailureStanding(reviews)).toBe(false);
    expect(isFailureStanding(reviews.toReversed())).toBe(false);
  });

  test("is not saved by a pass before the last failure, however many there are", () => {
    const reviews = (["passed", "failed", "passed", "passed", "failed"] as const).map(
      (outcome, index) => ({ sequence: index + 1, outcome }),
    );
    expect(isFailureStanding(reviews)).toBe(true);
  });
});

describe("a review", () => {
  const judged = givenTask({ kind: "pre_qa", status: "in_review", reviews: ["failed"] });

  test("is recorded of the current step with the task's next sequence, and moves nothing by itself", () => {
    const decision = expectDecision(judged, review("passed", { notes: "well done" }));
    expect(decision.reviews).toEqual([
      {
        id: "new-1",
        versionId: "version-1",
        stepId: "step-1",
        kind: "expert",
        outcome: "passed",
        sequence: 2,
        notes: "well done",
      },
    ]);
    expect(decision.events).toEqual([
      expect.objectContaining({
        type: "review_recorded",
        fromStatus: "in_review",
        toStatus: "in_review",
        fromGate: "evaluating",
        toGate: "evaluating",
        payload: {
          review: { id: "new-1", outcome: "passed", kind: "expert", sequence: 2, stepId: "step-1" },
        },
      }),
    ]);
  });

  test("carries a move, which follows it in the same call", () => {
    const { events, reviews } = expectDecision(
      judged,
      review("failed", {
        move: { status: "changes_requested", reason: "no", runAttachedWorkflows: false },
      }),
    );
    expect(events.map(({ type, toStatus }) => [type, toStatus])).toEqual([
      ["review_recorded", "in_review"],
      ["step_transitioned", "changes_requested"],
    ]);
    expect(events[1]?.reason).toBe("no");
    expect(reviews).toHaveLength(1);
  });

  test("that passed is itself the ground for the approval that it carries", () => {
    const { events, reviews } = expectDecision(
      judged,
      review("passed", { move: { status: "approved", runAttachedWorkflows: false } }),
    );
    expect(reviews).toHaveLength(1);
    expect(events.map(({ type }) => type)).toEqual(["review_recorded", "step_transitioned"]);
  });

  test("that failed carries no approval", () => {
    const refusal = expectRefusal(
      judged,
      review("failed", { move: { status: "approved", runAttachedWorkflows: false } }),
      "validation_failed",
    );
    expect(refusal.issues).toMatchObject([
      { path: ["move", "status"], code: "contradicts_outcome" },
    ]);
  });

  test("is not recorded where its move is not lawful", () => {
    const refusal = expectRefusal(
      judged,
      review("passed", { move: { status: "running", runAttachedWorkflows: false } }),
      "invalid_transition",
    );
    expect(refusal.allowed).toEqual(["approved", "changes_requested", "rejected", "duplicate"]);
  });

  test("is a reviewer's right", () => {
    expect(expectRefusal(judged, review("passed"), "forbidden", "operator").required).toBe(
      "reviewer",
    );
  });

  test("may come from the service when it is automated and carries no move", () => {
    const automated = review("failed", { kind: "automated" });
    expect(expectDecision(judged, automated, "service").reviews).toHaveLength(1);
    const moving = review("failed", {
      kind: "automated",
      move: { status: "changes_requested", runAttachedWorkflows: false },
    });
    expect(expectRefusal(judged, moving, "forbidden", "service").required).toBe("reviewer");
    expect(expectRefusal(judged, review("failed"), "forbidden", "service").required).toBe(
      "reviewer",
    );
  });
});
