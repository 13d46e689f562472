import type { EvalStatus, TrialStatus } from "./statuses.ts";

/** The life of an evaluation. */
export const EVAL_TRANSITIONS: Record<EvalStatus, readonly EvalStatus[]> = {
  draft: ["queued", "cancelled"],
  queued: ["running", "cancelled"],
  running: ["completed", "failed", "cancelled"],
  completed: [],
  failed: ["queued"],
  cancelled: [],
};

/** The life of a trial. Retraction is no status: it stands beside. */
export const TRIAL_TRANSITIONS: Record<TrialStatus, readonly TrialStatus[]> = {
  pending: ["running", "passed", "failed", "errored"],
  running: ["passed", "failed", "errored"],
  passed: [],
  failed: [],
  errored: ["running"],
};
