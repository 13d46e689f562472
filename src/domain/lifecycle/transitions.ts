import type { StepKind, StepStatus } from "./statuses.ts";
import { STEP_KINDS, STEP_STATUSES } from "./statuses.ts";

/** Where a step of each kind may go from each status. Total: an empty row is a status without a way out. */
export const STEP_TRANSITIONS: Record<StepKind, Record<StepStatus, readonly StepStatus[]>> = {
  ingestion: {
    pending: ["queued"],
    queued: ["running", "failed"],
    running: ["awaiting_review", "failed"],
    paused: [],
    awaiting_input: [],
    awaiting_review: ["approved", "rejected"],
    in_review: [],
    changes_requested: [],
    approved: [],
    rejected: ["duplicate"],
    duplicate: ["rejected"],
    failed: ["queued", "cancelled"],
    cancelled: ["queued"],
  },
  authoring: {
    pending: ["queued"],
    queued: ["running", "cancelled"],
    running: ["awaiting_input", "paused", "awaiting_review", "approved", "cancelled"],
    paused: ["running", "cancelled"],
    awaiting_input: ["running", "cancelled"],
    awaiting_review: ["in_review", "approved", "changes_requested"],
    in_review: ["approved", "changes_requested"],
    changes_requested: ["running", "cancelled"],
    approved: ["changes_requested"],
    rejected: [],
    duplicate: [],
    failed: [],
    cancelled: ["queued"],
  },
  pre_qa: {
    pending: ["queued", "rejected", "duplicate"],
    queued: ["running", "failed", "cancelled", "rejected", "duplicate"],
    running: [
      "awaiting_review",
      "approved",
      "changes_requested",
      "failed",
      "cancelled",
      "rejected",
      "duplicate",
    ],
    paused: [],
    awaiting_input: [],
    awaiting_review: ["in_review", "approved", "changes_requested", "rejected", "duplicate"],
    in_review: ["approved", "changes_requested", "rejected", "duplicate"],
    changes_requested: ["queued", "cancelled", "rejected", "duplicate"],
    approved: ["queued", "changes_requested", "rejected", "duplicate"],
    rejected: ["duplicate"],
    duplicate: ["rejected"],
    failed: ["queued", "cancelled", "rejected", "duplicate"],
    cancelled: ["queued", "rejected", "duplicate"],
  },
  output_generation: {
    pending: ["queued", "rejected", "duplicate"],
    queued: ["running", "paused", "failed", "cancelled", "rejected", "duplicate"],
    running: ["paused", "approved", "failed", "cancelled"],
    paused: ["queued", "cancelled", "rejected", "duplicate"],
    awaiting_input: [],
    awaiting_review: [],
    in_review: [],
    changes_requested: [],
    approved: ["queued", "rejected", "duplicate"],
    rejected: ["duplicate"],
    duplicate: ["rejected"],
    failed: ["queued", "cancelled", "rejected", "duplicate"],
    cancelled: ["queued", "rejected", "duplicate"],
  },
  expert_review: {
    pending: ["queued", "rejected", "duplicate"],
    queued: [
      "awaiting_review",
      "in_review",
      "approved",
      "changes_requested",
      "rejected",
      "duplicate",
    ],
    running: [],
    paused: ["in_review", "approved", "changes_requested", "rejected", "duplicate"],
    awaiting_input: ["in_review", "approved", "changes_requested", "rejected", "duplicate"],
    awaiting_review: ["in_review", "approved", "changes_requested", "rejected", "duplicate"],
    in_review: [
      "paused",
      "awaiting_input",
      "approved",
      "changes_requested",
      "rejected",
      "duplicate",
    ],
    changes_requested: ["in_review", "awaiting_review", "approved", "rejected", "duplicate"],
    approved: ["changes_requested", "rejected", "duplicate"],
    rejected: ["duplicate"],
    duplicate: ["rejected"],
    failed: [],
    cancelled: [],
  },
  calibration: {
    pending: ["queued", "rejected", "duplicate"],
    queued: ["running", "failed", "rejected", "duplicate"],
    running: ["awaiting_review", "approved", "failed", "rejected", "duplicate"],
    paused: [],
    awaiting_input: [],
    awaiting_review: ["approved", "failed", "rejected", "duplicate"],
    in_review: [],
    changes_requested: [],
    approved: ["queued", "rejected", "duplicate"],
    rejected: ["duplicate"],
    duplicate: ["rejected"],
    failed: ["queued", "rejected", "duplicate"],
    cancelled: [],
  },
  delivery: {
    pending: ["queued", "rejected", "duplicate"],
    queued: ["running", "failed", "rejected", "duplicate"],
    running: ["approved", "failed", "rejected", "duplicate"],
    paused: [],
    awaiting_input: [],
    awaiting_review: [],
    in_review: [],
    changes_requested: [],
    approved: [],
    rejected: ["duplicate"],
    duplicate: ["rejected"],
    failed: ["queued", "rejected", "duplicate"],
    cancelled: [],
  },
};

/** The statuses to which a step of this kind may go from here, as the table lists them. */
export function allowedNext(kind: StepKind, status: StepStatus): readonly StepStatus[] {
  return STEP_TRANSITIONS[kind][status];
}

/** Whether the table knows the status in this kind at all, as a source or as a target. */
export function kindHasStatus(kind: StepKind, status: StepStatus): boolean {
  return (
    allowedNext(kind, status).length > 0 ||
    STEP_STATUSES.some((from) => allowedNext(kind, from).includes(status))
  );
}

/** The statuses in which a task may be created part of the way along, where its kind has them. */
export const START_STATUSES = [
  "queued",
  "awaiting_review",
  "approved",
  "rejected",
  "duplicate",
] as const satisfies readonly StepStatus[];
export type StartStatus = (typeof START_STATUSES)[number];

/** The start statuses that steps of this kind have. */
export function startStatuses(kind: StepKind): StartStatus[] {
  return START_STATUSES.filter((status) => kindHasStatus(kind, status));
}

/** Statuses that end the work on a task: its open runs are cancelled and its dispatches called back. */
export const ENDING_STATUSES = ["rejected", "duplicate"] as const satisfies readonly StepStatus[];

/** Statuses that take back what was paid for, so that an undelivered payment is recalled. */
export const TAKING_BACK_STATUSES = [
  "changes_requested",
  "rejected",
  "duplicate",
] as const satisfies readonly StepStatus[];

/** The stage that follows; null after the last one. */
export function nextKind(kind: StepKind): StepKind | null {
  return STEP_KINDS[STEP_KINDS.indexOf(kind) + 1] ?? null;
}

/** The stages from the first up to and including this one: where rework may lead. */
export function kindsUpTo(kind: StepKind): readonly StepKind[] {
  return STEP_KINDS.slice(0, STEP_KINDS.indexOf(kind) + 1);
}

/** Whether `kind` is `first` or comes after it. */
export function isKindFrom(kind: StepKind, first: StepKind): boolean {
  return STEP_KINDS.indexOf(kind) >= STEP_KINDS.indexOf(first);
}
