import type { Recall } from "../decision.ts";
import type { StepSnapshot } from "../snapshot.ts";
import type { StepStatus } from "../statuses.ts";
import { ENDING_STATUSES, REVOKING_STATUSES } from "../transitions.ts";

// Which undelivered dispatches a move recalls. A bulk revert also recalls those of the events that it undoes: see
// `undoes` in domain/bulk/revert.ts.

/** Leaving a step recalls its dispatches. Those of the version, such as a payment, stay. */
export function recallOnLeave({ id, versionId }: StepSnapshot): Recall {
  return { stepId: id, versionId, ofStep: true, ofVersion: false };
}

/** Revoking an approval recalls the dispatches of the version, such as a payment. If the step ends, also its own. */
export function recallOnMove({ id, versionId }: StepSnapshot, to: StepStatus): Recall | null {
  if (!REVOKING_STATUSES.some((revoking) => revoking === to)) return null;
  const isEnding = ENDING_STATUSES.some((ending) => ending === to);
  return { stepId: id, versionId, ofStep: isEnding, ofVersion: true };
}
