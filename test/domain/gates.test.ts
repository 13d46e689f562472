import { describe, expect, test } from "vitest";
import {
  allowedGatesByHand,
  GATE_ON_STATUS,
  GATE_TRANSITIONS,
  gateAfter,
  isBlockedByHand,
  isGateOpen,
} from "../../src/domain/lifecycle/gates.ts";
import type { GateState, StepStatus } from "../../src/domain/lifecycle/statuses.ts";
import { GATE_STATES, STEP_STATUSES } from "../../src/domain/lifecycle/statuses.ts";
import { GATE_ON_STATUS_TEXT, GATE_TRANSITIONS_TEXT, parseRows } from "./support/tables.ts";
import { expectDecision, givenTask, expectRefusal } from "./support/world.ts";

const OVERRULING_STATUSES: readonly StepStatus[] = [
  "changes_requested",
  "rejected",
  "duplicate",
  "failed",
  "cancelled",
];

/** Gates that no approval, waiver or manual block protects. */
const UNPROTECTED_GATES = GATE_STATES.filter(
  (gate) => !["passed", "waived", "blocked"].includes(gate),
);

describe("the tables of gates", () => {
  test("imply the expected gate for each status", () => {
    const rows = parseRows(GATE_ON_STATUS_TEXT);
    expect(Object.entries(GATE_ON_STATUS)).toEqual(
      STEP_STATUSES.map((status) => [status, rows.get(status)?.[0]]),
    );
  });

  test("lead from each gate to the expected gates", () => {
    const rows = parseRows(GATE_TRANSITIONS_TEXT);
    expect(Object.entries(GATE_TRANSITIONS)).toEqual(
      GATE_STATES.map((gate) => [gate, rows.get(gate)]),
    );
  });

  test("let a task advance only if the gate is passed or waived", () => {
    expect(GATE_STATES.filter(isGateOpen)).toEqual(["passed", "waived"]);
  });
});

describe("the gate after a change of status", () => {
  test("is the one that the status implies, from every unprotected gate", () => {
    for (const previous of STEP_STATUSES) {
      for (const gate of UNPROTECTED_GATES) {
        for (const status of STEP_STATUSES) {
          expect(gateAfter(previous, gate, status)).toBe(GATE_ON_STATUS[status]);
        }
      }
    }
  });

  test("is revoked if a passed step moves to any status but approved", () => {
    for (const status of STEP_STATUSES) {
      expect(gateAfter("approved", "passed", status)).toBe(
        status === "approved" ? "passed" : "revoked",
      );
    }
  });

  test("stays waived, except on an approval or an overruling status", () => {
    for (const status of STEP_STATUSES) {
      const stays = OVERRULING_STATUSES.includes(status) ? "revoked" : "waived";
      expect(gateAfter("queued", "waived", status)).toBe(status === "approved" ? "passed" : stays);
    }
  });

  test("stays blocked by hand until an overruling status, and refuses an approval", () => {
    for (const previous of STEP_STATUSES) {
      if (previous === "paused" || previous === "awaiting_input") continue;
      for (const status of STEP_STATUSES) {
        const stays = OVERRULING_STATUSES.includes(status) ? GATE_ON_STATUS[status] : "blocked";
        const expected = status === "approved" ? "gate_closed" : stays;
        expect(gateAfter(previous, "blocked", status)).toBe(expected);
      }
    }
  });

  test("follows the status again if the previous status implied the block", () => {
    for (const previous of ["paused", "awaiting_input"] as const) {
      for (const status of STEP_STATUSES) {
        expect(gateAfter(previous, "blocked", status)).toBe(GATE_ON_STATUS[status]);
      }
    }
  });
});

describe("setting a gate by hand", () => {
  test("counts as a manual block only if the status does not imply the block", () => {
    expect(STEP_STATUSES.filter((status) => !isBlockedByHand(status, "blocked"))).toEqual([
      "paused",
      "awaiting_input",
    ]);
    expect(isBlockedByHand("running", "pending")).toBe(false);
  });

  test("allows waived, blocked and errored exactly as the table does", () => {
    for (const status of STEP_STATUSES) {
      for (const gate of GATE_STATES) {
        const allowed = allowedGatesByHand(status, gate);
        for (const target of ["waived", "blocked", "errored"] as const) {
          const isUnblock = isBlockedByHand(status, gate) && target === GATE_ON_STATUS[status];
          const isLawful = GATE_TRANSITIONS[gate].includes(target) || isUnblock;
          expect(allowed.includes(target), `${status} ${gate} ${target}`).toBe(isLawful);
        }
      }
    }
  });

  test("allows revoked only from waived", () => {
    for (const gate of GATE_STATES) {
      expect(allowedGatesByHand("queued", gate).includes("revoked")).toBe(gate === "waived");
    }
  });

  test("never allows passed or failed, except to undo a block", () => {
    for (const status of STEP_STATUSES) {
      for (const gate of GATE_STATES) {
        const verdicts = allowedGatesByHand(status, gate).filter(
          (target) => target === "passed" || target === "failed",
        );
        const unblocked = isBlockedByHand(status, gate) ? [GATE_ON_STATUS[status]] : [];
        expect(unblocked).toEqual(expect.arrayContaining(verdicts));
      }
    }
  });

  test("lists each gate once, even if undoing a block leads to one that is allowed anyway", () => {
    for (const status of STEP_STATUSES) {
      const allowed = allowedGatesByHand(status, "blocked");
      expect(new Set(allowed).size).toBe(allowed.length);
    }
  });

  test.each([
    ["locked", ["waived", "blocked", "errored"]],
    ["evaluating", ["blocked", "errored"]],
    ["awaiting_review", ["waived", "errored"]],
    ["failed", ["waived"]],
    ["passed", []],
    ["waived", ["revoked"]],
    ["errored", ["waived", "blocked"]],
    ["revoked", ["waived", "blocked", "errored"]],
  ] as const)("leads from %s to %j", (gate, allowed) => {
    expect(allowedGatesByHand("queued", gate)).toEqual(allowed);
  });

  test("follows the rule for every pair of status and gate, in one event that keeps the status", () => {
    for (const status of STEP_STATUSES) {
      for (const from of GATE_STATES) {
        const task = givenTask({ kind: "pre_qa", status, gate: from });
        const allowed = allowedGatesByHand(status, from);
        for (const gate of GATE_STATES) {
          if (gate === from) {
            expectRefusal(task, { type: "gate", gate }, "already_in_status");
          } else if (allowed.includes(gate)) {
            const { events } = expectDecision(task, { type: "gate", gate, reason: "because" });
            expect(events).toEqual([
              expect.objectContaining({
                type: "gate_changed",
                fromStatus: status,
                toStatus: status,
                fromGate: from,
                toGate: gate,
                reason: "because",
              }),
            ]);
          } else {
            const refusal = expectRefusal(task, { type: "gate", gate }, "invalid_transition");
            expect(refusal).toMatchObject({ from, to: gate, allowed });
          }
        }
      }
    }
  });

  test("undoes a block by restoring the gate that the status implies", () => {
    const blocked = givenTask({ kind: "pre_qa", status: "running", gate: "blocked" });
    const { events } = expectDecision(
      blocked,
      { type: "gate", gate: "pending", reason: "settled" },
      "operator",
    );
    expect(events[0]?.toGate).toBe("pending");
    expectRefusal(blocked, { type: "gate", gate: "locked" }, "invalid_transition");
  });

  test("requires a reason for every gate but errored, and to undo any block", () => {
    for (const status of STEP_STATUSES) {
      for (const from of GATE_STATES) {
        const task = givenTask({ kind: "pre_qa", status, gate: from });
        for (const gate of allowedGatesByHand(status, from)) {
          const isUnexplained = gate === "errored" && !isBlockedByHand(status, from);
          for (const reason of [undefined, "", " \n\t"]) {
            const command = { type: "gate", gate, reason } as const;
            if (isUnexplained) {
              expect(expectDecision(task, command).events).toHaveLength(1);
            } else {
              const { issues } = expectRefusal(task, command, "validation_failed");
              expect(issues).toMatchObject([{ path: ["reason"], code: "required" }]);
            }
          }
        }
      }
    }
  });

  test("cannot undo a block that the status implies", () => {
    const paused = givenTask({ kind: "authoring", status: "paused" });
    expectRefusal(paused, { type: "gate", gate: "pending" }, "invalid_transition");
  });
});

describe("an approval against a gate that is blocked by hand", () => {
  const blocked = givenTask({ kind: "pre_qa", status: "running", gate: "blocked" });

  test("is refused as gate_closed and lists the statuses that are still allowed", () => {
    const refusal = expectRefusal(
      blocked,
      { type: "transition", status: "approved", runAttachedWorkflows: true },
      "gate_closed",
    );
    expect(refusal.gate).toBe("blocked");
    expect(refusal.allowed).toEqual([
      "awaiting_review",
      "changes_requested",
      "failed",
      "cancelled",
      "rejected",
      "duplicate",
    ] satisfies StepStatus[]);
  });

  test("is accepted once the gate is unblocked", () => {
    const [unblocked] = expectDecision(blocked, {
      type: "gate",
      gate: "pending",
      reason: "settled",
    }).events;
    const gate: GateState = unblocked?.toGate ?? "locked";
    const { events } = expectDecision(givenTask({ kind: "pre_qa", status: "running", gate }), {
      type: "transition",
      status: "approved",
      runAttachedWorkflows: false,
    });
    expect(events[0]?.toGate).toBe("passed");
  });
});
