import { describe, expect, test } from "vitest";
import type { Command } from "../../src/domain/lifecycle/commands.ts";
import { decide } from "../../src/domain/lifecycle/decide.ts";
import { NAMED_BY_MAX } from "../../src/domain/lifecycle/duplicates.ts";
import { STEP_KINDS, STEP_STATUSES, type StepStatus } from "../../src/domain/lifecycle/statuses.ts";
import { allowedNext } from "../../src/domain/lifecycle/transitions.ts";
import {
  context,
  expectAccepted,
  expectDecision,
  expectRefusal,
  expectRefused,
  givenTask,
  original,
} from "./support/world.ts";

function to(
  status: StepStatus,
  more: Partial<Extract<Command, { type: "transition" }>> = {},
): Command {
  return { type: "transition", status, runAttachedWorkflows: false, ...more };
}

describe("a transition", () => {
  test("records the reason, the caller's payload under data, and whether pipelines may run", () => {
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

  test("has an empty payload and no reason if the caller gives none", () => {
    const { events } = expectDecision(
      givenTask({ kind: "pre_qa", status: "queued" }),
      to("running"),
    );
    expect(events[0]).toMatchObject({ reason: null, payload: {} });
  });

  test("of another step of the active version is refused with the current step", () => {
    const refusal = expectRefusal(
      givenTask(),
      to("running", { target: { stepId: "earlier-1", versionId: "version-1" } }),
      "step_not_current",
    );
    expect(refusal.currentStepId).toBe("step-1");
  });

  test("of a step of an older version is refused with the active version", () => {
    const refusal = expectRefusal(
      givenTask(),
      to("running", { target: { stepId: "old", versionId: "version-0" } }),
      "version_sealed",
    );
    expect(refusal.activeVersion).toEqual({ id: "version-1", number: 1 });
  });

  test("of the current step by id is the same as without a target", () => {
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
  const running = givenTask({
    kind: "pre_qa",
    status: "running",
    running: ["QUALITY_AUTOMATION", "POST_QA_SCORING"],
    queuedRuns: ["EXPERT_REVIEW", "PAYMENT"],
  });

  test.each(["rejected", "duplicate"] as const)(
    "as %s cancels and lists the open runs that the label depends on",
    (status) => {
      const { runs, events } = expectDecision(running, to(status, { reason: "off topic" }));
      expect(runs).toEqual([
        {
          id: "run-QUALITY_AUTOMATION",
          state: "CANCELLED",
          verdict: null,
          result: null,
          error: null,
        },
        {
          id: "queued-EXPERT_REVIEW",
          state: "CANCELLED",
          verdict: null,
          result: null,
          error: null,
        },
      ]);
      expect(events[0]?.payload).toEqual({
        cancelledRuns: ["run-QUALITY_AUTOMATION", "queued-EXPERT_REVIEW"],
      });
    },
  );

  test.each(["rejected", "duplicate"] as const)("as %s recalls every dispatch", (status) => {
    expect(expectDecision(running, to(status, { reason: "off topic" })).recall).toEqual({
      stepId: "step-1",
      versionId: "version-1",
      ofStep: true,
      ofVersion: true,
    });
  });

  test("lists no runs if none are open", () => {
    const { events } = expectDecision(
      givenTask({ kind: "pre_qa", status: "queued" }),
      to("rejected", { reason: "off topic" }),
    );
    expect(events[0]?.payload).toEqual({ cancelledRuns: [] });
  });

  test.each(["rejected", "duplicate"] as const)(
    "as %s requires a reason, in every stage that allows it",
    (status) => {
      let count = 0;
      for (const kind of STEP_KINDS) {
        for (const from of STEP_STATUSES) {
          if (!allowedNext(kind, from).includes(status)) continue;
          const task = givenTask({ kind, status: from });
          count += 1;
          for (const reason of [undefined, "", " \n\t"]) {
            const { issues } = expectRefusal(task, to(status, { reason }), "validation_failed");
            expect(issues).toMatchObject([{ path: ["reason"], code: "required" }]);
            const move = { status, reason, runAttachedWorkflows: false };
            const review = { type: "review", kind: "expert", outcome: "failed", move } as const;
            const carried = expectRefusal(task, review, "validation_failed");
            expect(carried.issues).toMatchObject([{ path: ["move", "reason"], code: "required" }]);
          }
          expect(expectDecision(task, to(status, { reason: "because" })).events).toHaveLength(1);
        }
      }
      expect(count).toBeGreaterThan(30);
    },
  );

  test("can name the task that it is a duplicate of", () => {
    const { events } = expectDecision(
      running,
      to("duplicate", { duplicateOf: original(), reason: "the same" }),
    );
    expect(events[0]?.duplicateOf).toBe("original-1");
  });

  test.each(STEP_STATUSES)("can name a task that is %s, unless it is not worked on", (status) => {
    const outcome = decide(
      running,
      to("duplicate", { duplicateOf: original({ status }), reason: "the same" }),
      context(),
    );
    if (status === "duplicate" || status === "rejected") {
      expect(expectRefused(outcome, "conflict").existing).toEqual({ id: "original-1" });
    } else {
      expectAccepted(outcome);
    }
  });

  test("cannot name an archived task", () => {
    const refusal = expectRefusal(
      running,
      to("duplicate", { duplicateOf: original({ isArchived: true }), reason: "the same" }),
      "conflict",
    );
    expect(refusal.existing).toEqual({ id: "original-1" });
  });

  test.each([1, NAMED_BY_MAX, NAMED_BY_MAX + 1])(
    "is refused to a task that %i duplicates name, with or without an original",
    (count) => {
      const namedBy = Array.from({ length: count }, (_, index) => `named-${index}`);
      for (const duplicateOf of [undefined, original()]) {
        const refusal = expectRefusal(
          { ...running, namedBy },
          to("duplicate", { duplicateOf, reason: "the same" }),
          "conflict",
        );
        expect(refusal.namedBy).toEqual(namedBy.slice(0, NAMED_BY_MAX));
        expect(refusal.isNamedByMore).toBe(count > NAMED_BY_MAX);
      }
    },
  );

  test("is refused as a duplicate of itself", () => {
    const refusal = expectRefusal(
      running,
      to("duplicate", { duplicateOf: original({ id: "task-1" }), reason: "the same" }),
      "validation_failed",
    );
    expect(refusal.issues).toMatchObject([{ path: ["duplicateOf"], code: "self_duplicate" }]);
  });

  test("that is not a duplicate refuses duplicateOf", () => {
    const refusal = expectRefusal(
      running,
      to("rejected", { duplicateOf: original(), reason: "the same" }),
      "validation_failed",
    );
    expect(refusal.issues).toMatchObject([{ path: ["duplicateOf"], code: "not_applicable" }]);
  });
});

describe("a request for changes", () => {
  test("recalls only the version's payment, and cancels no run", () => {
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

test("a transition to any other status recalls nothing", () => {
  const decision = expectDecision(givenTask({ kind: "pre_qa", status: "running" }), to("failed"));
  expect(decision.recall).toBeNull();
});

describe("an approval against a standing failure", () => {
  const failed = givenTask({ kind: "pre_qa", status: "awaiting_review", reviews: ["failed"] });

  test("requires a reason", () => {
    const refusal = expectRefusal(failed, to("approved"), "validation_failed");
    expect(refusal.issues).toMatchObject([{ path: ["reason"], code: "required" }]);
  });

  test("requires a reviewer", () => {
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

  test("is an ordinary approval once a later review has passed", () => {
    const passed = givenTask({
      kind: "pre_qa",
      status: "awaiting_review",
      reviews: ["failed", "passed"],
    });
    const { events, reviews } = expectDecision(passed, to("approved"), "operator");
    expect(reviews).toEqual([]);
    expect(events.map(({ type }) => type)).toEqual(["step_transitioned"]);
  });

  test.each(STEP_KINDS)("is the same in every stage: %s", (kind) => {
    const sources = STEP_STATUSES.filter((status) =>
      allowedNext(kind, status).includes("approved"),
    );
    expect(sources.length).toBeGreaterThan(0);
    for (const status of sources) {
      const against = givenTask({ kind, status, reviews: ["passed", "failed"] });
      expectRefusal(against, to("approved", { reason: "fine" }), "forbidden", "operator");
      for (const reason of [undefined, " "]) {
        const { issues } = expectRefusal(against, to("approved", { reason }), "validation_failed");
        expect(issues).toMatchObject([{ path: ["reason"], code: "required" }]);
      }
      const { reviews, events } = expectDecision(against, to("approved", { reason: "fine" }));
      expect(reviews).toMatchObject([{ kind: "expert", outcome: "passed", sequence: 3 }]);
      expect(events.map(({ type }) => type)).toEqual(["review_recorded", "step_transitioned"]);
    }
  });

  test("is refused first if the transition is not allowed", () => {
    const queued = givenTask({ kind: "pre_qa", status: "queued", reviews: ["failed"] });
    expectRefusal(queued, to("approved"), "invalid_transition");
  });
});
