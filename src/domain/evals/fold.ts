import type { EvalEventType, EvalStatus } from "./statuses.ts";
import { EVAL_EVENT_PAYLOADS } from "./events.ts";
import type { EvalSnapshot, TrialSnapshot } from "./snapshot.ts";

/** An event of an eval as it was recorded. */
export interface RecordedEvalEvent {
  evalId: string;
  taskId: string;
  trialId: string | null;
  seq: number;
  type: EvalEventType;
  fromStatus: EvalStatus | null;
  toStatus: EvalStatus;
  payload: unknown;
}

/** An eval as its history tells it, with every trial that it ever had, in the order of their recording. */
export interface EvalState extends EvalSnapshot {
  eventSeq: number;
  trials: readonly TrialSnapshot[];
}

/**
 * The eval after its events, which begin with the first and ascend without a gap: exactly what the tables say. A
 * history that contradicts itself is a defect and throws.
 */
export function foldEval(events: readonly RecordedEvalEvent[]): EvalState {
  let state: EvalState | null = null;
  for (const event of events) state = state === null ? begin(event) : evolve(state, event);
  if (state === null) throw new Error("An eval without events has no state");
  return state;
}

function begin(event: RecordedEvalEvent): EvalState {
  const { evalId: id, taskId, toStatus: status } = event;
  if (event.type !== "eval_created" || event.seq !== 1 || event.fromStatus !== null) {
    throw broken(event, "cannot be the first");
  }
  const { versionId, name, k } = EVAL_EVENT_PAYLOADS.eval_created.parse(event.payload);
  return { id, taskId, versionId, name, k, status, eventSeq: 1, trials: [] };
}

function evolve(state: EvalState, event: RecordedEvalEvent): EvalState {
  if (event.seq !== state.eventSeq + 1) throw broken(event, `follows ${state.eventSeq}`);
  if (event.fromStatus !== state.status) {
    throw broken(event, `leaves ${event.fromStatus}, where the eval was not`);
  }
  const { seq: eventSeq, toStatus: status } = event;
  const told: EvalState = { ...state, status, eventSeq };
  switch (event.type) {
    case "eval_created":
      throw broken(event, "creates an eval that exists");
    case "eval_transitioned":
      return told;
    case "trials_recorded": {
      const { trials } = EVAL_EVENT_PAYLOADS.trials_recorded.parse(event.payload);
      const recorded = trials.map((trial) => ({ ...trial, retracted: false, eventSeq }));
      return { ...told, trials: [...state.trials, ...recorded] };
    }
    case "trial_transitioned": {
      const { from, ...result } = EVAL_EVENT_PAYLOADS.trial_transitioned.parse(event.payload);
      return withTrial(told, event, (trial) => {
        if (trial.status !== from) throw broken(event, `leaves ${from}, where the trial was not`);
        return { ...trial, ...result, eventSeq };
      });
    }
    case "trial_retracted":
      return withTrial(told, event, (trial) => ({ ...trial, retracted: true, eventSeq }));
  }
}

function withTrial(
  state: EvalState,
  event: RecordedEvalEvent,
  change: (trial: TrialSnapshot) => TrialSnapshot,
): EvalState {
  const before = state.trials.find(({ id }) => id === event.trialId);
  if (before === undefined) throw broken(event, "names a trial that the eval does not have");
  if (before.retracted) throw broken(event, "names a trial that is retracted");
  return {
    ...state,
    trials: state.trials.map((trial) => (trial === before ? change(before) : trial)),
  };
}

function broken(event: RecordedEvalEvent, fault: string): Error {
  return new Error(`Event ${event.seq} (${event.type}) of an eval's history ${fault}`);
}
