import { OPERATION_TRANSITIONS, type OperationState } from "./states.ts";

/** What becomes of each task of a bulk operation; one that is `pending` has not been tried. */
export const BULK_OUTCOMES = ["pending", "changed", "refused", "stale", "failed"] as const;
export type BulkOutcome = (typeof BULK_OUTCOMES)[number];

/** What a row is told whose change the database would not take. */
export const DATABASE_REFUSED = "database_refused";

/** How many of a bulk operation's tasks ended how. */
export type BulkCounts = { requested: number } & Record<Exclude<BulkOutcome, "pending">, number>;

/** How an operation can end. A cancelled one has tasks without an outcome. */
export const BULK_END_STATES = [
  "completed",
  "partial",
  "failed",
  "cancelled",
] as const satisfies readonly OperationState[];
export type BulkEndState = (typeof BULK_END_STATES)[number];

/** Whether no further state follows. */
export function isOperationEnded(state: OperationState): state is BulkEndState {
  return OPERATION_TRANSITIONS[state].length === 0;
}

/**
 * How an operation ended whose every task has its outcome. A refused task is as it was foretold, and counts
 * neither way. The ledger says the same in SQL (db/bulk/bulk-ledger.ts).
 */
export function bulkEndState({ changed, stale, failed }: BulkCounts): BulkEndState {
  if (stale + failed === 0) return "completed";
  return changed === 0 ? "failed" : "partial";
}

/** Counts outcomes. */
export function countOutcomes(items: readonly { outcome: BulkOutcome }[]): BulkCounts {
  const counts: BulkCounts = {
    requested: items.length,
    changed: 0,
    refused: 0,
    stale: 0,
    failed: 0,
  };
  for (const { outcome } of items) {
    if (outcome !== "pending") counts[outcome] += 1;
  }
  return counts;
}
