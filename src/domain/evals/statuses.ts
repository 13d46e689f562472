export const EVAL_STATUSES = [
  "draft",
  "queued",
  "running",
  "completed",
  "failed",
  "cancelled",
] as const;
export type EvalStatus = (typeof EVAL_STATUSES)[number];

export const TRIAL_STATUSES = [
  "pending",
  "running",
  "passed",
  "failed",
  "scored",
  "errored",
] as const;
export type TrialStatus = (typeof TRIAL_STATUSES)[number];

export const EVAL_EVENT_TYPES = [
  "eval_created",
  "eval_transitioned",
  "eval_updated",
  "trials_recorded",
  "trial_transitioned",
  "trial_retracted",
] as const;
export type EvalEventType = (typeof EVAL_EVENT_TYPES)[number];
