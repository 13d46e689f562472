import {
  type ChangedDispatch,
  recallDispatch,
  retryDispatch,
} from "../../db/dispatches/change-dispatch.ts";
import type { Written } from "../../db/connection/client.ts";
import type { DispatchRecord } from "../../db/dispatches/read-dispatches.ts";
import { DISPATCH_MOVES_BY_HAND, type DispatchState } from "../../domain/pipelines/states.ts";
import {
  archived,
  forbidden,
  invalidTransition,
  notFound,
  type Outcome,
  type Refusal,
  refuse,
} from "../../domain/refusals.ts";
import { isPermitted, requiredRole } from "../../domain/rights.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { asStored, conclude } from "../call/conclude.ts";

interface Change {
  dispatchId: string;
  reason: string;
}

/** Delivers a dead dispatch after all, if its task still needs it. */
export async function retryDeadDispatch(
  call: ActionCall,
  change: Change,
): Promise<Outcome<Done<DispatchRecord>>> {
  if (!isPermitted(call.actor.role, "dispatch")) return refuse(forbidden(requiredRole("dispatch")));
  const retried = await retryDispatch(call.database, change, call);
  call.database.outgoing.dispatches ||=
    retried.outcome === "written" && retried.rows.some(({ changed }) => changed !== null);
  return concludeChange(call, retried, retryRefusal);
}

/** Recalls a dispatch before it is delivered. */
export async function recallUndelivered(
  call: ActionCall,
  change: Change,
): Promise<Outcome<Done<DispatchRecord>>> {
  if (!isPermitted(call.actor.role, "dispatch")) return refuse(forbidden(requiredRole("dispatch")));
  const recalled = await recallDispatch(call.database, change, call);
  return concludeChange(call, recalled, recallRefusal);
}

function concludeChange(
  { operation }: ActionCall,
  written: Written<ChangedDispatch>,
  refusalOf: (found: ChangedDispatch) => Refusal,
): Promise<Outcome<Done<DispatchRecord>>> {
  return conclude(operation, written, {
    result: ({ changed }) => changed,
    render: asStored,
    unwritten: (found) => refuse(found === undefined ? notFound() : refusalOf(found)),
  });
}

function retryRefusal(found: ChangedDispatch): Refusal {
  if (found.state !== "dead") return unlawfulMove(found.state, "pending");
  if (found.isArchived) return archived();
  if (found.rivalId !== null) {
    return {
      code: "conflict",
      detail: "This pipeline has been requested again and has not run yet.",
      existing: { id: found.rivalId },
    };
  }
  return blockedMove(
    found.state,
    "pending",
    found.isUnwanted
      ? "The task no longer needs it."
      : "Its run has begun or ended. Request the pipeline again instead.",
  );
}

function recallRefusal({ state, isLeased }: ChangedDispatch): Refusal {
  const isUndelivered = state === "pending" || state === "sent";
  if (!isUndelivered) return unlawfulMove(state, "recalled");
  return blockedMove(
    state,
    "recalled",
    isLeased
      ? "It is being delivered right now."
      : "Its run has begun or ended, so it was delivered.",
  );
}

function unlawfulMove(from: DispatchState, to: DispatchState): Refusal {
  const allowed = DISPATCH_MOVES_BY_HAND[from];
  return invalidTransition({ subject: "a dispatch", from, to, allowed });
}

/** The refusal of a change that the table allows, but later events do not. */
function blockedMove(from: DispatchState, to: DispatchState, detail: string): Refusal {
  return { code: "invalid_transition", detail, from, to, allowed: [] };
}
