import type { EvalStatus } from "../statuses.ts";
import type { EvalDecision } from "../decision.ts";
import type { EvalPayloadOf } from "../events.ts";
import type { SlotBy } from "../slot.ts";

export interface EvalInput {
  taskId: string;
  versionId: string;
  name: string;
  k: number;
  slotBy: SlotBy;
}

/**
 * Opens an eval of a version as a draft. An eval that its first results open starts as running instead. A version has one
 * live eval of a name.
 */
export function decideEvalCreate(
  input: EvalInput,
  {
    newId,
    status = "draft",
  }: { newId: () => string; status?: Extract<EvalStatus, "draft" | "running"> },
): EvalDecision {
  const { slotBy, ...opens } = input;
  const { taskId, versionId, name, k } = opens;
  const payload: EvalPayloadOf<"eval_created"> = { versionId, name, k, slotBy };
  return {
    evalId: newId(),
    taskId,
    slotBy,
    seenStatus: null,
    opens,
    raises: null,
    events: [
      {
        type: "eval_created",
        trialId: null,
        fromStatus: null,
        toStatus: status,
        reason: null,
        payload,
      },
    ],
    trials: [],
    change: null,
    insights: [],
  };
}
