import {
  type BulkOpening,
  type LedgerItem,
  RETRIED,
  REVERTED_ONCE,
} from "../../db/bulk/bulk-ledger.ts";
import type { OperationRecord } from "../../db/connection/client.ts";
import { DatabaseFault, DatabaseUnavailable, isAboutRows } from "../../db/connection/faults.ts";
import { type Move, recordBulkMoves, type RecordedBulkMoves } from "../../db/moves/record-moves.ts";
import { DATABASE_REFUSED } from "../../domain/bulk/outcomes.ts";
import { REGISTRY_VERSION } from "../../domain/registry-version.ts";
import type { ActionCall } from "../call/call.ts";
import { derivedOperation } from "../call/derived-operation.ts";

/** One task of a bulk operation: its item in the ledger, and its move unless its outcome is already decided. */
export interface BulkRow {
  item: LedgerItem;
  move: Move | null;
}

/** The bulk operation that rows belong to. */
export interface OwningOperation {
  id: string;
  reason: string;
  /** What the first batch inserts as the operation's row; null if an earlier call inserted it. */
  opening: BulkOpening | null;
}

export type RecordedBulk =
  /** `batch` is what the statement returned, if a single batch recorded everything. */
  | { outcome: "recorded"; batch: RecordedBulkMoves | null }
  /** An earlier call with the same key opened the operation. */
  | { outcome: "replayed"; operation: OperationRecord }
  | { outcome: "in_progress" };

/** The smallest Workers plan allows 50 subrequests for each request. */
const BATCHES_MAX = 40;

/**
 * Records the rows in one batch. If the database rejects the batch, its halves are tried, down to single rows: rejected
 * rows become `failed`, and the others are recorded. The first batch that commits stores the key, the operation, and
 * every row of later batches as `pending`.
 * @throws DatabaseUnavailable if rows remain after the last batch. A repeat of the call continues with them.
 */
export async function recordBulk(
  call: ActionCall,
  rows: readonly BulkRow[],
  owner: OwningOperation,
): Promise<RecordedBulk> {
  const remaining = [rows.filter(({ move }) => move !== null)];
  // A row without a move cannot be rejected, so it is added to the next batch.
  let decided = rows.filter(({ move }) => move === null);
  let isOpen = owner.opening === null;
  let single: RecordedBulkMoves | null = null;

  for (let attempt = 1; remaining.length > 0 || decided.length > 0; attempt += 1) {
    const isLast = attempt === BATCHES_MAX;
    // The last batch stores only decided rows, so that the call that continues does not have to try them again.
    const batch = (isLast && decided.length > 0 ? undefined : remaining.pop()) ?? [];
    const closing = [...decided, ...batch];
    try {
      const recorded = await recordBatch(call, closing, {
        ...owner,
        isOpen,
        elsewhere: remaining.flat(),
        requested: rows.length,
      });
      if (recorded.outcome === "in_progress") return recorded;
      if (recorded.outcome === "replayed" && !isOpen) return recorded;
      isOpen = true;
      decided = [];
      single = attempt === 1 && recorded.outcome === "written" ? (recorded.rows[0] ?? null) : null;
    } catch (error) {
      if (!isAboutRows(error) || batch.length === 0) throw error;
      if (error instanceof DatabaseFault && isAboutOperation(error)) throw error;
      const [row] = batch;
      if (batch.length === 1 && row !== undefined) {
        decided = [...decided, failedRow(row, error)];
      } else {
        const middle = Math.ceil(batch.length / 2);
        remaining.push(batch.slice(middle), batch.slice(0, middle));
      }
    }
    if (isLast && remaining.length > 0) throw new DatabaseUnavailable("Too many rows were refused");
  }
  return { outcome: "recorded", batch: single };
}

function recordBatch(
  call: ActionCall,
  closing: readonly BulkRow[],
  batch: OwningOperation & { isOpen: boolean; elsewhere: readonly BulkRow[]; requested: number },
) {
  const { id, reason, opening, isOpen, elsewhere, requested } = batch;
  const positions = closing.map(({ item }) => item.position).join();
  return recordBulkMoves(
    call.database,
    closing.flatMap(({ move }) => move ?? []),
    {
      actor: call.actor,
      requestId: call.requestId,
      registryVersion: REGISTRY_VERSION,
      operation: isOpen ? derivedOperation(call.operation, id, positions) : call.operation,
      answer: { bulkOperationId: id },
      isKeptIfEmpty: true,
      bulk: {
        id,
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

/** Whether a constraint rejects the operation itself, not one of its rows. */
function isAboutOperation({ constraint }: DatabaseFault): boolean {
  return constraint === REVERTED_ONCE || constraint === RETRIED;
}

/** Reports only the SQLSTATE: the database's own message may quote what is in the row. */
function failedRow({ item }: BulkRow, fault: DatabaseFault | DatabaseUnavailable): BulkRow {
  const { sqlState } = fault instanceof DatabaseFault ? fault : fault.outage;
  const error = `The database refused this task's change (SQLSTATE ${sqlState}).`;
  return { item: { ...item, outcome: "failed", code: DATABASE_REFUSED, error }, move: null };
}
