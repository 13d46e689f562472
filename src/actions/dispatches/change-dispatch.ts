import {
  changeDispatch,
  changeDispatches,
  type ChangedDispatch,
  type DispatchBatch,
  type DispatchChange,
  type DispatchRefusal,
  findBatch,
  previewDispatches,
} from "../../db/dispatches/change-dispatch.ts";
import type { DispatchRecord } from "../../db/dispatches/read-dispatches.ts";
import type { Batch } from "../../domain/delivery/batch.ts";
import { DISPATCH_MOVES_BY_HAND, type DispatchState } from "../../domain/pipelines/states.ts";
import {
  archived,
  forbidden,
  invalidTransition,
  notFound,
  type Outcome,
  type Refusal,
  refuse,
  succeed,
} from "../../domain/refusals.ts";
import { isPermitted, requiredRole } from "../../domain/rights.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { asStored, conclude } from "../call/conclude.ts";

/** What a change leads to. */
const TARGETS: Readonly<Record<DispatchChange, DispatchState>> = {
  retry: "pending",
  recall: "recalled",
};

/** Why a dispatch is left as it is, as the answer says it. */
export const REFUSALS: Readonly<Record<DispatchRefusal, string>> = {
  not_dead: "It is not dead.",
  not_open: "It was delivered, recalled, or given up.",
  archived: "Its task is archived.",
  requested_again: "This pipeline has been requested again and has not run yet.",
  unwanted: "The task no longer needs it.",
  run_begun: "Its run has begun or ended.",
  being_delivered: "It is being delivered right now.",
};

/** Delivers a dead dispatch after all, if its task still needs it, or recalls a dispatch before it is delivered. */
export async function changeOneDispatch(
  call: ActionCall,
  change: DispatchChange,
  { dispatchId, reason }: { dispatchId: string; reason: string },
): Promise<Outcome<Done<DispatchRecord>>> {
  const { database, operation } = call;
  if (!isPermitted(call.actor.role, "dispatch")) return refuse(forbidden(requiredRole("dispatch")));
  const written = await changeDispatch(database, change, dispatchId, { ...call, reason });
  database.outgoing.dispatches ||=
    change === "retry" &&
    written.outcome === "written" &&
    written.rows.some(({ changed }) => changed !== null);
  return conclude(operation, written, {
    result: ({ changed }) => changed,
    render: asStored,
    unwritten: (found) => refuse(found === undefined ? notFound() : refusalOf(change, found)),
  });
}

/** A change of all dispatches that match a filter, and why. */
export interface BatchChange extends DispatchBatch {
  reason: string;
  /** Whether only to say what would happen. */
  dryRun: boolean;
}

/**
 * Retries or recalls the oldest dispatches that match a filter. Each is judged as if it were the only one. Two round
 * trips.
 */
export async function changeMatchingDispatches(
  call: ActionCall,
  change: DispatchChange,
  { reason, dryRun, ...batch }: BatchChange,
): Promise<Outcome<Done<Batch<DispatchRefusal>>>> {
  const { database, operation } = call;
  if (!isPermitted(call.actor.role, "dispatch")) return refuse(forbidden(requiredRole("dispatch")));
  const found = await findBatch(database, change, batch);
  if (dryRun) {
    const value = await previewDispatches(database, change, found);
    return succeed({ value, replayed: false });
  }
  const written = await changeDispatches(database, change, found, { ...call, reason });
  database.outgoing.dispatches ||=
    change === "retry" &&
    written.outcome === "written" &&
    written.rows.some(({ batch: done }) => done.changed > 0);
  return conclude(operation, written, { result: ({ batch: done }) => done, render: asStored });
}

function refusalOf(change: DispatchChange, { state, refusal, rivalId }: ChangedDispatch): Refusal {
  const to = TARGETS[change];
  switch (refusal) {
    case "not_dead":
    case "not_open": {
      const allowed = DISPATCH_MOVES_BY_HAND[state];
      return invalidTransition({ subject: "a dispatch", from: state, to, allowed });
    }
    case "archived":
      return archived();
    case "requested_again":
      if (rivalId === null) throw new Error("A pipeline was requested again by another dispatch");
      return { code: "conflict", detail: REFUSALS[refusal], existing: { id: rivalId } };
    case "run_begun":
      return blockedMove(
        state,
        to,
        change === "retry"
          ? "Its run has begun or ended. Request the pipeline again instead."
          : "Its run has begun or ended, so it was delivered.",
      );
    case "unwanted":
    case "being_delivered":
      return blockedMove(state, to, REFUSALS[refusal]);
    case null:
      throw new Error("A change that is allowed is written");
  }
}

/** The refusal of a change that the table allows, but later events do not. */
function blockedMove(from: DispatchState, to: DispatchState, detail: string): Refusal {
  return { code: "invalid_transition", detail, from, to, allowed: [] };
}
