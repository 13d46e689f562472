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

/** Has a dead dispatch delivered after all, where what was asked for is still wanted. */
export async function retryDeadDispatch(
  call: ActionCall,
  change: Change,
): Promise<Outcome<Done<DispatchRecord>>> {
  if (!isPermitted(call.actor.role, "dispatch")) return refuse(forbidden(requiredRole("dispatch")));
  const retried = await retryDispatch(call.database, change, call);
  call.database.outgoing.dispatches ||=
    retried.outcome === "written" && retried.rows.some(({ changed }) => changed !== null);
  return concludeChange(call, retried, whyNotRetried);
}

/** Calls a dispatch back before it is delivered. */
export async function recallUndelivered(
  call: ActionCall,
  change: Change,
): Promise<Outcome<Done<DispatchRecord>>> {
  if (!isPermitted(call.actor.role, "dispatch")) return refuse(forbidden(requiredRole("dispatch")));
  const recalled = await recallDispatch(call.database, change, call);
  return concludeChange(call, recalled, whyNotRecalled);
}

function concludeChange(
  { operation }: ActionCall,
  written: Written<ChangedDispatch>,
  whyNot: (found: ChangedDispatch) => Refusal,
): Promise<Outcome<Done<DispatchRecord>>> {
  return conclude(operation, written, {
    result: ({ changed }) => changed,
    render: asStored,
    unwritten: (found) => refuse(found === undefined ? notFound() : whyNot(found)),
  });
}

function whyNotRetried(found: ChangedDispatch): Refusal {
  if (found.state !== "dead") return noSuchMove(found.state, "pending");
  if (found.isArchived) return archived();
  if (found.rivalId !== null) {
    return {
      code: "conflict",
      detail: "This pipeline was asked for again meanwhile and has not run yet.",
      existing: { id: found.rivalId },
    };
  }
  return noWayOn(
    found.state,
    "pending",
    found.isUnwanted
      ? "What it was for is no longer wanted."
      : "Its run has begun or ended; ask for the pipeline anew.",
  );
}

function whyNotRecalled({ state, isLeased }: ChangedDispatch): Refusal {
  const isWaiting = state === "pending" || state === "sent";
  if (!isWaiting) return noSuchMove(state, "recalled");
  return noWayOn(
    state,
    "recalled",
    isLeased
      ? "It is being delivered at this moment."
      : "Its run has begun or ended: it was delivered.",
  );
}

function noSuchMove(from: DispatchState, to: DispatchState): Refusal {
  const allowed = DISPATCH_MOVES_BY_HAND[from];
  return invalidTransition({ subject: "a dispatch", from, to, allowed });
}

/** The table has the move; what has happened meanwhile stands in its way. */
function noWayOn(from: DispatchState, to: DispatchState, detail: string): Refusal {
  return { code: "invalid_transition", detail, from, to, allowed: [] };
}
