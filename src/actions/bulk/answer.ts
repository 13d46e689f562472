import type { StoredAcceptance } from "../../db/bulk/accept-bulk.ts";
import type { BulkOpening } from "../../db/bulk/bulk-ledger.ts";
import { findBulkLedger, type BulkItemRecord } from "../../db/bulk/bulk-operations.ts";
import type { OperationRecord, TenantDatabase } from "../../db/connection/client.ts";
import type { RecordedBulkMoves } from "../../db/moves/record-moves.ts";
import { encodeIntent } from "../../domain/bulk/intent.ts";
import { bulkEndState, countOutcomes, isOperationEnded } from "../../domain/bulk/outcomes.ts";
import { succeed, type Outcome, refuse } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { inProgress, replayOf } from "../call/replay.ts";
import { type BulkAccepted, type BulkExecution, executionView } from "../views/bulk-views.ts";
import { type BulkRow, recordBulk } from "./record.ts";
import { STALE } from "./rows.ts";
import { workOnBulk } from "./work-on-bulk.ts";

type Answered = Outcome<Done<BulkExecution | BulkAccepted>>;

/** The items of a request fit in one chunk; the second one finds that nothing is left. */
const CHUNKS_OF_A_REQUEST_MAX = 2;

/** The answer to a call whose tasks a consumer works through; every replay gets the same one. */
export function acceptedAnswer(operationId: string): BulkAccepted {
  return { operationId, state: "queued" };
}

/** Opens an operation with these rows, and answers with the outcome of each. */
export async function recordAndAnswer(
  call: ActionCall,
  rows: readonly BulkRow[],
  opening: BulkOpening,
): Promise<Answered> {
  const { id } = call.operation;
  const recorded = await recordBulk(call, rows, { id, reason: opening.reason, opening });
  if (recorded.outcome === "in_progress") return refuse(inProgress());
  if (recorded.outcome === "replayed") return replayBulk(call, recorded.operation);
  const value =
    recorded.batch === null
      ? await answerFromLedger(call.database, id)
      : answerFromBatch(id, { rows, opening, batch: recorded.batch });
  return succeed({ value, replayed: false });
}

/** What one batch did to every row: the same answer as the ledger's, without a round trip to read it. */
function answerFromBatch(
  id: string,
  recorded: { rows: readonly BulkRow[]; opening: BulkOpening; batch: RecordedBulkMoves },
): BulkExecution {
  const { events, silent, recalled, alreadyDelivered, dispatched } = recorded.batch;
  const seqs = new Map(events.map(({ taskId, seq }) => [taskId, seq]));
  const changedSilently = new Set(silent);
  const items = recorded.rows.map(({ item }): BulkItemRecord => {
    const eventSeq = seqs.get(item.taskId) ?? null;
    const isChanged = eventSeq !== null || changedSilently.has(item.taskId);
    const outcome = item.outcome ?? (isChanged ? "changed" : "stale");
    const code = item.code ?? (outcome === "stale" ? STALE : null);
    return { ...item, outcome, code, eventSeq };
  });
  const { targetStatus, action } = encodeIntent(recorded.opening.intent);
  const state = bulkEndState(countOutcomes(items));
  const operation = { id, targetStatus, action, state, recalled, alreadyDelivered };
  return executionView({ ...operation, dispatched: dispatched.length }, items);
}

/**
 * Answers a repeated call from the ledger. If the first call left items of its request pending, this one tries them
 * now. Each still has to be at the seq that was planned, so planning it again gives the plan that the caller got. An
 * accepted operation is put on the queue again, in case its message was lost.
 */
export async function replayBulk(call: ActionCall, stored: OperationRecord): Promise<Answered> {
  const known = replayOf<StoredAcceptance | { bulkOperationId: string; isAccepted?: never }>(
    call.operation,
    stored,
  );
  if (!known.ok) return known;
  const { bulkOperationId: bulkId, isAccepted = false } = known.value;
  const replayed = stored.id !== call.operation.id;
  const { database } = call;
  if (isAccepted) {
    // Without reading its state: a message for an operation that has ended costs its consumer one read.
    database.outgoing.operations.push(bulkId);
    return succeed({ value: acceptedAnswer(bulkId), replayed });
  }
  const ledger = await bulkLedger(database, bulkId);
  if (isOperationEnded(ledger.operation.state)) {
    return succeed({ value: executionView(ledger.operation, ledger.items), replayed });
  }
  const progress = await workOnBulk(database, bulkId, { chunksMax: CHUNKS_OF_A_REQUEST_MAX });
  if (progress !== "ended") return refuse(inProgress());
  return succeed({ value: await answerFromLedger(database, bulkId), replayed: false });
}

async function answerFromLedger(database: TenantDatabase, bulkId: string): Promise<BulkExecution> {
  const { operation, items } = await bulkLedger(database, bulkId);
  return executionView(operation, items);
}

async function bulkLedger(database: TenantDatabase, bulkId: string) {
  const ledger = await findBulkLedger(database, bulkId);
  if (ledger === undefined) throw new Error("A stored result names a bulk operation without a row");
  return ledger;
}
