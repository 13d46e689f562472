import type { Actor } from "../actor.ts";
import type { LawfulCommand, Refusal } from "../refusals.ts";
import type { Command } from "./commands.ts";
import { decide } from "./decide.ts";
import { GATES_BY_HAND } from "./gates.ts";
import type { TaskSnapshot } from "./snapshot.ts";
import { type GateState, type StepKind, STEP_STATUSES, type StepStatus } from "./statuses.ts";
import { kindHasStatus, kindsUpTo } from "./transitions.ts";

/** A command that exists for tasks at this stage and is refused now, and why. */
export interface ClosedCommand {
  command: LawfulCommand;
  refusal: Refusal;
}

/** Returns the commands that exist for tasks at the stage of this one and that `decide` refuses this actor now. */
export function closedCommands(snapshot: TaskSnapshot, actor: Actor): ClosedCommand[] {
  return commandsAtStage(snapshot).flatMap((command) => {
    // Nothing is recorded, so no id is needed.
    const decided = decide(snapshot, withReason(command), { actor, newId: () => "" });
    return decided.ok ? [] : [{ command, refusal: decided.refusal }];
  });
}

/** A LawfulCommand whose values are known. */
type StageCommand = LawfulCommand &
  (
    | { type: "transition"; status: StepStatus }
    | { type: "gate"; gate: GateState }
    | { type: "rework"; toKind: StepKind }
    | { type: "advance" | "restore" }
  );

/** Every command that a task at this stage takes in some state. One that would change nothing is left out. */
function commandsAtStage({ step, archivedAt }: TaskSnapshot): StageCommand[] {
  const { kind } = step;
  const needsReason = false;
  return [
    ...STEP_STATUSES.filter((status) => status !== step.status && kindHasStatus(kind, status)).map(
      (status) => ({ type: "transition" as const, status, needsReason }),
    ),
    ...[...GATES_BY_HAND, "revoked" as const]
      .filter((gate) => gate !== step.gate)
      .map((gate) => ({ type: "gate" as const, gate, needsReason })),
    { type: "advance" },
    ...kindsUpTo(kind).map((toKind) => ({
      type: "rework" as const,
      toKind,
      needsReason: true as const,
    })),
    ...(archivedAt === null ? [] : [{ type: "restore" as const }]),
  ];
}

/** A reason is never why a command is closed: the caller can give one. */
function withReason(command: StageCommand): Command {
  const given = { reason: "any", runAttachedWorkflows: false };
  switch (command.type) {
    case "transition":
      return { type: "transition", status: command.status, ...given };
    case "gate":
      return { type: "gate", gate: command.gate, reason: given.reason };
    case "rework":
      return { type: "rework", toKind: command.toKind, ...given };
    case "advance":
      return { type: "advance", ...given };
    case "restore":
      return { type: "restore" };
  }
}
