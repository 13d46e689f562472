import type { StepStatus } from "../lifecycle/statuses.ts";

/**
 * The statuses of an expert review that waits for a reviewer. In all others it waits for someone else, or has ended. A
 * held step does not wait either: its gate is blocked, whatever its status.
 */
export const WAITING_STATUSES = [
  "queued",
  "awaiting_review",
  "in_review",
] as const satisfies readonly StepStatus[];
