/** The labels of a task. Their order is the sort rank. */
export const UNIFIED_STATUSES = [
  "DRAFT",
  "CHECKING_QUALITY",
  "QUALITY_CHECK_FAILED",
  "READY_TO_SUBMIT",
  "SUBMITTED",
  "GENERATING_OUTPUT",
  "OUTPUT_FAILED",
  "IN_REVIEW",
  "CHANGES_REQUESTED",
  "PASSED",
  "DELIVERED",
  "REJECTED",
  "DUPLICATE",
] as const;
export type UnifiedStatus = (typeof UNIFIED_STATUSES)[number];

/** A bulk change to one of these labels records an analytics event. */
export const TERMINAL_UNIFIED = [
  "PASSED",
  "DELIVERED",
  "REJECTED",
  "DUPLICATE",
] as const satisfies readonly UnifiedStatus[];

/** Returns true if the label is one of TERMINAL_UNIFIED. */
export function isTerminal(label: UnifiedStatus): boolean {
  return TERMINAL_UNIFIED.some((terminal) => terminal === label);
}

/** Returns the rank of a label in sorts by unified status, from 0. */
export function rankOf(label: UnifiedStatus): number {
  return UNIFIED_STATUSES.indexOf(label);
}
