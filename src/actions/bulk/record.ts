import { type BulkOpening, type LedgerItem, REVERTED_ONCE } from "../../db/bulk/bulk-ledger.ts";
import type { OperationRecord } from "../../db/connection/client.ts";
import { DatabaseFault, DatabaseUnavailable } from "../../db/connection/faults.ts";
import { type Move, recordBulkMoves, type RecordedBulkMoves } from "../../db/moves/record-moves.ts";
import { DATABASE_REFUSED } from "../../domain/bulk/outcomes.ts";
import { REGISTRY_VERSION } from "../../domain/registry-version.ts";
import type { ActionCall } from "../call/call.ts";
import { derivedOperation } from "../call/derived-operation.ts";

/** A task of a bulk operation: what the ledger is told of it, and its move where it is to move. */
export interface BulkRow {
  item: LedgerItem;
  move: Move | null;
}

/** The operation that the rows belong to, and what opens it; null where an earlier batch did. */
export interface BulkRun {
  bulkId: string;
  reason: string;
  opening: BulkOpening | null;
}

export type RecordedBulk =
  /** `whole` is what was written, where one batch was enough. */
  | { outcome: "recorded"; whole: RecordedBulkMoves | null }
  /** An earlier call with the same key opened the operation. */
  | { outcome: "taken"; operation: OperationRecord }
  | { outcome: "in_progress" };

/** A Worker may send no more than fifty requests in answer to one on the smallest plan. */
const BATCHES_MAX = 40;

/**
 * Records a bulk operation in one batch. Where the database refuses it, halves are tried, down to the rows that it
 * will not take: those are `failed`, and their neighbours go on. The first batch that commits bears the key, the
 * operation, and every other row as `pending`.
 * @throws DatabaseUnavailable when so many rows are refused that some remain: a repeat of the call goes on.
 */
export async function recordBulk(
  call: ActionCall,
  rows: readonly BulkRow[],
  run: BulkRun,
): Promise<RecordedBulk> {
  const waiting = [rows.filter(({ move }) => move !== null)];
  // What moves nothing can be refused by nothing: it goes along with the next batch.
  let settled = rows.filter(({ move }) => move === null);
  let isOpen = run.opening === null;
  let whole: RecordedBulkMoves | null = null;

  for (let tries = 1; waiting.length > 0 || settled.length > 0; tries += 1) {
    const isLast = tries === BATCHES_MAX;
    // The last one keeps what is settled: the call that goes on need not find it out again.
    const batch = (isLast && settled.length > 0 ? undefined : waiting.pop()) ?? [];
    const closing = [...settled, ...batch];
    try {
      const recorded = await recordBatch(call, closing, {
        ...run,
        isOpen,
        elsewhere: waiting.flat(),
        requested: rows.length,
      });
      if (recorded.outcome === "in_progress") return recorded;
      if (recorded.outcome === "replayed" && !isOpen) {
        return { outcome: "taken", operation: recorded.operation };
      }
      isOpen = true;
      settled = [];
      whole = tries === 1 && recorded.outcome === "written" ? (recorded.rows[0] ?? null) : null;
    } catch (error) {
      if (!(error instanceof DatabaseFault) || batch.length === 0) throw error;
      // No row's own matter: the operation itself may not be.
      if (error.constraint === REVERTED_ONCE) throw error;
      const [row] = batch;
      if (batch.length === 1 && row !== undefined) {
        settled = [...settled, refusedRow(row, error)];
      } else {
        const middle = Math.ceil(batch.length / 2);
        waiting.push(batch.slice(middle), batch.slice(0, middle));
      }
    }
    if (isLast && waiting.length > 0) throw new DatabaseUnavailable("Too many rows were refused");
  }
  return { outcome: "recorded", whole };
}

function recordBatch(
  call: ActionCall,
  closing: readonly BulkRow[],
  batch: BulkRun & { isOpen: boolean; elsewhere: readonly BulkRow[]; requested: number },
) {
  const { bulkId, reason, opening, isOpen, elsewhere, requested } = batch;
  const about = closing.map(({ item }) => item.position).join();
  return recordBulkMoves(
    call.database,
    closing.flatMap(({ move }) => move ?? []),
    {
      actor: call.actor,
      requestId: call.requestId,
      registryVersion: REGISTRY_VERSION,
      operation: isOpen ? derivedOperation(call.operation, bulkId, about) : call.operation,
      answer: { bulkOperationId: bulkId },
      isKeptIfEmpty: true,
      bulk: {
        id: bulkId,
        reason,
        opening:
          isOpen || opening === null
            ? null
            : { ...opening, requested, elsewhere: elsewhere.map(({ item }) => item) },
        items: closing.map(({ item }) => item),
      },
    },
  );
}

/** Why is told by SQLSTATE alone: the database's own words may hold what is in the row. */
function refusedRow({ item }: BulkRow, { sqlState }: DatabaseFault): BulkRow {
  const error = `The database refused this task's change (SQLSTATE ${sqlState}).`;
  return { item: { ...item, outcome: "failed", code: DATABASE_REFUSED, error }, move: null };
}
