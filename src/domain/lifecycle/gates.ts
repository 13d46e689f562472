import type { GateState, StepStatus } from "./statuses.ts";

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
  awaiting_review: ["evaluating", "passed", "waived", "failed", "errored"],
  blocked: [
    "locked",
    "pending",
    "evaluating",
    "awaiting_review",
    "passed",
    "waived",
    "failed",
    "errored",
  ],
  passed: ["revoked"],
  waived: ["passed", "revoked"],
  failed: ["locked", "pending", "evaluating", "awaiting_review", "passed", "waived"],
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

/** Statuses that override a waived gate and a gate that was blocked by hand. */
export const OVERRULING_STATUSES: readonly StepStatus[] = [
  "changes_requested",
  "rejected",
  "duplicate",
  "failed",
  "cancelled",
];

/** Returns true if a person blocked the gate: it is blocked, and the status does not imply that. */
export function isBlockedByHand(status: StepStatus, gate: GateState): boolean {
  return gate === "blocked" && GATE_ON_STATUS[status] !== "blocked";
}

/**
 * Returns the gate after a change of status. Returns `gate_closed` if a person blocked the gate and the new status is an
 * approval, because a person must unblock it first.
 */
export function gateAfter(
  previousStatus: StepStatus,
  previousGate: GateState,
  status: StepStatus,
): GateState | "gate_closed" {
  if (previousGate === "passed") return status === "approved" ? "passed" : "revoked";
  if (previousGate === "waived") {
    if (status === "approved") return "passed";
    return OVERRULING_STATUSES.includes(status) ? "revoked" : "waived";
  }
  if (isBlockedByHand(previousStatus, previousGate)) {
    if (status === "approved") return "gate_closed";
    return OVERRULING_STATUSES.includes(status) ? GATE_ON_STATUS[status] : "blocked";
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
 * `revoked` from `waived` only. A gate that was blocked by hand can also return to the gate that its status implies.
 */
export function allowedGatesByHand(status: StepStatus, gate: GateState): GateState[] {
  const reachable = GATE_TRANSITIONS[gate];
  const implied = GATE_ON_STATUS[status];
  const allowed: GateState[] = GATES_BY_HAND.filter((target) => reachable.includes(target));
  if (gate === "waived") allowed.push("revoked");
  if (isBlockedByHand(status, gate) && !allowed.includes(implied)) allowed.push(implied);
  return allowed;
}
