/** The states of a bulk operation. */
export const OPERATION_STATES = [
  "queued",
  "running",
  "completed",
  "partial",
  "failed",
  "refused",
  "cancelled",
] as const;
export type OperationState = (typeof OPERATION_STATES)[number];

/** The state machine of bulk operations. */
export const OPERATION_TRANSITIONS: Record<OperationState, readonly OperationState[]> = {
  queued: ["running", "cancelled"],
  running: ["completed", "partial", "failed", "refused", "cancelled"],
  completed: [],
  partial: [],
  failed: [],
  refused: [],
  cancelled: [],
};

/** Returns true if the operation's state can no longer change. */
export const hasEnded = (state: OperationState): boolean =>
  OPERATION_TRANSITIONS[state].length === 0;
