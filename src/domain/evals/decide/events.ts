import type { EvalEventType } from "../statuses.ts";
import type { EvalDecision, NewEvalEvent } from "../decision.ts";
import type { EvalPayloadOf } from "../events.ts";
import type { EvalSnapshot } from "../snapshot.ts";

/** Returns a decision that changes nothing in an existing eval. Other decisions extend it. */
export function unchanged(snapshot: EvalSnapshot): EvalDecision {
  return {
    evalId: snapshot.id,
    taskId: snapshot.taskId,
    slotBy: snapshot.slotBy,
    seenStatus: snapshot.status,
    opens: null,
    raises: null,
    events: [],
    trials: [],
    change: null,
    insights: [],
  };
}

/** Returns an event that does not change the status of the eval. */
export function eventIn<Type extends EvalEventType>(
  { status }: Pick<EvalSnapshot, "status">,
  type: Type,
  payload: EvalPayloadOf<Type>,
  { trialId = null, reason = null }: { trialId?: string | null; reason?: string | null } = {},
): NewEvalEvent {
  return { type, trialId, fromStatus: status, toStatus: status, reason, payload };
}
