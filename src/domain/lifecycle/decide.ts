import {
  archived,
  forbidden,
  type Outcome,
  type Refusal,
  refuse,
  STATE_REFUSALS,
  succeed,
} from "../refusals.ts";
import { isPermitted, requiredRole } from "../rights.ts";
import { rightFor } from "./right-for.ts";
import type { Command, DecisionContext } from "./commands.ts";
import { decideAdvance } from "./decide/advance.ts";
import { decideArchive, decideRestore } from "./decide/archive.ts";
import { settleDeferred } from "./decide/deferral.ts";
import { decideEdit } from "./decide/edit.ts";
import { decideGate } from "./decide/gate.ts";
import { decideIdle } from "./decide/idle.ts";
import { decideNote } from "./decide/note.ts";
import { decideReport } from "./decide/report.ts";
import { decideReview, refusalOfReviewedStep } from "./decide/review.ts";
import { decideRework } from "./decide/rework.ts";
import { decideTransition } from "./decide/transition.ts";
import { decideVersion } from "./decide/version.ts";
import { decideWithdraw } from "./decide/withdraw.ts";
import type { Decision } from "./decision.ts";
import { lawfulCommands } from "./moves.ts";
import type { TaskSnapshot } from "./snapshot.ts";

/**
 * Decides one command on one task. Returns everything that the command changes, or the reason why it is rejected. The
 * function is pure, so previews call it freely.
 */
export function decide(
  snapshot: TaskSnapshot,
  command: Command,
  context: DecisionContext,
): Outcome<Decision> {
  const { role } = context.actor;
  const right = rightFor(command, snapshot);
  if (!isPermitted(role, right)) return refuse(forbidden(requiredRole(right)));

  const refusal = refusalAtOnce(snapshot, command);
  const outcome = refusal ? refuse(refusal) : decideCommand(snapshot, command, context);
  if (outcome.ok) return succeed(settleDeferred(snapshot, outcome.value));
  if (!isCausedByState(outcome.refusal)) return outcome;
  return refuse({ ...outcome.refusal, next: lawfulCommands(snapshot, role) });
}

/** Returns why the task does not accept the command, whatever its state is otherwise; null if it may. */
function refusalAtOnce(snapshot: TaskSnapshot, command: Command): Refusal | null {
  const refusal = command.type === "review" ? refusalOfReviewedStep(snapshot, command) : null;
  if (refusal) return refusal;
  return snapshot.archivedAt !== null && !WHILE_ARCHIVED.includes(command.type) ? archived() : null;
}

/** Commands that an archived task accepts. A worker can still report the end of its run, and a note moves nothing. */
const WHILE_ARCHIVED: readonly Command["type"][] = ["archive", "restore", "report", "note"];

function decideCommand(
  snapshot: TaskSnapshot,
  command: Command,
  context: DecisionContext,
): Outcome<Decision> {
  switch (command.type) {
    case "transition":
      return decideTransition(snapshot, command, context);
    case "gate":
      return decideGate(snapshot, command);
    case "advance":
      return decideAdvance(snapshot, command, context);
    case "rework":
      return decideRework(snapshot, command, context);
    case "version":
      return decideVersion(snapshot, command, context);
    case "review":
      return decideReview(snapshot, command, context);
    case "withdraw":
      return decideWithdraw(snapshot, command);
    case "report":
      return decideReport(snapshot, command, context);
    case "edit":
      return decideEdit(snapshot, command);
    case "archive":
      return decideArchive(snapshot, command);
    case "restore":
      return decideRestore(snapshot, command);
    case "note":
      return decideNote(snapshot, command);
    case "idle":
      return succeed(decideIdle(snapshot));
  }
}

function isCausedByState(refusal: Refusal): boolean {
  return STATE_REFUSALS.some((code) => code === refusal.code);
}
