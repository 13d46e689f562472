import type { Issue } from "../refusals.ts";
import { isHeld } from "./gates.ts";
import type { StepSnapshot, TaskSnapshot } from "./snapshot.ts";
import { isAgainstFailure } from "./standing.ts";
import type { GateState, StepStatus } from "./statuses.ts";
import { ENDING_STATUSES } from "./transitions.ts";

/** Returns true if a change to this status requires a reason: it ends the task, or overrules a failed review. */
export function needsReason(status: StepStatus, task: Pick<TaskSnapshot, "reviews">): boolean {
  return ENDING_STATUSES.some((ending) => ending === status) || isAgainstFailure(status, task);
}

/**
 * Returns true if a change to this gate by hand requires a reason. Only `errored` requires none, because it claims
 * nothing about the work; but the end of a hold always requires one.
 */
export function gateNeedsReason(gate: GateState, step: StepSnapshot): boolean {
  return gate !== "errored" || isHeld(step);
}

/** Returns an issue if a required reason is missing or blank, or null. */
export function missingReason(reason: string | undefined, message: string): Issue | null {
  if (reason !== undefined && /\S/.test(reason)) return null;
  return { path: ["reason"], code: "required", message };
}
