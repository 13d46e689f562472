import type { Role } from "../actor.ts";
import type { LawfulCommand, LawfulCommands } from "../refusals.ts";
import { isPermitted } from "../rights.ts";
import { rightFor } from "./right-for.ts";
import { pathTo } from "./decide/move-step.ts";
import { allowedGatesByHand } from "./gates.ts";
import { isIdle } from "./idle.ts";
import { gateNeedsReason, needsReason } from "./reasons.ts";
import type { TaskSnapshot } from "./snapshot.ts";
import { canLeave } from "./standing.ts";
import type { GateState, StepKind, StepStatus } from "./statuses.ts";
import { allowedNext, kindsUpTo, nextKind } from "./transitions.ts";

/** The moves that the current step allows. */
export interface LawfulMoves {
  transitions: readonly StepStatus[];
  gates: readonly GateState[];
  advance: boolean;
  reworkKinds: readonly StepKind[];
}

/** What a retry of an idle step leads to. */
const RETRIED = ["queued"] as const satisfies readonly StepStatus[];

/** Returns the moves that `decide` would accept. With a role, returns only those that the role permits. */
export function lawfulMoves(snapshot: TaskSnapshot, role?: Role): LawfulMoves {
  if (snapshot.archivedAt !== null) {
    return { transitions: [], gates: [], advance: false, reworkKinds: [] };
  }
  const { step } = snapshot;
  const { kind, status } = step;
  const isNamed = snapshot.namedBy.length > 0;
  const isAllowed = (command: Parameters<typeof rightFor>[0]): boolean =>
    role === undefined || isPermitted(role, rightFor(command, snapshot));
  return {
    transitions: [...allowedNext(kind, status), ...(isIdle(step) ? RETRIED : [])].filter(
      (next) =>
        pathTo(step, next).ok &&
        !(next === "duplicate" && isNamed) &&
        isAllowed({ type: "transition", status: next, runAttachedWorkflows: false }),
    ),
    gates: allowedGatesByHand(step).filter((next) => isAllowed({ type: "gate", gate: next })),
    advance:
      canLeave(snapshot) &&
      nextKind(kind) !== null &&
      isAllowed({ type: "advance", runAttachedWorkflows: false }),
    reworkKinds: kindsUpTo(kind).filter((toKind) =>
      isAllowed({ type: "rework", toKind, reason: "", runAttachedWorkflows: false }),
    ),
  };
}

/** Returns the commands that `decide` would accept from this role. A refusal lists them. */
export function lawfulCommands(snapshot: TaskSnapshot, role: Role): LawfulCommands {
  const { id: taskId, step } = snapshot;
  return { taskId, stepId: step.id, commands: commandsOf(snapshot, role) };
}

function commandsOf(snapshot: TaskSnapshot, role: Role): LawfulCommand[] {
  if (snapshot.archivedAt !== null) {
    return isPermitted(role, "archiveAndRestore") ? [{ type: "restore" }] : [];
  }
  const { transitions, gates, advance, reworkKinds } = lawfulMoves(snapshot, role);
  return [
    ...transitions.map((status) => {
      return { type: "transition" as const, status, needsReason: needsReason(status, snapshot) };
    }),
    ...gates.map((gate) => {
      return { type: "gate" as const, gate, needsReason: gateNeedsReason(gate, snapshot.step) };
    }),
    ...(advance ? [{ type: "advance" as const }] : []),
    ...reworkKinds.map((toKind) => ({
      type: "rework" as const,
      toKind,
      needsReason: true as const,
    })),
  ];
}
