import type { EvalStatus } from "../statuses.ts";
import {
  succeed,
  alreadyInStatus,
  invalidTransition,
  type Outcome,
  refuse,
} from "../../refusals.ts";
import type { NewEvalEvent } from "../decision.ts";
import { EVAL_TRANSITIONS } from "../transitions.ts";

interface EvalMove {
  status: EvalStatus;
  reason?: string | undefined;
}

/** Returns the event that moves an eval to another status, or a refusal if EVAL_TRANSITIONS does not allow it. */
export function transitionFrom(
  from: EvalStatus,
  { status, reason }: EvalMove,
): Outcome<NewEvalEvent> {
  if (status === from) return refuse(alreadyInStatus(`The eval is already ${status}.`));
  const allowed = EVAL_TRANSITIONS[from];
  if (!allowed.includes(status)) {
    return refuse(invalidTransition({ subject: "an eval", from, to: status, allowed }));
  }
  return succeed({
    type: "eval_transitioned",
    trialId: null,
    fromStatus: from,
    toStatus: status,
    reason: reason ?? null,
    payload: {},
  });
}
