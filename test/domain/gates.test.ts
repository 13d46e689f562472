import { describe, expect, test } from "vitest";
import {
  allowedGatesByHand,
  GATE_ON_STATUS,
  GATE_TRANSITIONS,
  gateAfter,
  isGateOpen,
} from "../../src/domain/lifecycle/gates.ts";
import { holdBlocked } from "../../src/domain/lifecycle/decide/hold-blocked.ts";
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

const ENDING_STATUSES: readonly StepStatus[] = ["rejected", "duplicate"];

/** The gates that a step can have without a hold, in each status. */
const gatesWithoutHold = (status: StepStatus): GateState[] =>
  GATE_STATES.filter((gate) => gate !== "blocked" || GATE_ON_STATUS[status] === "blocked");

/** The rule of a gate without a hold, written a second time. */
function expectedGate(previous: GateState, status: StepStatus): GateState {
  const isOverruled = OVERRULING_STATUSES.includes(status);
  if (previous === "passed") return status === "approved" ? "passed" : "revoked";
  if (previous !== "waived") return GATE_ON_STATUS[status];
  if (status === "approved") return "passed";
  return isOverruled ? "revoked" : "waived";
}

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
  test("follows the rule for every status and gate of a step that is not held", () => {
    for (const previous of STEP_STATUSES) {
      for (const gate of gatesWithoutHold(previous)) {
        for (const status of STEP_STATUSES) {
          expect(gateAfter({ status: previous, gate, hold: null }, status)).toEqual({
            gate: expectedGate(gate, status),
            hold: null,
          });
        }
      }
    }
  });

  test("stays blocked while the step is held, and the hold carries the gate that follows", () => {
    for (const previous of STEP_STATUSES) {
      for (const heldGate of gatesWithoutHold(previous)) {
        for (const status of STEP_STATUSES) {
          const held = {
            status: previous,
            gate: "blocked" as const,
            hold: { seq: 3, gate: heldGate },
          };
          const gate = expectedGate(heldGate, status);
          const expected = ENDING_STATUSES.includes(status)
            ? { gate, hold: null }
            : { gate: "blocked", hold: { seq: 3, gate } };
          expect(gateAfter(held, status), `${previous} ${heldGate} ${status}`).toEqual(
            status === "approved" ? "gate_closed" : expected,
          );
        }
      }
    }
  });

  test("of a step that was blocked before holds existed stays blocked until an overruling status", () => {
    for (const previous of STEP_STATUSES) {
      if (GATE_ON_STATUS[previous] === "blocked") continue;
      for (const status of STEP_STATUSES) {
        const stays = OVERRULING_STATUSES.includes(status) ? GATE_ON_STATUS[status] : "blocked";
        const expected = status === "approved" ? "gate_closed" : { gate: stays, hold: null };
        const blocked = { status: previous, gate: "blocked" as const, hold: null };
        expect(gateAfter(blocked, status)).toEqual(expected);
      }
    }
  });

  test("changes along GATE_TRANSITIONS, or not at all, for every status, gate and hold", () => {
    for (const previous of STEP_STATUSES) {
      for (const heldGate of gatesWithoutHold(previous)) {
        for (const status of STEP_STATUSES) {
          for (const hold of [null, { seq: 3, gate: heldGate }]) {
            const gate = hold === null ? heldGate : "blocked";
            const after = gateAfter({ status: previous, gate, hold }, status);
            if (after === "gate_closed" || after.gate === gate) continue;
            // Some pairs of a status and a gate cannot occur, but none may need a change that the table lacks.
            if (gate === "blocked" || gate === "passed" || gate === "waived") {
              expect(GATE_TRANSITIONS[gate], `${gate} ${status}`).toContain(after.gate);
            }
          }
        }
      }
    }
  });
});

describe("a hold", () => {
  test("is possible in every gate of every status that does not end the step", () => {
    for (const status of STEP_STATUSES) {
      for (const gate of gatesWithoutHold(status)) {
        const task = givenTask({ kind: "pre_qa", status, gate });
        if (ENDING_STATUSES.includes(status)) {
          expectRefusal(task, { type: "gate", gate: "blocked" }, "invalid_transition");
          continue;
        }
        const { events } = expectDecision(
          task,
          { type: "gate", gate: "blocked", reason: "r" },
          "operator",
        );
        expect(events).toMatchObject([
          {
            type: "gate_changed",
            fromStatus: status,
            toStatus: status,
            fromGate: gate,
            toGate: "blocked",
            payload: { hold: { from: null, to: { seq: 8, gate } } },
          },
        ]);
      }
    }
  });

  test("ends in the gate that the step would have, by the right to hold, and without a pipeline", () => {
    for (const status of STEP_STATUSES) {
      if (ENDING_STATUSES.includes(status)) continue;
      for (const heldGate of gatesWithoutHold(status)) {
        const task = givenTask({ kind: "pre_qa", status, heldGate });
        const ended = expectDecision(
          task,
          { type: "gate", gate: heldGate, reason: "r" },
          "operator",
        );
        expect(ended).toMatchObject({
          events: [
            {
              fromGate: "blocked",
              toGate: heldGate,
              payload: { hold: { from: { seq: 5, gate: heldGate }, to: null } },
            },
          ],
          dispatches: [],
        });
      }
    }
  });

  test("refuses every other gate: a decision as gate_closed, and any other as before", () => {
    for (const status of STEP_STATUSES) {
      for (const heldGate of gatesWithoutHold(status)) {
        const task = givenTask({ kind: "pre_qa", status, heldGate });
        for (const gate of GATE_STATES) {
          if (gate === heldGate) continue;
          const command = { type: "gate", gate } as const;
          const isClosed =
            gate === "waived" ||
            gate === "errored" ||
            (gate === "revoked" && heldGate === "waived");
          if (gate === "blocked") expectRefusal(task, command, "already_in_status");
          else if (isClosed) {
            const refusal = expectRefusal(task, command, "gate_closed");
            expect(refusal).toMatchObject({ gate: "blocked", allowed: [heldGate] });
          } else {
            const refusal = expectRefusal(task, command, "invalid_transition");
            expect(refusal).toMatchObject({ from: "blocked", to: gate, allowed: [heldGate] });
          }
        }
      }
    }
  });

  test("of a step that was blocked before holds existed ends in the gate that the status implies", () => {
    for (const status of STEP_STATUSES) {
      if (GATE_ON_STATUS[status] === "blocked" || ENDING_STATUSES.includes(status)) continue;
      const task = givenTask({ kind: "pre_qa", status, gate: "blocked" });
      const implied = GATE_ON_STATUS[status];
      const { events } = expectDecision(
        task,
        { type: "gate", gate: implied, reason: "r" },
        "operator",
      );
      expect(events).toMatchObject([{ fromGate: "blocked", toGate: implied, payload: {} }]);
      const other = implied === "locked" ? "pending" : "locked";
      expectRefusal(task, { type: "gate", gate: other }, "invalid_transition");
    }
  });

  test("is put by the service on a step that was blocked before holds existed, and on no other", () => {
    for (const status of STEP_STATUSES) {
      for (const gate of GATE_STATES) {
        const decision = holdBlocked(givenTask({ kind: "pre_qa", status, gate }), { reason: "r" });
        if (gate !== "blocked" || GATE_ON_STATUS[status] === "blocked") {
          expect(decision).toBeNull();
          continue;
        }
        const to = { seq: 8, gate: GATE_ON_STATUS[status] };
        expect(decision?.events).toMatchObject([
          {
            fromGate: "blocked",
            toGate: "blocked",
            reason: "r",
            payload: { hold: { from: null, to } },
          },
        ]);
      }
    }
    const held = givenTask({ kind: "pre_qa", status: "running", heldGate: "pending" });
    expect(holdBlocked(held, { reason: "r" })).toBeNull();
  });
});

describe("setting a gate of a step that is not held", () => {
  test("allows waived, blocked and errored exactly as the table does", () => {
    for (const status of STEP_STATUSES) {
      for (const gate of gatesWithoutHold(status)) {
        const allowed = allowedGatesByHand({ status, gate, hold: null });
        for (const target of ["waived", "errored"] as const) {
          const isLawful = GATE_TRANSITIONS[gate].includes(target);
          expect(allowed.includes(target), `${status} ${gate} ${target}`).toBe(isLawful);
        }
        expect(allowed.includes("blocked")).toBe(!ENDING_STATUSES.includes(status));
        expect(allowed.includes("revoked")).toBe(gate === "waived");
        expect(allowed).not.toContain("passed");
        expect(allowed).not.toContain("failed");
        expect(new Set(allowed).size).toBe(allowed.length);
      }
    }
  });

  test.each([
    ["locked", ["waived", "blocked", "errored"]],
    ["evaluating", ["blocked", "errored"]],
    ["awaiting_review", ["waived", "blocked", "errored"]],
    ["failed", ["waived", "blocked"]],
    ["passed", ["blocked"]],
    ["waived", ["blocked", "revoked"]],
    ["errored", ["waived", "blocked"]],
    ["revoked", ["waived", "blocked", "errored"]],
  ] as const)("leads from %s to %j", (gate, allowed) => {
    expect(allowedGatesByHand({ status: "queued", gate, hold: null })).toEqual(allowed);
  });

  test("follows the rule for every pair of status and gate, in one event that keeps the status", () => {
    for (const status of STEP_STATUSES) {
      for (const from of gatesWithoutHold(status)) {
        const task = givenTask({ kind: "pre_qa", status, gate: from });
        const allowed = allowedGatesByHand(task.step);
        for (const gate of GATE_STATES) {
          if (allowed.includes(gate)) {
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
          } else if (gate === from) {
            expectRefusal(task, { type: "gate", gate }, "already_in_status");
          } else {
            const refusal = expectRefusal(task, { type: "gate", gate }, "invalid_transition");
            expect(refusal).toMatchObject({ from, to: gate, allowed });
          }
        }
      }
    }
  });

  test("requires a reason for every gate but errored, and to end any hold", () => {
    for (const status of STEP_STATUSES) {
      for (const from of gatesWithoutHold(status)) {
        for (const heldGate of [undefined, from]) {
          const task = givenTask({
            kind: "pre_qa",
            status,
            ...(heldGate ? { heldGate } : { gate: from }),
          });
          for (const gate of allowedGatesByHand(task.step)) {
            const isUnexplained = gate === "errored" && heldGate === undefined;
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
    }
  });
});

describe("a decision on a held step", () => {
  const held = givenTask({ kind: "pre_qa", status: "running", heldGate: "pending" });
  const approval = { type: "transition", status: "approved", runAttachedWorkflows: true } as const;

  test("is refused as gate_closed and lists the statuses that are still allowed", () => {
    const refusal = expectRefusal(held, approval, "gate_closed");
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

  test("is refused in a review that carries it, and the review is not recorded", () => {
    const move = { status: "approved", runAttachedWorkflows: false } as const;
    expectRefusal(held, { type: "review", kind: "expert", outcome: "passed", move }, "gate_closed");
  });

  test("is refused for an advance, although the gate would be open", () => {
    for (const heldGate of ["passed", "waived"] as const) {
      const task = givenTask({ kind: "pre_qa", status: "approved", heldGate });
      for (const role of ["operator", "service"] as const) {
        expectRefusal(task, { type: "advance", runAttachedWorkflows: false }, "gate_closed", role);
      }
    }
  });

  test("is accepted once the hold has ended", () => {
    const [ended] = expectDecision(held, { type: "gate", gate: "pending", reason: "r" }).events;
    const gate: GateState = ended?.toGate ?? "locked";
    const { events } = expectDecision(
      givenTask({ kind: "pre_qa", status: "running", gate }),
      approval,
    );
    expect(events[0]?.toGate).toBe("passed");
  });
});
