/** The states of a bulk operation. */
export const OPERATION_STATES = [
  "queued",
  "running",
  "completed",
  "partial",
  "failed",
  "cancelled",
] as const;
export type OperationState = (typeof OPERATION_STATES)[number];

/** The state machine of bulk operations. */
export const OPERATION_TRANSITIONS: Record<OperationState, readonly OperationState[]> = {
  queued: ["running", "cancelled"],
  running: ["completed", "partial", "failed", "cancelled"],
  completed: [],
  partial: [],
  failed: [],
  cancelled: [],
};
