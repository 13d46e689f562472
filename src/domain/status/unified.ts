/** The labels that people see, in their sort order. */
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
