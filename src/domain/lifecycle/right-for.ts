import type { Role } from "../actor.ts";
import { requiredRole, type Right } from "../rights.ts";
import type { Command } from "./commands.ts";
import { endsHold } from "./gates.ts";
import type { StepSnapshot, TaskSnapshot } from "./snapshot.ts";
import { isAgainstFailure } from "./standing.ts";
import type { GateState, StepStatus } from "./statuses.ts";
import { ENDING_STATUSES, isKindFrom } from "./transitions.ts";

/** Statuses of steps that only a reviewer may rework, because the rework undoes a decision. */
export const ENDED_STEP_STATUSES = [
  "approved",
  "rejected",
  "duplicate",
] as const satisfies readonly StepStatus[];

/**
 * Returns the right that a command requires. Without a snapshot, returns the weakest right that any task could require,
 * so that a caller without it is rejected before the task is loaded.
 */
export function rightFor(command: Command, snapshot?: TaskSnapshot): Right {
  switch (command.type) {
    case "transition":
      return rightForTransition(command.status, snapshot);
    case "gate":
      return rightForGate(command.gate, snapshot);
    case "advance":
      return "advance";
    case "rework":
      return snapshot !== undefined && isEnded(snapshot.step.status)
        ? "reworkEnded"
        : "reworkUnfinished";
    case "version":
      return snapshot !== undefined && isFinished(snapshot.step)
        ? "newVersionOfFinished"
        : "newVersion";
    case "review":
      return command.kind === "automated" && command.move === undefined
        ? "reviewByAutomation"
        : "review";
    case "withdraw":
      return command.review.kind === "automated" ? "reviewByAutomation" : "review";
    case "report":
    case "idle":
      return "reportRun";
    case "edit":
      return "edit";
    case "archive":
    case "restore":
      return "archiveAndRestore";
    case "note":
      return "note";
  }
}

/** Returns the lowest role that may perform a command, or `service` if only that role may. */
export function minimumRole(command: Command, snapshot?: TaskSnapshot): Role {
  return requiredRole(rightFor(command, snapshot));
}

/** Ending a hold takes the right to hold, whichever gate the step returns to. */
function rightForGate(gate: GateState, snapshot: TaskSnapshot | undefined): Right {
  if (snapshot === undefined || endsHold(snapshot.step, gate)) return "block";
  if (gate === "waived") return "waive";
  if (gate === "revoked") return "revoke";
  return gate === "errored" ? "markErrored" : "block";
}

function rightForTransition(status: StepStatus, snapshot: TaskSnapshot | undefined): Right {
  if (status === "rejected" || status === "duplicate") return "rejectOrMarkDuplicate";
  if (snapshot === undefined) return "transition";
  const isJudgement = status === "approved" || status === "changes_requested";
  if (snapshot.step.kind === "expert_review" && isJudgement) return "judgeExpertReview";
  return isAgainstFailure(status, snapshot) ? "approveAgainstFailure" : "transition";
}

/**
 * Returns true if the label of a task at this step is PASSED, DELIVERED, REJECTED or DUPLICATE. These labels depend on
 * nothing else: test/domain/rights.test.ts compares this with the resolver.
 */
function isFinished({ kind, status }: StepSnapshot): boolean {
  if (ENDING_STATUSES.some((ending) => ending === status)) return true;
  return kind === "expert_review" ? status === "approved" : isKindFrom(kind, "calibration");
}

function isEnded(status: StepStatus): boolean {
  return ENDED_STEP_STATUSES.some((ended) => ended === status);
}
