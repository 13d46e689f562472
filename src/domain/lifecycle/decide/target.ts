import type { Refusal } from "../../refusals.ts";
import { stepNotCurrent, versionSealed } from "../../refusals.ts";
import type { StepTarget } from "../commands.ts";
import type { TaskSnapshot } from "../snapshot.ts";

/** Why the step that the call names cannot change; null where it is the current one or none is named. */
export function misaimed(snapshot: TaskSnapshot, target: StepTarget | undefined): Refusal | null {
  if (target === undefined || target.stepId === snapshot.step.id) return null;
  return target.versionId === snapshot.version.id
    ? stepNotCurrent(snapshot.step.id)
    : versionSealed(snapshot.version);
}
