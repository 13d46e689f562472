/** How many deliveries or dispatches one call changes at most. */
export const BATCH_MAX = 1000;

/** How many ids of each reason an answer lists. */
export const EXAMPLES_MAX = 5;

/** Those that a change left as they are for one reason. */
export interface Unchanged<Reason extends string> {
  reason: Reason;
  count: number;
  /** The ids of the first of them. */
  examples: string[];
}

/** What a change of all that match a filter did, or would do. */
export interface Batch<Reason extends string> {
  /** How many match, from where the call begins. */
  matched: number;
  /** How many of them the call looked at: the oldest. */
  examined: number;
  changed: number;
  refused: Unchanged<Reason>[];
  /** Where the next call begins; null if this one looked at all that match. */
  nextAfter: string | null;
}
