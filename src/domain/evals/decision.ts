import type { EvalEventType, EvalStatus } from "./statuses.ts";
import type { RunState } from "../lifecycle/statuses.ts";
import type { MakerDetails } from "../maker.ts";
import type { TrialResult, TrialSlot } from "./snapshot.ts";

/** How many trials one call records at most. */
export const TRIALS_MAX = 1000;

/** An event of an eval before it has a number, a time and a hash: the writer gives it those. */
export interface NewEvalEvent {
  type: EvalEventType;
  /** The one trial that it is about. */
  trialId: string | null;
  /** The eval's own status before; null when the event opens the eval. */
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
  /** Whether it is opened only where its version has no other live eval of the name. */
  isOnly: boolean;
}

export interface NewTrial extends TrialSlot, MakerDetails, TrialResult {
  id: string;
}

/** What becomes of one trial that exists. */
export interface TrialChange {
  id: string;
  /** The trial's newest event when the change was decided: a trial that has moved since is left alone. */
  seenSeq: number;
  result: TrialResult;
  /** Why it is retracted; null where it is not. */
  retractReason: string | null;
}

/** What a trial used, kept as the insight of its own that outlives the trial's retraction. */
export interface TrialInsight extends MakerDetails {
  id: string;
  trialId: string;
  model: string;
  status: RunState;
  usage: Readonly<Record<string, unknown>>;
}

/** All that one lawful call does to one eval. The writer records it whole or not at all. */
export interface EvalDecision {
  evalId: string;
  taskId: string;
  /** The status that was decided on; null where the eval is opened. */
  seenStatus: EvalStatus | null;
  opens: NewEval | null;
  events: readonly NewEvalEvent[];
  /** Each on a slot that was free. */
  trials: readonly NewTrial[];
  change: TrialChange | null;
  insights: readonly TrialInsight[];
}
