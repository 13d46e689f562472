import type { TrialRecord } from "../../db/evals/eval-json.ts";
import { hasPassed } from "../../domain/evals/snapshot.ts";

/** A trial as answers show it. */
export interface TrialView extends TrialRecord {
  /** Derived from the status; null if there is no verdict. */
  passed: boolean | null;
}

export function trialView(trial: TrialRecord): TrialView {
  return { ...trial, passed: hasPassed(trial.status) };
}
