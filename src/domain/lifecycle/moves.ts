import type { Role } from "../actor.ts";
import type { LawfulCall } from "../refusals.ts";
import { isPermitted } from "../rights.ts";
import { rightFor } from "./right-for.ts";
import { allowedGatesByHand, gateAfter, isGateOpen } from "./gates.ts";
import type { TaskSnapshot } from "./snapshot.ts";
import { isAgainstFailure } from "./standing.ts";
import type { GateState, StepKind, StepStatus } from "./statuses.ts";
import { allowedNext, kindsUpTo, nextKind } from "./transitions.ts";

/** Everything that may be done with the current step now. */
export interface LawfulMoves {
  transitions: readonly StepStatus[];
  gates: readonly GateState[];
  advance: boolean;
  reworkKinds: readonly StepKind[];
}

/** The moves that `decide` would accept from this snapshot; with a role, only those that it may make. */
export function lawfulMoves(snapshot: TaskSnapshot, role?: Role): LawfulMoves {
  if (snapshot.archivedAt !== null) {
    return { transitions: [], gates: [], advance: false, reworkKinds: [] };
  }
  const { kind, status, gate } = snapshot.step;
  const may = (command: Parameters<typeof rightFor>[0]): boolean =>
    role === undefined || isPermitted(role, rightFor(command, snapshot));
  return {
    transitions: allowedNext(kind, status).filter(
      (next) =>
        gateAfter(status, gate, next) !== "gate_closed" &&
        may({ type: "transition", status: next, runAttachedWorkflows: false }),
    ),
    gates: allowedGatesByHand(status, gate).filter((next) => may({ type: "gate", gate: next })),
    advance:
      isGateOpen(gate) &&
      nextKind(kind) !== null &&
      may({ type: "advance", runAttachedWorkflows: false }),
    reworkKinds: kindsUpTo(kind).filter((toKind) =>
      may({ type: "rework", toKind, reason: "", runAttachedWorkflows: false }),
    ),
  };
}

/** The lawful moves as calls of the API, for the answer to a call that was not. */
export function lawfulCalls(snapshot: TaskSnapshot, role: Role): LawfulCall[] {
  const task = `/v1/tasks/${snapshot.id}`;
  const step = `/v1/steps/${snapshot.step.id}`;
  if (snapshot.archivedAt !== null) {
    return isPermitted(role, "archiveAndRestore")
      ? [{ method: "POST", path: `${task}/restore`, body: {} }]
      : [];
  }
  const moves = lawfulMoves(snapshot, role);
  const calls: LawfulCall[] = moves.transitions.map((status) => ({
    method: "PATCH",
    path: step,
    body: { status },
    ...(isAgainstFailure(status, snapshot) && { needs: ["reason"] as const }),
  }));
  for (const gate of moves.gates) {
    calls.push({ method: "PATCH", path: `${step}/gate`, body: { gate } });
  }
  if (moves.advance) calls.push({ method: "POST", path: `${task}/advance`, body: {} });
  for (const toKind of moves.reworkKinds) {
    calls.push({ method: "POST", path: `${task}/rework`, body: { toKind }, needs: ["reason"] });
  }
  return calls;
}
