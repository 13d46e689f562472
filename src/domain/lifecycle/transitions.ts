import type { StepKind, StepStatus } from "./statuses.ts";
import { STEP_KINDS, STEP_STATUSES } from "./statuses.ts";

/** The statuses that can follow each status of each stage. The table is total: an empty row has no way out. */
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
    pending: ["queued", "rejected", "duplicate"],
    queued: ["running", "cancelled", "rejected", "duplicate"],
    running: ["awaiting_input", "paused", "awaiting_review", "approved", "cancelled"],
    paused: ["running", "cancelled", "rejected", "duplicate"],
    awaiting_input: ["running", "cancelled", "rejected", "duplicate"],
    awaiting_review: ["in_review", "approved", "changes_requested", "rejected", "duplicate"],
    in_review: ["approved", "changes_requested", "rejected", "duplicate"],
    changes_requested: ["running", "cancelled", "rejected", "duplicate"],
    approved: ["changes_requested"],
    rejected: ["duplicate"],
    duplicate: ["rejected"],
    failed: [],
    cancelled: ["queued", "rejected", "duplicate"],
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

/** Returns the statuses that can follow this one, in the order of the table. */
export function allowedNext(kind: StepKind, status: StepStatus): readonly StepStatus[] {
  return STEP_TRANSITIONS[kind][status];
}

/** Returns true if steps of this stage can have the status: the table has it as a source or a target. */
export function kindHasStatus(kind: StepKind, status: StepStatus): boolean {
  return (
    allowedNext(kind, status).length > 0 ||
    STEP_STATUSES.some((from) => allowedNext(kind, from).includes(status))
  );
}

/** The statuses that an imported task can start in, if its stage has them. */
export const START_STATUSES = [
  "queued",
  "awaiting_review",
  "approved",
  "rejected",
  "duplicate",
] as const satisfies readonly StepStatus[];
export type StartStatus = (typeof START_STATUSES)[number];

/** Returns the statuses that a task can start in at this stage. */
export function startStatuses(kind: StepKind): StartStatus[] {
  return START_STATUSES.filter((status) => kindHasStatus(kind, status));
}

/**
 * Statuses that end the work on a task. A step that enters one cancels its open runs that the label depends on, and
 * recalls the undelivered dispatches of the task.
 */
export const ENDING_STATUSES = ["rejected", "duplicate"] as const satisfies readonly StepStatus[];

/** Returns true if the status ends the work on a task. */
export function isEnding(status: StepStatus): boolean {
  return ENDING_STATUSES.some((ending) => ending === status);
}

/** Statuses that revoke an approval. They recall the undelivered dispatches of the version, such as a payment. */
export const REVOKING_STATUSES = [
  "changes_requested",
  "rejected",
  "duplicate",
] as const satisfies readonly StepStatus[];

/** Returns the next stage, or null after the last one. */
export function nextKind(kind: StepKind): StepKind | null {
  return STEP_KINDS[STEP_KINDS.indexOf(kind) + 1] ?? null;
}

/** Returns the stages from the first to this one. Rework can lead to each of them. */
export function kindsUpTo(kind: StepKind): readonly StepKind[] {
  return STEP_KINDS.slice(0, STEP_KINDS.indexOf(kind) + 1);
}

/** Returns true if `kind` is `first` or a later stage. */
export function isKindFrom(kind: StepKind, first: StepKind): boolean {
  return STEP_KINDS.indexOf(kind) >= STEP_KINDS.indexOf(first);
}
