import type { GateState, StepStatus } from "./statuses.ts";

/** The gate that a status implies where nothing else speaks against it. */
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

/** Every change of a gate that can happen at all, by a status or by hand. */
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

/** Gates through which a task may advance. */
export const OPEN_GATES = ["passed", "waived"] as const satisfies readonly GateState[];

/** Whether the task may be advanced past this gate. */
export function isGateOpen(gate: GateState): boolean {
  return OPEN_GATES.some((open) => open === gate);
}

/** Statuses that are stronger than a waiver and than a block by hand. */
export const OVERRULING_STATUSES: readonly StepStatus[] = [
  "changes_requested",
  "rejected",
  "duplicate",
  "failed",
  "cancelled",
];

/** Whether a person blocked the gate: no status does, but for `paused` and `awaiting_input`. */
export function isBlockedByHand(status: StepStatus, gate: GateState): boolean {
  return gate === "blocked" && GATE_ON_STATUS[status] !== "blocked";
}

/**
 * The gate after a step's status has changed. `gate_closed` where the gate was blocked by hand and the new
 * status is an approval: somebody has to unblock it first.
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

/** Gates that a person may set from any gate that leads there. A verdict is never among them. */
export const GATES_BY_HAND = [
  "waived",
  "blocked",
  "errored",
] as const satisfies readonly GateState[];

/**
 * The gates that a person may set now: `waived`, `blocked`, `errored` where the table leads there; `revoked`
 * from `waived` alone; and from a block made by hand the gate that the status implies.
 */
export function allowedGatesByHand(status: StepStatus, gate: GateState): GateState[] {
  const reachable = GATE_TRANSITIONS[gate];
  const implied = GATE_ON_STATUS[status];
  const allowed: GateState[] = GATES_BY_HAND.filter((target) => reachable.includes(target));
  if (gate === "waived") allowed.push("revoked");
  if (isBlockedByHand(status, gate) && !allowed.includes(implied)) allowed.push(implied);
  return allowed;
}
