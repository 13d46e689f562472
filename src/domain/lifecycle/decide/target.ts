import type { Refusal } from "../../refusals.ts";
import { stepNotCurrent, versionSealed } from "../../refusals.ts";
import type { StepTarget } from "../commands.ts";
import type { TaskSnapshot } from "../snapshot.ts";

/** Returns why the step that a call names cannot change. Returns null for the current step, or without a target. */
export function refusalOfTarget(
  snapshot: TaskSnapshot,
  target: StepTarget | undefined,
): Refusal | null {
  if (target === undefined || target.stepId === snapshot.step.id) return null;
  return target.versionId === snapshot.version.id
    ? stepNotCurrent(snapshot.step.id)
    : versionSealed(snapshot.version);
}
