import { findBulkOperation } from "../../db/bulk/bulk-operations.ts";
import { requestCancel } from "../../db/bulk/end-bulk.ts";
import { isOperationEnded } from "../../domain/bulk/outcomes.ts";
import {
  alreadyInStatus,
  invalidTransition,
  notFound,
  type Outcome,
  refuse,
} from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { decideAgain, LOST_RACE } from "../call/decide-again.ts";
import { conclude } from "../call/conclude.ts";
import { replay } from "../call/replay.ts";
import { type BulkOperationView, bulkOperationView } from "../views/bulk-views.ts";

/**
 * Cancels an operation. A queued one ends immediately; a running one ends after its present chunk. Tasks that were
 * changed stay changed, and can be reverted. A running operation is also put on the queue: if its consumer has died,
 * another one has to find the request.
 */
export function cancelBulk(
  call: ActionCall,
  operationId: string,
): Promise<Outcome<Done<BulkOperationView>>> {
  return decideAgain("operation", () => tryCancel(call, operationId));
}

async function tryCancel(
  call: ActionCall,
  operationId: string,
): Promise<Outcome<Done<BulkOperationView>> | typeof LOST_RACE> {
  const { database, operation } = call;
  const { found, stored } = await findBulkOperation(database, operationId, operation);
  if (stored) {
    if (found?.state === "running") database.outgoing.operations.push(operationId);
    return replay(operation, stored, bulkOperationView);
  }
  if (found === undefined) return refuse(notFound());
  const { state } = found;
  if (state === "cancelled") return refuse(alreadyInStatus("The operation is already cancelled."));
  if (isOperationEnded(state)) {
    const subject = "a bulk operation";
    return refuse(invalidTransition({ subject, from: state, to: "cancelled", allowed: [] }));
  }
  const requested = await requestCancel(database, operationId, operation);
  return conclude(operation, requested, {
    result: ({ cancelled }) => cancelled,
    render: bulkOperationView,
    unwritten: () => LOST_RACE,
  });
}
