import type { StoredAcceptance } from "../../db/bulk/accept-bulk.ts";
import type { BulkOpening } from "../../db/bulk/bulk-ledger.ts";
import { findBulkLedger, type BulkItemRecord } from "../../db/bulk/bulk-operations.ts";
import type { OperationRecord, TenantDatabase } from "../../db/connection/client.ts";
import { bulkEndState, countOutcomes, isOperationEnded } from "../../domain/bulk/outcomes.ts";
import { succeed, type Outcome, refuse } from "../../domain/refusals.ts";
import { STALE } from "./rows.ts";
import type { ActionCall, Done } from "../call/call.ts";
import type { BulkRow, RecordedBulk } from "./record.ts";
import { inProgress, replayOf } from "../call/replay.ts";
import { type BulkAccepted, type BulkExecution, executionView } from "../views/bulk-views.ts";
import { workOnBulk } from "./work-on-bulk.ts";

/** An operation of a request has no more than one chunk; another one finds that nothing is left. */
const CHUNKS_OF_A_REQUEST_MAX = 2;

/** What is answered to a call whose tasks a consumer will work through: the same at every repeat. */
export function acceptedAnswer(operationId: string): BulkAccepted {
  return { operationId, state: "queued" };
}

/**
 * Answers a call that was made before. Items of a request that have no outcome yet are tried now, each only if its
 * task still stands where it was planned: then the plan of then is the plan of now.
 */
export async function replayBulk(
  call: ActionCall,
  stored: OperationRecord,
): Promise<Outcome<Done<BulkExecution | BulkAccepted>>> {
  const known = replayOf<StoredAcceptance | { bulkOperationId: string; isAccepted?: never }>(
    call.operation,
    stored,
  );
  if (!known.ok) return known;
  const { bulkOperationId: bulkId, isAccepted = false } = known.value;
  const replayed = stored.id !== call.operation.id;
  if (isAccepted) return succeed({ value: acceptedAnswer(bulkId), replayed });
  const { database } = call;
  const ledger = await bulkLedger(database, bulkId);
  if (isOperationEnded(ledger.operation.state)) {
    return succeed({ value: executionView(ledger.operation, ledger.items), replayed });
  }
  const progress = await workOnBulk(database, bulkId, { chunksMax: CHUNKS_OF_A_REQUEST_MAX });
  if (progress !== "ended") return refuse(inProgress());
  return succeed({ value: await answerFromLedger(database, bulkId), replayed: false });
}

/** The answer to a call whose rows were written: where at once, what the ledger now says, without asking it. */
export async function answerRows(
  { database, operation: { id } }: ActionCall,
  rows: readonly BulkRow[],
  { recorded, opening }: { recorded: RecordedBulk & { outcome: "recorded" }; opening: BulkOpening },
): Promise<BulkExecution> {
  const { whole } = recorded;
  if (whole === null) return answerFromLedger(database, id);
  const seqs = new Map(whole.events.map(({ taskId, seq }) => [taskId, seq]));
  const silent = new Set(whole.silent);
  const items = rows.map(({ item }): BulkItemRecord => {
    const eventSeq = seqs.get(item.taskId) ?? null;
    const isChanged = eventSeq !== null || silent.has(item.taskId);
    const outcome = item.outcome ?? (isChanged ? "changed" : "stale");
    const code = item.code ?? (outcome === "stale" ? STALE : null);
    return { ...item, outcome, code, eventSeq };
  });
  const { recalled, alreadyDelivered, dispatched } = whole;
  const { targetStatus, action } = opening;
  const state = bulkEndState(countOutcomes(items));
  const operation = { id, targetStatus, action, state, recalled, alreadyDelivered };
  return executionView({ ...operation, dispatched: dispatched.length }, items);
}

async function answerFromLedger(database: TenantDatabase, bulkId: string): Promise<BulkExecution> {
  const { operation, items } = await bulkLedger(database, bulkId);
  return executionView(operation, items);
}

async function bulkLedger(database: TenantDatabase, bulkId: string) {
  const ledger = await findBulkLedger(database, bulkId);
  if (ledger === undefined) throw new Error("A bulk operation has its row in the ledger");
  return ledger;
}
