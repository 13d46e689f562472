import { describe, expect, test } from "vitest";
import { EVENTS_PER_CALL_MAX } from "../../src/domain/lifecycle/decision.ts";
import {
  GATE_ON_STATUS,
  GATE_TRANSITIONS,
  gateWithoutHold,
} from "../../src/domain/lifecycle/gates.ts";
import { GATE_STATES, STEP_KINDS } from "../../src/domain/lifecycle/statuses.ts";
import { allowedNext, kindHasStatus } from "../../src/domain/lifecycle/transitions.ts";
import { factsOf, matchingRule, resolve } from "../../src/domain/status/resolve.ts";
import { RESOLVER_RULES } from "../../src/domain/status/rules.ts";
import { UNIFIED_STATUSES } from "../../src/domain/status/unified.ts";
import { explore } from "./support/explore.ts";
import { expectDecision, givenTask } from "./support/world.ts";

const { tasks, events } = explore();

describe("every reachable state of a task", () => {
  test("has exactly one label, and every label is reached", () => {
    const labels = new Set(tasks.map((task) => resolve(factsOf(task))));
    expect([...labels].toSorted()).toEqual([...UNIFIED_STATUSES].toSorted());
  });

  test("has a status that its stage has", () => {
    for (const { step } of tasks) {
      if (!kindHasStatus(step.kind, step.status)) expect(step).toBeNull();
    }
    expect(new Set(tasks.map(({ step }) => step.kind)).size).toBe(STEP_KINDS.length);
  });

  test("has a passed gate if its step is approved, but for a hold, so that label and gate agree", () => {
    const gates = tasks
      .filter(({ step }) => step.status === "approved")
      .map(({ step }) => gateWithoutHold(step));
    expect([...new Set(gates)]).toEqual(["passed"]);
  });

  test("has an approved step if its gate is passed", () => {
    const statuses = tasks
      .filter(({ step }) => step.gate === "passed")
      .map(({ step }) => step.status);
    expect([...new Set(statuses)]).toEqual(["approved"]);
  });

  test("reaches every gate between them", () => {
    expect([...new Set(tasks.map(({ step }) => step.gate))].toSorted()).toEqual(
      [...GATE_STATES].toSorted(),
    );
  });

  test("uses every rule of the resolver between them", () => {
    const rules = new Set(tasks.map((task) => matchingRule(factsOf(task)).number));
    expect(rules.size).toBe(RESOLVER_RULES.length);
  });
});

describe("every event on the way", () => {
  test("changes its gate along GATE_TRANSITIONS, or not at all", () => {
    for (const { fromGate, toGate, fromStatus, toStatus } of events) {
      if (fromGate === null || fromGate === toGate) continue;
      const change = `${fromStatus} ${fromGate} to ${toStatus} ${toGate}`;
      expect(GATE_TRANSITIONS[fromGate], change).toContain(toGate);
    }
  });

  test("changes its status only in a transition, along the STEP_TRANSITIONS of a stage", () => {
    for (const { type, fromStatus, toStatus } of events) {
      if (fromStatus === null || fromStatus === toStatus) continue;
      expect(type).toBe("step_transitioned");
      const isLawful = STEP_KINDS.some((kind) => allowedNext(kind, fromStatus).includes(toStatus));
      expect(isLawful, `${fromStatus} to ${toStatus}`).toBe(true);
    }
  });

  test("opens a step with the gate that its status implies", () => {
    const openings = events.filter(({ fromStatus }) => fromStatus === null);
    expect(openings.length).toBeGreaterThan(0);
    for (const { fromGate, toStatus, toGate } of openings) {
      expect(fromGate).toBeNull();
      expect(toGate).toBe(GATE_ON_STATUS[toStatus]);
    }
  });

  test("covers every change of gate in the table, except two that neither a status nor a person makes", () => {
    const used = new Set(events.map(({ fromGate, toGate }) => `${fromGate} ${toGate}`));
    const unused = GATE_STATES.flatMap((from) =>
      GATE_TRANSITIONS[from].map((to) => `${from} ${to}`).filter((change) => !used.has(change)),
    );
    expect(unused).toEqual(["pending evaluating", "evaluating awaiting_review"]);
  });
});

test("the longest call stays within EVENTS_PER_CALL_MAX", () => {
  const task = givenTask({
    kind: "delivery",
    status: "queued",
    gate: "waived",
    earlier: STEP_KINDS.slice(0, -1).map((kind) => ({
      kind,
      attempt: 1,
      status: "approved" as const,
      gate: "passed" as const,
    })),
  });
  const { events: written } = expectDecision(task, {
    type: "rework",
    toKind: "ingestion",
    reason: "again",
    runAttachedWorkflows: false,
  });
  expect(written).toHaveLength(STEP_KINDS.length + 1);
  expect(written.length).toBeLessThanOrEqual(EVENTS_PER_CALL_MAX);
});
