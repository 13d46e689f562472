import type { SlotBy, TrialSlot } from "./slot.ts";
import type { EvalStatus, TrialStatus } from "./statuses.ts";

/** The state of an eval, as decisions see it. */
export interface EvalSnapshot {
  id: string;
  taskId: string;
  versionId: string;
  name: string;
  /** The number of trials per slot. It only rises. */
  k: number;
  slotBy: SlotBy;
  status: EvalStatus;
  /**
   * The newer live eval with the same version and name, if there were two before names became unique. Summaries over
   * many evals leave the marked one out.
   */
  twinOf: string | null;
}

/** What a model call used, as an insight of kind `trial` stores it. */
export type Usage = Readonly<Record<string, unknown>>;

/** The result of a trial so far. */
export interface TrialResult {
  status: TrialStatus;
  score: number | null;
  /** Why there is no verdict. Only for errored trials. */
  error: string | null;
  outputDataId: string | null;
}

export interface TrialSnapshot extends TrialSlot, TrialResult {
  id: string;
  retracted: boolean;
  /** The eval's last event that changed the trial. */
  eventSeq: number;
}

/** Returns whether a trial passed, or null if it has no verdict. */
export function hasPassed(status: TrialStatus): boolean | null {
  return status === "passed" || status === "failed" ? status === "passed" : null;
}

/** A live trial, with everything that a caller can have reported about it. */
export interface HeldTrial extends TrialSnapshot {
  usage: Usage | null;
}
