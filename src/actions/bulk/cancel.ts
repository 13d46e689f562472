import { findBulkOperation, type BulkOperationRecord } from "../../db/bulk/bulk-operations.ts";
import { requestCancel } from "../../db/bulk/end-bulk.ts";
import { isOperationEnded } from "../../domain/bulk/outcomes.ts";
import {
  succeed,
  alreadyInStatus,
  invalidTransition,
  notFound,
  type Outcome,
  refuse,
} from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { decideAgain, LOST_RACE } from "../call/decide-again.ts";
import { replay, settle } from "../call/replay.ts";
import { type BulkOperationView, bulkOperationView } from "../views/bulk-views.ts";

/**
 * Ends an operation that nobody has begun with; of one that runs, whoever works on it ends it after its chunk. What is
 * done stays done, and can be taken back.
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
  if (stored) return replay(operation, stored, bulkOperationView);
  if (found === undefined) return refuse(notFound());
  const { state } = found;
  if (state === "cancelled") return refuse(alreadyInStatus("The operation is cancelled already."));
  if (isOperationEnded(state)) {
    const subject = "a bulk operation";
    return refuse(invalidTransition({ subject, from: state, to: "cancelled", allowed: [] }));
  }
  const requested = await requestCancel(database, operationId, operation);
  const settled = await settle<
    { cancelled: BulkOperationRecord | null },
    BulkOperationRecord,
    BulkOperationView
  >(operation, requested, bulkOperationView);
  if ("answer" in settled) return settled.answer;
  const cancelled = settled.rows[0]?.cancelled ?? null;
  return cancelled === null
    ? LOST_RACE
    : succeed({ value: bulkOperationView(cancelled), replayed: false });
}
