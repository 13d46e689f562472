import { OPERATION_TRANSITIONS, type OperationState } from "./states.ts";

/** The outcomes of a task in a bulk operation. A `pending` task has not been attempted. */
export const BULK_OUTCOMES = ["pending", "changed", "refused", "stale", "failed"] as const;
export type BulkOutcome = (typeof BULK_OUTCOMES)[number];

/** The code of a task whose change the database rejected. */
export const DATABASE_REFUSED = "database_refused";

/** The number of tasks per outcome. */
export type BulkCounts = { requested: number } & Record<Exclude<BulkOutcome, "pending">, number>;

/** The final states of an operation. A cancelled operation has pending tasks. */
export const BULK_END_STATES = [
  "completed",
  "partial",
  "failed",
  "refused",
  "cancelled",
] as const satisfies readonly OperationState[];
export type BulkEndState = (typeof BULK_END_STATES)[number];

/** Returns true if the state is final. */
export function isOperationEnded(state: OperationState): state is BulkEndState {
  return OPERATION_TRANSITIONS[state].length === 0;
}

/**
 * Returns the final state of an operation without pending tasks. Refused tasks do not count, because the preview already
 * announced them, unless every task was refused. db/bulk/bulk-ledger.ts has the same rule in SQL.
 */
export function bulkEndState({ changed, refused, stale, failed }: BulkCounts): BulkEndState {
  if (stale + failed === 0) return changed === 0 && refused > 0 ? "refused" : "completed";
  return changed === 0 ? "failed" : "partial";
}

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
