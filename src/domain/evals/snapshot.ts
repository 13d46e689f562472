import type { MakerDetails } from "../maker.ts";
import type { EvalStatus, TrialStatus } from "./statuses.ts";

/** The state of an eval, as decisions see it. */
export interface EvalSnapshot {
  id: string;
  taskId: string;
  versionId: string;
  name: string;
  /** The number of trials per model. */
  k: number;
  status: EvalStatus;
}

/** The position of a trial in its eval. At most one live trial holds a slot. */
export interface TrialSlot {
  k: number;
  model: string;
}

/** The result of a trial so far. */
export interface TrialResult {
  status: TrialStatus;
  score: number | null;
  /** Why there is no verdict. Only for errored trials. */
  error: string | null;
  outputDataId: string | null;
}

export interface TrialSnapshot extends TrialSlot, MakerDetails, TrialResult {
  id: string;
  retracted: boolean;
  /** The eval's last event that changed the trial. */
  eventSeq: number;
}

/** Returns whether a trial passed, or null if it has no verdict. */
export function hasPassed(status: TrialStatus): boolean | null {
  return status === "passed" || status === "failed" ? status === "passed" : null;
}

/** Returns a key that is unique per slot, whatever characters a model's name contains. */
export function slotKey({ k, model }: TrialSlot): string {
  return `${k} ${model}`;
}
