import type { EvalEventType, EvalStatus } from "./statuses.ts";
import type { RunState } from "../lifecycle/statuses.ts";
import type { MakerDetails } from "../maker.ts";
import type { SlotBy, TrialSlot } from "./slot.ts";
import type { TrialResult, Usage } from "./snapshot.ts";

/** The maximum number of trials in one call. */
export const TRIALS_MAX = 1000;

/** An event of an eval without its number, time and hash, which the writer assigns. */
export interface NewEvalEvent {
  type: EvalEventType;
  /** The trial that the event changes. Null if it changes none, or several. */
  trialId: string | null;
  /** The status of the eval before the event. Null if the event opens the eval. */
  fromStatus: EvalStatus | null;
  toStatus: EvalStatus;
  reason: string | null;
  payload: Readonly<Record<string, unknown>>;
}

export interface NewEval {
  taskId: string;
  versionId: string;
  name: string;
  k: number;
}

export interface NewTrial extends TrialSlot, TrialResult {
  id: string;
}

/** A change of an existing trial. */
export interface TrialChange {
  id: string;
  /** The trial's last event when the change was decided. The writer skips a trial that has changed since. */
  seenSeq: number;
  result: TrialResult;
  /** The reason for a retraction. Null otherwise. */
  retractReason: string | null;
}

/** The insight that stores the usage of a trial. It stays when the trial is retracted. */
export interface TrialInsight extends MakerDetails {
  id: string;
  trialId: string;
  model: string;
  status: RunState;
  usage: Usage;
}

/** Everything that one accepted call changes in one eval. The writer records all of it or nothing. */
export interface EvalDecision {
  evalId: string;
  taskId: string;
  /** The members that distinguish the trials of the eval. They never change. */
  slotBy: SlotBy;
  /** The status of the eval when the call was decided. Null if the decision opens the eval. */
  seenStatus: EvalStatus | null;
  /** The writer does not open an eval if its version has a live eval with the same name. */
  opens: NewEval | null;
  /** The number of trials per slot, if it rises. The writer skips the eval if it has risen since it was read. */
  raises: { seenK: number; k: number } | null;
  events: readonly NewEvalEvent[];
  /** New trials, each on a free slot. */
  trials: readonly NewTrial[];
  change: TrialChange | null;
  insights: readonly TrialInsight[];
}
