import type { StepStatus } from "../lifecycle/statuses.ts";
import type { Pipeline } from "../pipelines/pipelines.ts";
import type { UnifiedStatus } from "../status/unified.ts";

export const BULK_TARGETS = [
  "SUBMITTED",
  "IN_REVIEW",
  "CHANGES_REQUESTED",
  "PASSED",
  "REJECTED",
  "DUPLICATE",
] as const satisfies readonly UnifiedStatus[];
export type BulkTarget = (typeof BULK_TARGETS)[number];

/** The targets that a bulk change allows for tasks of each label. */
export const BULK_ALLOWED_TARGETS: Record<UnifiedStatus, readonly BulkTarget[]> = {
  DRAFT: [],
  CHECKING_QUALITY: [],
  QUALITY_CHECK_FAILED: ["REJECTED", "DUPLICATE"],
  READY_TO_SUBMIT: [],
  SUBMITTED: ["REJECTED", "DUPLICATE"],
  GENERATING_OUTPUT: [],
  OUTPUT_FAILED: ["SUBMITTED", "REJECTED", "DUPLICATE"],
  IN_REVIEW: ["CHANGES_REQUESTED", "PASSED", "REJECTED", "DUPLICATE"],
  CHANGES_REQUESTED: ["IN_REVIEW", "PASSED", "REJECTED", "DUPLICATE"],
  PASSED: ["REJECTED", "DUPLICATE"],
  DELIVERED: [],
  REJECTED: ["DUPLICATE"],
  DUPLICATE: ["REJECTED"],
};

/** The status that each target sets on the current step. */
export const BULK_STEP_STATUS: Record<BulkTarget, StepStatus> = {
  SUBMITTED: "queued",
  IN_REVIEW: "in_review",
  CHANGES_REQUESTED: "changes_requested",
  PASSED: "approved",
  REJECTED: "rejected",
  DUPLICATE: "duplicate",
};

/** The pipelines that are attached to a bulk change to each target. */
export const PIPELINES_ON_TARGET: Record<BulkTarget, readonly Pipeline[]> = {
  SUBMITTED: ["output_generation"],
  IN_REVIEW: [],
  CHANGES_REQUESTED: [],
  PASSED: ["payment"],
  REJECTED: [],
  DUPLICATE: [],
};
