import { describe, expect, test } from "vitest";
import { apply } from "../../src/domain/lifecycle/apply.ts";
import { EVENTS_PER_CALL_MAX } from "../../src/domain/lifecycle/decision.ts";
import { allowedGatesByHand } from "../../src/domain/lifecycle/gates.ts";
import type { DeferredReport, TaskSnapshot } from "../../src/domain/lifecycle/snapshot.ts";
import {
  REVIEW_OUTCOMES,
  type RunState,
  STEP_STATUSES,
  type StepKind,
  type WorkerType,
} from "../../src/domain/lifecycle/statuses.ts";
import { kindHasStatus } from "../../src/domain/lifecycle/transitions.ts";
import { expectDecision, givenTask, minute, NOT_OFFERED } from "./support/world.ts";

const WORKERS: readonly [WorkerType, StepKind][] = [
  ["QUALITY_AUTOMATION", "pre_qa"],
  ["OUTPUT_GENERATION", "output_generation"],
  ["POST_QA_SCORING", "calibration"],
];
const STATES: readonly RunState[] = ["RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"];

const NOT_CLAIMED = { verdict: null, result: null, error: null, claimed: false } as const;

/** Returns the task after a report of a queued run. */
function reported(task: TaskSnapshot, type: WorkerType, state: RunState): TaskSnapshot {
  const run = { id: `run-${type}`, type, state: "QUEUED", stepId: task.step.id } as const;
  const verdict = type === "QUALITY_AUTOMATION" && state === "SUCCEEDED" ? "passed" : undefined;
  const decision = expectDecision(
    task,
    {
      type: "report",
      run: { ...run, ...NOT_OFFERED, ...NOT_CLAIMED },
      state,
      ...(verdict && { verdict }),
    },
    "service",
  );
  return apply(task, decision, minute(2));
}

function withGate(task: TaskSnapshot, gate: TaskSnapshot["step"]["gate"]): TaskSnapshot {
  return apply(task, expectDecision(task, { type: "gate", gate, reason: "r" }), minute(3));
}

describe("a report on a held step", () => {
  test("moves it to the same status at the end of the hold as it would have at once", () => {
    for (const [type, kind] of WORKERS) {
      for (const status of STEP_STATUSES) {
        if (!kindHasStatus(kind, status) || ["rejected", "duplicate", "paused"].includes(status))
          continue;
        for (const state of STATES) {
          const task = givenTask({ kind, status });
          const held = reported(withGate(task, "blocked"), type, state);
          expect(held.step).toMatchObject({ status, gate: "blocked", deferred: [{ seq: 9 }] });
          const [gate = "locked"] = allowedGatesByHand(held.step);
          const ended = withGate(held, gate).step;
          const { step: direct } = reported(task, type, state);
          expect({ status: ended.status, gate: ended.gate, left: ended.deferred }).toEqual({
            status: direct.status,
            gate: direct.gate,
            left: [],
          });
        }
      }
    }
  });

  test("is carried out only if no newer review has the other outcome, within the events of a call", () => {
    for (const verdict of REVIEW_OUTCOMES) {
      for (const newest of REVIEW_OUTCOMES) {
        const deferred: DeferredReport[] = Array.from({ length: 40 }, (_, index) => ({
          runId: `run-${index}`,
          seq: index + 1,
          statuses: ["running", verdict === "passed" ? "approved" : "awaiting_review"],
          verdict,
        }));
        const reviews = [verdict, newest];
        const task = givenTask({
          kind: "pre_qa",
          status: "queued",
          heldGate: "locked",
          deferred,
          reviews,
        });
        const { events, dispatches } = expectDecision(task, {
          type: "gate",
          gate: "locked",
          reason: "r",
        });
        expect(events.length).toBeLessThanOrEqual(EVENTS_PER_CALL_MAX);
        expect(dispatches).toEqual([]);
        expect(events.length > 1).toBe(verdict === newest);
        const outcome = verdict === newest ? "moved" : "contradicted";
        expect(events[0]?.payload["settled"]).toMatchObject([
          { runId: "run-0", outcome },
          ...deferred
            .slice(1)
            .map(() => ({ outcome: verdict === newest ? "unmoved" : "contradicted" })),
        ]);
      }
    }
  });

  test("is dropped by every decision about the step and by leaving it, and the event lists it", () => {
    const deferred: DeferredReport[] = [
      { runId: "run-1", seq: 6, statuses: ["running", "approved"], verdict: null },
    ];
    const task = givenTask({ kind: "pre_qa", status: "running", heldGate: "pending", deferred });
    const runAttachedWorkflows = true;
    const commands = [
      ...(["changes_requested", "failed", "cancelled", "rejected", "duplicate"] as const).map(
        (status) => ({ type: "transition", status, reason: "r", runAttachedWorkflows }) as const,
      ),
      { type: "rework", toKind: "pre_qa", reason: "r", runAttachedWorkflows },
      { type: "version", content: {}, contentHash: "h", reason: "r", runAttachedWorkflows },
    ] as const;
    for (const command of commands) {
      const decision = expectDecision(task, command);
      const payload = decision.events.at(-1)?.payload;
      expect(payload?.["settled"]).toMatchObject([{ runId: "run-1", seq: 6, outcome: "dropped" }]);
      const { step } = apply(task, decision, minute(2));
      expect(step.deferred).toEqual([]);
      const isKept = ["changes_requested", "failed", "cancelled"].includes(step.status);
      expect(step.hold !== null).toBe(isKept);
    }
  });
});
