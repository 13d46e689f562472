import { describe, expect, test } from "vitest";
import type { Command } from "../../src/domain/lifecycle/commands.ts";
import type { StepKind } from "../../src/domain/lifecycle/statuses.ts";
import { FIRST_KINDS, GATE_STATES, STEP_KINDS } from "../../src/domain/lifecycle/statuses.ts";
import { kindsUpTo, nextKind } from "../../src/domain/lifecycle/transitions.ts";
import { expectDecision, givenTask, expectRefusal } from "./support/world.ts";

const advance: Command = { type: "advance", runAttachedWorkflows: false };
const rework = (toKind: StepKind): Command => ({
  type: "rework",
  toKind,
  reason: "again",
  runAttachedWorkflows: false,
});
const version = (firstKind?: (typeof FIRST_KINDS)[number]): Command => ({
  type: "version",
  content: { brief: "Prove it twice" },
  contentHash: "abc",
  reason: "new brief",
  firstKind,
  runAttachedWorkflows: false,
});

describe("advance", () => {
  test.each(STEP_KINDS.filter((kind) => nextKind(kind) !== null))(
    "from %s opens the first attempt of the next stage, queued",
    (kind) => {
      const task = givenTask({ kind, status: "approved" });
      const { step, events } = expectDecision(task, advance);
      expect(step).toEqual({
        id: "new-1",
        versionId: "version-1",
        kind: nextKind(kind),
        attempt: 1,
      });
      expect(events).toEqual([
        expect.objectContaining({
          type: "step_advanced",
          stepId: "new-1",
          fromStatus: null,
          toStatus: "queued",
          fromGate: null,
          toGate: "locked",
          payload: {
            opened: { kind: nextKind(kind), attempt: 1, fromStepId: "step-1" },
            cancelledRuns: [],
          },
        }),
      ]);
    },
  );

  test("opens the next attempt of a stage that the version already had", () => {
    const earlier = [
      { kind: "pre_qa", attempt: 1, status: "approved", gate: "revoked" },
      { kind: "pre_qa", attempt: 2, status: "failed", gate: "errored" },
    ] as const;
    const task = givenTask({ kind: "authoring", status: "approved", earlier });
    expect(expectDecision(task, advance).step?.attempt).toBe(3);
  });

  test("numbers the attempt after the highest, even if earlier ones are missing", () => {
    const earlier = [{ kind: "pre_qa", attempt: 4, status: "failed", gate: "errored" }] as const;
    const task = givenTask({ kind: "authoring", status: "approved", earlier });
    expect(expectDecision(task, advance).step?.attempt).toBe(5);
  });

  test("opens the step as pending if asked to hold", () => {
    const task = givenTask({ kind: "authoring", status: "approved" });
    const { events, dispatches } = expectDecision(task, {
      type: "advance",
      hold: true,
      runAttachedWorkflows: true,
    });
    expect(events[0]).toMatchObject({ toStatus: "pending", toGate: "locked" });
    expect(dispatches).toEqual([]);
  });

  test("requires a passed or a waived gate", () => {
    for (const gate of GATE_STATES) {
      const task = givenTask({ kind: "authoring", status: "running", gate });
      if (gate === "passed" || gate === "waived") {
        expect(expectDecision(task, advance).step?.kind).toBe("pre_qa");
      } else {
        const refusal = expectRefusal(task, advance, "gate_closed");
        expect(refusal).toMatchObject({ gate, allowed: ["passed", "waived"] });
      }
    }
  });

  test("is refused from delivery, whatever the gate", () => {
    for (const gate of GATE_STATES) {
      expectRefusal(
        givenTask({ kind: "delivery", status: "running", gate }),
        advance,
        "no_next_step",
      );
    }
  });

  test("cancels the runs and recalls the dispatches of the step that it leaves, except the payment", () => {
    const task = givenTask({
      kind: "expert_review",
      status: "approved",
      running: ["EXPERT_REVIEW"],
      queuedRuns: ["PAYMENT"],
    });
    const decision = expectDecision(task, advance);
    expect(decision.runs.map(({ id, state }) => [id, state])).toEqual([
      ["run-EXPERT_REVIEW", "CANCELLED"],
    ]);
    expect(decision.events[0]?.payload).toMatchObject({ cancelledRuns: ["run-EXPERT_REVIEW"] });
    expect(decision.recall).toEqual({
      stepId: "step-1",
      versionId: "version-1",
      ofStep: true,
      ofVersion: false,
    });
  });

  test("is refused while a failed review stands, unless a later review passes or the gate is waived", () => {
    for (const kind of STEP_KINDS.slice(0, -1)) {
      const status = "approved";
      const failed = givenTask({ kind, status, reviews: ["passed", "failed"] });
      expect(expectRefusal(failed, advance, "gate_closed")).toMatchObject({
        gate: "passed",
        allowed: ["waived"],
      });
      expectRefusal(failed, advance, "gate_closed", "service");
      const passed = givenTask({ kind, status, reviews: ["failed", "passed"] });
      expect(expectDecision(passed, advance).step?.kind).toBe(nextKind(kind));
      const waived = givenTask({ kind, gate: "waived", reviews: ["failed"] });
      expect(expectDecision(waived, advance).step?.kind).toBe(nextKind(kind));
    }
  });

  test("can be called by the service", () => {
    const task = givenTask({ kind: "authoring", status: "approved" });
    expect(expectDecision(task, advance, "service").step?.kind).toBe("pre_qa");
  });
});

describe("rework", () => {
  test("leads to the same or an earlier stage, never to a later one", () => {
    for (const kind of STEP_KINDS) {
      const task = givenTask({ kind, status: "queued" });
      for (const toKind of STEP_KINDS) {
        if (kindsUpTo(kind).includes(toKind)) {
          expect(expectDecision(task, rework(toKind)).step?.kind).toBe(toKind);
        } else {
          const refusal = expectRefusal(task, rework(toKind), "invalid_transition");
          expect(refusal).toMatchObject({ from: kind, to: toKind, allowed: kindsUpTo(kind) });
        }
      }
    }
  });

  const approved = givenTask({
    kind: "expert_review",
    status: "approved",
    earlier: [
      { kind: "output_generation", attempt: 1, status: "approved", gate: "passed" },
      { kind: "ingestion", attempt: 1, status: "approved", gate: "passed" },
      { kind: "authoring", attempt: 1, status: "running", gate: "waived" },
      { kind: "pre_qa", attempt: 1, status: "failed", gate: "errored" },
      { kind: "pre_qa", attempt: 2, status: "approved", gate: "passed" },
    ],
  });

  test("revokes the open gates from that stage on, in stage order, then opens the step", () => {
    const { events, step } = expectDecision(approved, rework("pre_qa"));
    expect(events.map((event) => [event.type, event.stepId, event.fromGate, event.toGate])).toEqual(
      [
        ["gate_changed", "earlier-5", "passed", "revoked"],
        ["gate_changed", "earlier-1", "passed", "revoked"],
        ["gate_changed", "step-1", "passed", "revoked"],
        ["step_reworked", "new-1", null, "locked"],
      ],
    );
    expect(step).toMatchObject({ kind: "pre_qa", attempt: 3 });
    expect(events.every(({ reason }) => reason === "again")).toBe(true);
  });

  test("does not change the status of a step whose gate it revokes", () => {
    for (const event of expectDecision(approved, rework("ingestion")).events.slice(0, -1)) {
      expect(event.toStatus).toBe(event.fromStatus);
    }
  });

  test("does not revoke the gates before that stage", () => {
    const { events } = expectDecision(approved, rework("expert_review"));
    expect(events.map(({ stepId }) => stepId)).toEqual(["step-1", "new-1"]);
  });

  test("requires a reviewer if the step has ended, and an operator otherwise", () => {
    for (const status of ["approved", "rejected", "duplicate"] as const) {
      const ended = givenTask({ kind: "pre_qa", status });
      expect(expectRefusal(ended, rework("pre_qa"), "forbidden", "operator").required).toBe(
        "reviewer",
      );
      expect(expectDecision(ended, rework("pre_qa"), "reviewer").step?.attempt).toBe(2);
    }
    const unfinished = givenTask({ kind: "pre_qa", status: "failed" });
    expect(expectDecision(unfinished, rework("pre_qa"), "operator").step?.attempt).toBe(2);
  });

  test("cancels the runs of the step that it leaves, and lists them with the step that it opens", () => {
    const task = givenTask({ kind: "pre_qa", status: "running", running: ["QUALITY_AUTOMATION"] });
    const { events, runs } = expectDecision(task, rework("authoring"));
    expect(runs).toHaveLength(1);
    expect(events.at(-1)?.payload).toEqual({
      opened: { kind: "authoring", attempt: 1, fromStepId: "step-1" },
      cancelledRuns: ["run-QUALITY_AUTOMATION"],
    });
  });
});

describe("a new version", () => {
  test.each(FIRST_KINDS)("can start with %s", (kind) => {
    const {
      version: created,
      step,
      events,
    } = expectDecision(givenTask({ kind: "delivery" }), version(kind));
    expect(created).toEqual({
      id: "new-1",
      number: 2,
      content: { brief: "Prove it twice" },
      contentHash: "abc",
      reason: "new brief",
    });
    expect(step).toEqual({ id: "new-2", versionId: "new-1", kind, attempt: 1 });
    expect(events).toEqual([
      expect.objectContaining({
        type: "version_created",
        stepId: "new-2",
        versionId: "new-1",
        fromStatus: null,
        toStatus: "queued",
        toGate: "locked",
        reason: "new brief",
        payload: {
          version: { number: 2, contentHash: "abc", firstKind: kind },
          opened: { kind, attempt: 1, fromStepId: "step-1" },
          cancelledRuns: [],
        },
      }),
    ]);
  });

  test("starts with authoring by default", () => {
    expect(expectDecision(givenTask(), version()).step?.kind).toBe("authoring");
  });

  test("starts its attempts at 1", () => {
    const earlier = [
      { kind: "authoring", attempt: 1, status: "approved", gate: "passed" },
    ] as const;
    expect(expectDecision(givenTask({ kind: "authoring", earlier }), version()).step?.attempt).toBe(
      1,
    );
  });

  test("cancels the runs and recalls the dispatches of the step that it leaves", () => {
    const task = givenTask({ kind: "pre_qa", status: "running", running: ["QUALITY_AUTOMATION"] });
    const { runs, recall, events } = expectDecision(task, version());
    expect(runs.map(({ state }) => state)).toEqual(["CANCELLED"]);
    expect(recall).toMatchObject({ stepId: "step-1", ofStep: true, ofVersion: false });
    expect(events[0]?.payload).toMatchObject({ cancelledRuns: ["run-QUALITY_AUTOMATION"] });
  });
});
