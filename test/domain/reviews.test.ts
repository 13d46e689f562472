import { describe, expect, test } from "vitest";
import type { Command } from "../../src/domain/lifecycle/commands.ts";
import { isFailureStanding } from "../../src/domain/lifecycle/standing.ts";
import {
  REVIEW_OUTCOMES,
  type ReviewOutcome,
  STEP_KINDS,
  STEP_STATUSES,
} from "../../src/domain/lifecycle/statuses.ts";
import { factsOf, resolve } from "../../src/domain/status/resolve.ts";
import { expectDecision, givenTask, expectRefusal } from "./support/world.ts";

const review = (
  outcome: ReviewOutcome,
  more: Partial<Extract<Command, { type: "review" }>> = {},
): Command => ({ type: "review", kind: "expert", outcome, ...more });

describe("the standing verdict", () => {
  test("is not a failure without reviews", () => {
    expect(isFailureStanding([])).toBe(false);
  });

  test("is a failure if the last review failed", () => {
    expect(isFailureStanding([{ sequence: 1, outcome: "failed" }])).toBe(true);
    expect(
      isFailureStanding([
        { sequence: 1, outcome: "passed" },
        { sequence: 2, outcome: "failed" },
      ]),
    ).toBe(true);
  });

  test("is not a failure if a passed review followed the failed one", () => {
    const task = givenTask({ kind: "pre_qa", status: "approved", reviews: ["failed", "passed"] });
    expect(isFailureStanding(task.reviews)).toBe(false);
    expect(resolve(factsOf(task))).toBe("READY_TO_SUBMIT");
  });

  test("depends on the sequence, not on the order of the list", () => {
    const reviews = [
      { sequence: 3, outcome: "passed" },
      { sequence: 1, outcome: "passed" },
      { sequence: 2, outcome: "failed" },
    ] as const;
    expect(isFailureStanding(reviews)).toBe(false);
    expect(isFailureStanding(reviews.toReversed())).toBe(false);
  });

  test("is a failure despite any number of passes before the last failure", () => {
    const reviews = (["passed", "failed", "passed", "passed", "failed"] as const).map(
      (outcome, index) => ({ sequence: index + 1, outcome }),
    );
    expect(isFailureStanding(reviews)).toBe(true);
  });
});

describe("a review", () => {
  const reviewed = givenTask({ kind: "pre_qa", status: "in_review", reviews: ["failed"] });

  test("is recorded on the current step with the task's next sequence, and moves nothing by itself", () => {
    const decision = expectDecision(reviewed, review("passed", { notes: "well done" }));
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

  test("can carry a move, which follows in the same call", () => {
    const { events, reviews } = expectDecision(
      reviewed,
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

  test("that passed justifies the approval that it carries", () => {
    const { events, reviews } = expectDecision(
      reviewed,
      review("passed", { move: { status: "approved", runAttachedWorkflows: false } }),
    );
    expect(reviews).toHaveLength(1);
    expect(events.map(({ type }) => type)).toEqual(["review_recorded", "step_transitioned"]);
  });

  test.each(REVIEW_OUTCOMES)(
    "that %s carries only the moves that agree with its outcome, in every stage and status",
    (outcome) => {
      const agreeing =
        outcome === "passed" ? ["approved"] : ["changes_requested", "rejected", "duplicate"];
      for (const kind of STEP_KINDS) {
        for (const status of STEP_STATUSES) {
          for (const to of STEP_STATUSES.filter((one) => !agreeing.includes(one))) {
            const move = { status: to, reason: "why", runAttachedWorkflows: false };
            const task = givenTask({ kind, status });
            const { issues } = expectRefusal(task, review(outcome, { move }), "validation_failed");
            expect(issues).toMatchObject([
              { path: ["move", "status"], code: "contradicts_outcome" },
            ]);
          }
        }
      }
    },
  );

  test("is not recorded if its move is not allowed", () => {
    const queued = givenTask({ kind: "pre_qa", status: "queued" });
    const refusal = expectRefusal(
      queued,
      review("passed", { move: { status: "approved", runAttachedWorkflows: false } }),
      "invalid_transition",
    );
    expect(refusal.allowed).toEqual(["running", "failed", "cancelled", "rejected", "duplicate"]);
  });

  test("requires a reviewer", () => {
    expect(expectRefusal(reviewed, review("passed"), "forbidden", "operator").required).toBe(
      "reviewer",
    );
  });

  test("is accepted from the service if it is automated and carries no move", () => {
    const automated = review("failed", { kind: "automated" });
    expect(expectDecision(reviewed, automated, "service").reviews).toHaveLength(1);
    const moving = review("failed", {
      kind: "automated",
      move: { status: "changes_requested", runAttachedWorkflows: false },
    });
    expect(expectRefusal(reviewed, moving, "forbidden", "service").required).toBe("reviewer");
    expect(expectRefusal(reviewed, review("failed"), "forbidden", "service").required).toBe(
      "reviewer",
    );
  });
});
