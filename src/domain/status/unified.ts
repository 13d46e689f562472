/** What the outside world is told of a task. The order is also the sort rank. */
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

/** The labels that a bulk change to them is worth an analytics event. */
export const TERMINAL_UNIFIED = [
  "PASSED",
  "DELIVERED",
  "REJECTED",
  "DUPLICATE",
] as const satisfies readonly UnifiedStatus[];

/** Whether the label is one of the terminal ones. */
export function isTerminal(label: UnifiedStatus): boolean {
  return TERMINAL_UNIFIED.some((terminal) => terminal === label);
}

/** Place of a label in every sort by unified status, from 0. */
export function rankOf(label: UnifiedStatus): number {
  return UNIFIED_STATUSES.indexOf(label);
}
