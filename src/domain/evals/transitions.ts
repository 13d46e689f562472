import type { EvalStatus, TrialStatus } from "./statuses.ts";

/** The state machine of evals. */
export const EVAL_TRANSITIONS: Record<EvalStatus, readonly EvalStatus[]> = {
  draft: ["queued", "cancelled"],
  queued: ["running", "cancelled"],
  running: ["completed", "failed", "cancelled"],
  completed: [],
  failed: ["queued"],
  cancelled: [],
};

/** The state machine of trials. A retraction is not a status, but a separate flag. */
export const TRIAL_TRANSITIONS: Record<TrialStatus, readonly TrialStatus[]> = {
  pending: ["running", "passed", "failed", "scored", "errored"],
  running: ["passed", "failed", "scored", "errored"],
  passed: [],
  failed: [],
  scored: [],
  errored: ["running"],
};
