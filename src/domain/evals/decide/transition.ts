import type { EvalStatus } from "../../lifecycle/statuses.ts";
import {
  accept,
  alreadyInStatus,
  invalidTransition,
  type Outcome,
  refuse,
} from "../../refusals.ts";
import type { EvalDecision } from "../decision.ts";
import type { EvalSnapshot } from "../snapshot.ts";
import { EVAL_TRANSITIONS } from "../transitions.ts";
import { unchanged } from "./events.ts";

/** Moves an eval along EVAL_TRANSITIONS. */
export function decideEvalTransition(
  snapshot: EvalSnapshot,
  { status, reason }: { status: EvalStatus; reason?: string | undefined },
): Outcome<EvalDecision> {
  const { status: from } = snapshot;
  if (status === from) return refuse(alreadyInStatus(`The eval is ${status} already.`));
  const allowed = EVAL_TRANSITIONS[from];
  if (!allowed.includes(status)) {
    return refuse(invalidTransition({ subject: "an eval", from, to: status, allowed }));
  }
  const event = {
    type: "eval_transitioned" as const,
    trialId: null,
    fromStatus: from,
    toStatus: status,
    reason: reason ?? null,
    payload: {},
  };
  return accept({ ...unchanged(snapshot), events: [event] });
}
