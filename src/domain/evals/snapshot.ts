import type { MakerDetails } from "../maker.ts";
import type { EvalStatus, TrialStatus } from "./statuses.ts";

/** What decisions about an eval look at. */
export interface EvalSnapshot {
  id: string;
  taskId: string;
  versionId: string;
  name: string;
  /** How many trials each model has. */
  k: number;
  status: EvalStatus;
}

/** The place of a trial in its eval; one live trial holds it. */
export interface TrialSlot {
  k: number;
  model: string;
}

/** What became of a trial so far. */
export interface TrialResult {
  status: TrialStatus;
  score: number | null;
  /** Why no verdict was reached; of an errored trial alone. */
  error: string | null;
  outputDataId: string | null;
}

/** A trial as it stands. */
export interface TrialSnapshot extends TrialSlot, MakerDetails, TrialResult {
  id: string;
  retracted: boolean;
  /** The newest event of the eval that tells of it. */
  eventSeq: number;
}

/** Whether a trial was passed; null where nobody has judged it yet, or could. */
export function hasPassed(status: TrialStatus): boolean | null {
  return status === "passed" || status === "failed" ? status === "passed" : null;
}

/** One text for one slot, whatever a model's name holds. */
export function slotKey({ k, model }: TrialSlot): string {
  return `${k} ${model}`;
}
