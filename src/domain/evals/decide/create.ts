import type { EvalStatus } from "../statuses.ts";
import type { EvalDecision } from "../decision.ts";
import type { EvalPayloadOf } from "../events.ts";

export interface EvalInput {
  taskId: string;
  versionId: string;
  name: string;
  k: number;
}

/**
 * Opens an eval of a version as a draft. An eval that its first results open starts as running instead, and must be the
 * only live eval with its name.
 */
export function decideEvalCreate(
  input: EvalInput,
  {
    newId,
    status = "draft",
  }: { newId: () => string; status?: Extract<EvalStatus, "draft" | "running"> },
): EvalDecision {
  const { taskId, versionId, name, k } = input;
  const payload: EvalPayloadOf<"eval_created"> = { versionId, name, k };
  return {
    evalId: newId(),
    taskId,
    seenStatus: null,
    opens: { taskId, versionId, name, k, isOnly: status === "running" },
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
