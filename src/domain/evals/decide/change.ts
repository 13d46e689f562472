import { alreadyInStatus, type Outcome, refuse, succeed } from "../../refusals.ts";
import type { EvalDecision } from "../decision.ts";
import { evalCancelled, kOnlyRises } from "../refusals.ts";
import type { EvalSnapshot } from "../snapshot.ts";
import type { EvalStatus } from "../statuses.ts";
import { eventIn, unchanged } from "./events.ts";
import { transitionFrom } from "./transition.ts";

/** A change of an eval: its status, the number of trials per slot, or both. */
export interface EvalChange {
  status?: EvalStatus | undefined;
  k?: number | undefined;
  reason?: string | undefined;
}

/** Raises k, and moves the eval along EVAL_TRANSITIONS. k never falls, and not in a cancelled eval. */
export function decideEvalChange(
  snapshot: EvalSnapshot,
  { status, k, reason }: EvalChange,
): Outcome<EvalDecision> {
  if (k !== undefined && k < snapshot.k) return refuse(kOnlyRises(snapshot));
  const isRaised = k !== undefined && k > snapshot.k;
  if (isRaised && snapshot.status === "cancelled") return refuse(evalCancelled(snapshot));
  if (!isRaised && status === undefined) {
    return refuse(alreadyInStatus(`The eval already has k = ${snapshot.k}.`));
  }
  const raised = isRaised ? raising(snapshot, k, reason) : null;
  // A status that the eval has is no obstacle to raising k.
  const isMoved = status !== undefined && !(isRaised && status === snapshot.status);
  const moved = isMoved ? transitionFrom(snapshot.status, { status, reason }) : null;
  if (moved !== null && !moved.ok) return moved;
  const events = [...(raised?.events ?? []), ...(moved === null ? [] : [moved.value])];
  return succeed({ ...unchanged(snapshot), ...raised, events });
}

/** Returns the event that raises k, and what the writer needs to check it. */
export function raising(
  snapshot: EvalSnapshot,
  k: number,
  reason?: string,
): Pick<EvalDecision, "events" | "raises"> {
  const changes = { k: { from: snapshot.k, to: k } };
  return {
    events: [eventIn(snapshot, "eval_updated", { changes }, { reason: reason ?? null })],
    raises: { seenK: snapshot.k, k },
  };
}
