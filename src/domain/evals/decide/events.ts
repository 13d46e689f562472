import type { EvalEventType } from "../statuses.ts";
import type { EvalDecision, NewEvalEvent } from "../decision.ts";
import type { EvalPayloadOf } from "../events.ts";
import type { EvalSnapshot } from "../snapshot.ts";

/** A decision about an eval that exists, before it says anything. */
export function unchanged(snapshot: EvalSnapshot): EvalDecision {
  return {
    evalId: snapshot.id,
    taskId: snapshot.taskId,
    seenStatus: snapshot.status,
    opens: null,
    events: [],
    trials: [],
    change: null,
    insights: [],
  };
}

/** An event that leaves the eval in its status. */
export function eventIn<Type extends EvalEventType>(
  { status }: Pick<EvalSnapshot, "status">,
  type: Type,
  payload: EvalPayloadOf<Type>,
  { trialId = null, reason = null }: { trialId?: string | null; reason?: string | null } = {},
): NewEvalEvent {
  return { type, trialId, fromStatus: status, toStatus: status, reason, payload };
}
