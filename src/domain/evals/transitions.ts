export const EVAL_STATUSES = [
  "draft",
  "queued",
  "running",
  "completed",
  "failed",
  "cancelled",
] as const;
export type EvalStatus = (typeof EVAL_STATUSES)[number];

/** The life of an evaluation. */
export const EVAL_TRANSITIONS: Record<EvalStatus, readonly EvalStatus[]> = {
  draft: ["queued", "cancelled"],
  queued: ["running", "cancelled"],
  running: ["completed", "failed", "cancelled"],
  completed: [],
  failed: ["queued"],
  cancelled: [],
};

export const TRIAL_STATUSES = ["pending", "running", "passed", "failed", "errored"] as const;
export type TrialStatus = (typeof TRIAL_STATUSES)[number];

/** The life of a trial. Retraction is no status: it stands beside. */
export const TRIAL_TRANSITIONS: Record<TrialStatus, readonly TrialStatus[]> = {
  pending: ["running", "passed", "failed", "errored"],
  running: ["passed", "failed", "errored"],
  passed: [],
  failed: [],
  errored: ["running"],
};
