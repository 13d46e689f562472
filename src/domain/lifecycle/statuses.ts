/** The stages, in the order in which a task passes through them. */
export const STEP_KINDS = [
  "ingestion",
  "authoring",
  "pre_qa",
  "output_generation",
  "expert_review",
  "calibration",
  "delivery",
] as const;
export type StepKind = (typeof STEP_KINDS)[number];

export const STEP_STATUSES = [
  "pending",
  "queued",
  "running",
  "paused",
  "awaiting_input",
  "awaiting_review",
  "in_review",
  "changes_requested",
  "approved",
  "rejected",
  "duplicate",
  "failed",
  "cancelled",
] as const;
export type StepStatus = (typeof STEP_STATUSES)[number];

export const GATE_STATES = [
  "locked",
  "pending",
  "evaluating",
  "awaiting_review",
  "blocked",
  "passed",
  "waived",
  "failed",
  "errored",
  "revoked",
] as const;
export type GateState = (typeof GATE_STATES)[number];

/** The stage whose steps reviewers take, one person at a time. */
export const REVIEWED_KIND = "expert_review" satisfies StepKind;

export const WORKER_TYPES = [
  "QUALITY_AUTOMATION",
  "EXPERT_REVIEW",
  "OUTPUT_GENERATION",
  "POST_QA_SCORING",
  "PAYMENT",
] as const;
export type WorkerType = (typeof WORKER_TYPES)[number];

/** The workers that a label depends on. The resolver reads this list, and so does the SQL compiled from it. */
export const STATUS_RELEVANT_WORKER_TYPES = [
  "QUALITY_AUTOMATION",
  "EXPERT_REVIEW",
  "OUTPUT_GENERATION",
] as const satisfies readonly WorkerType[];
export type StatusRelevantWorkerType = (typeof STATUS_RELEVANT_WORKER_TYPES)[number];

export const RUN_STATES = ["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"] as const;
export type RunState = (typeof RUN_STATES)[number];

export const REVIEW_KINDS = ["automated", "expert"] as const;
export type ReviewKind = (typeof REVIEW_KINDS)[number];

export const REVIEW_OUTCOMES = ["passed", "failed"] as const;
export type ReviewOutcome = (typeof REVIEW_OUTCOMES)[number];

export const STEP_EVENT_TYPES = [
  "task_created",
  "step_transitioned",
  "gate_changed",
  "step_advanced",
  "step_reworked",
  "version_created",
  "review_recorded",
  "review_withdrawn",
  "worker_run_changed",
  "bulk_transitioned",
  "bulk_reverted",
  "task_updated",
  "task_archived",
  "task_restored",
  "note_added",
  "step_idled",
] as const;
export type StepEventType = (typeof STEP_EVENT_TYPES)[number];

/** The stages at which a new version can begin. */
export const FIRST_KINDS = [
  "ingestion",
  "authoring",
  "pre_qa",
] as const satisfies readonly StepKind[];
export type FirstKind = (typeof FIRST_KINDS)[number];
