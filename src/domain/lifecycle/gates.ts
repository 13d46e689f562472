import type { Hold, StepSnapshot } from "./snapshot.ts";
import type { GateState, StepStatus } from "./statuses.ts";
import { isEnding } from "./transitions.ts";

/** The gate that a status implies by default. `gateAfter` has the exceptions. */
export const GATE_ON_STATUS: Record<StepStatus, GateState> = {
  pending: "locked",
  queued: "locked",
  running: "pending",
  paused: "blocked",
  awaiting_input: "blocked",
  awaiting_review: "awaiting_review",
  in_review: "evaluating",
  changes_requested: "failed",
  approved: "passed",
  rejected: "failed",
  duplicate: "failed",
  failed: "errored",
  cancelled: "locked",
};

/** Every possible change of a gate, by a status or by hand. */
export const GATE_TRANSITIONS: Record<GateState, readonly GateState[]> = {
  locked: [
    "pending",
    "evaluating",
    "awaiting_review",
    "blocked",
    "passed",
    "waived",
    "failed",
    "errored",
  ],
  pending: [
    "locked",
    "evaluating",
    "awaiting_review",
    "blocked",
    "passed",
    "waived",
    "failed",
    "errored",
  ],
  evaluating: ["awaiting_review", "blocked", "passed", "failed", "errored"],
  awaiting_review: ["evaluating", "blocked", "passed", "waived", "failed", "errored"],
  blocked: [
    "locked",
    "pending",
    "evaluating",
    "awaiting_review",
    "passed",
    "waived",
    "failed",
    "errored",
    "revoked",
  ],
  passed: ["blocked", "revoked"],
  waived: ["blocked", "passed", "revoked"],
  failed: ["locked", "pending", "evaluating", "awaiting_review", "blocked", "passed", "waived"],
  errored: [
    "locked",
    "pending",
    "evaluating",
    "awaiting_review",
    "blocked",
    "passed",
    "waived",
    "failed",
  ],
  revoked: [
    "locked",
    "pending",
    "evaluating",
    "awaiting_review",
    "blocked",
    "passed",
    "waived",
    "failed",
    "errored",
  ],
};

/** The gates that let a task advance. */
export const OPEN_GATES = ["passed", "waived"] as const satisfies readonly GateState[];

/** Returns true if a task can advance past this gate. */
export function isGateOpen(gate: GateState): boolean {
  return OPEN_GATES.some((open) => open === gate);
}

/** What the rules about gates read of a step. */
export type GatedStep = Pick<StepSnapshot, "status" | "gate" | "hold">;

/** Statuses that override a waived gate, and a gate that was blocked by hand before holds existed. */
export const OVERRULING_STATUSES: readonly StepStatus[] = [
  "changes_requested",
  "rejected",
  "duplicate",
  "failed",
  "cancelled",
];

/** Returns true if the gate is blocked although the status does not imply that. */
function isBlockedByHand({ status, gate }: GatedStep): boolean {
  return gate === "blocked" && GATE_ON_STATUS[status] !== "blocked";
}

/** Returns true if no decision can be taken on the step. A gate that was blocked before holds existed also counts. */
export function isHeld(step: GatedStep): boolean {
  return step.hold !== null || isBlockedByHand(step);
}

/** Returns the gate that the step has, or would have without its hold. */
export function gateWithoutHold(step: GatedStep): GateState {
  if (step.hold !== null) return step.hold.gate;
  return isBlockedByHand(step) ? GATE_ON_STATUS[step.status] : step.gate;
}

/**
 * Returns the gate and the hold after a change of status. Returns `gate_closed` if the step is held and the new status
 * is an approval. Other statuses keep the hold, except those that end the step.
 */
export function gateAfter(
  step: GatedStep,
  status: StepStatus,
): { gate: GateState; hold: Hold | null } | "gate_closed" {
  const { hold } = step;
  if (isHeld(step) && status === "approved") return "gate_closed";
  if (hold === null) {
    const isKept = isBlockedByHand(step) && !OVERRULING_STATUSES.includes(status);
    return { gate: isKept ? "blocked" : nextGate(step.gate, status), hold };
  }
  const gate = nextGate(hold.gate, status);
  return isEnding(status) ? { gate, hold: null } : { gate: "blocked", hold: { ...hold, gate } };
}

/** Returns the gate after a change of status if nothing holds the step. */
function nextGate(previous: GateState, status: StepStatus): GateState {
  if (previous === "passed") return status === "approved" ? "passed" : "revoked";
  if (previous === "waived") {
    if (status === "approved") return "passed";
    return OVERRULING_STATUSES.includes(status) ? "revoked" : "waived";
  }
  return GATE_ON_STATUS[status];
}

/** Gates that a person can set from any gate that leads to them. A verdict cannot be set by hand. */
export const GATES_BY_HAND = [
  "waived",
  "blocked",
  "errored",
] as const satisfies readonly GateState[];

/**
 * Returns the gates that a person can set now: `waived`, `blocked` and `errored` if the table leads to them, and
 * `revoked` from `waived` only. `blocked` holds the step, which must not have ended; a paused step can be held too,
 * although its gate stays the same. A held step can only return to the gate that it would have without the hold.
 */
export function allowedGatesByHand(step: GatedStep): GateState[] {
  if (isHeld(step)) return [gateWithoutHold(step)];
  const { status, gate } = step;
  return [
    ...GATES_BY_HAND.filter((target) =>
      target === "blocked"
        ? !isEnding(status) && (gate === "blocked" || GATE_TRANSITIONS[gate].includes(target))
        : GATE_TRANSITIONS[gate].includes(target),
    ),
    ...(gate === "waived" ? ["revoked" as const] : []),
  ];
}

/** Returns true if setting the gate by hand ends the step's hold. */
export function endsHold(step: GatedStep, gate: GateState): boolean {
  return isHeld(step) && gate === gateWithoutHold(step);
}
