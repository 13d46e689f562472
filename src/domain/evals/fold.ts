import type { EvalEventType, EvalStatus } from "./statuses.ts";
import { EVAL_EVENT_PAYLOADS } from "./events.ts";
import type { EvalSnapshot, TrialSnapshot } from "./snapshot.ts";

/** A recorded event of an eval. */
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

/** The state of an eval, rebuilt from its history. It has every trial, in the order of recording. */
export interface EvalState extends EvalSnapshot {
  eventSeq: number;
  trials: readonly TrialSnapshot[];
}

/**
 * Returns the state of an eval after its events, which must start with the first and have no gap. The state equals the
 * tables.
 * @throws if the history contradicts itself, which is a defect.
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
  const { versionId, name, k, slotBy } = EVAL_EVENT_PAYLOADS.eval_created.parse(event.payload);
  const created = { versionId, name, k, slotBy, twinOf: null };
  return { id, taskId, status, ...created, eventSeq: 1, trials: [] };
}

function evolve(state: EvalState, event: RecordedEvalEvent): EvalState {
  if (event.seq !== state.eventSeq + 1) throw broken(event, `follows ${state.eventSeq}`);
  if (event.fromStatus !== state.status) {
    throw broken(event, `leaves ${event.fromStatus}, but the eval is ${state.status}`);
  }
  const { seq: eventSeq, toStatus: status } = event;
  const advanced: EvalState = { ...state, status, eventSeq };
  switch (event.type) {
    case "eval_created":
      throw broken(event, "creates an eval that exists");
    case "eval_transitioned":
      return advanced;
    case "eval_updated":
      return withChanges(advanced, event);
    case "trials_recorded": {
      const { trials } = EVAL_EVENT_PAYLOADS.trials_recorded.parse(event.payload);
      const recorded = trials.map((trial) => ({ ...trial, retracted: false, eventSeq }));
      return { ...advanced, trials: [...state.trials, ...recorded] };
    }
    case "trial_transitioned": {
      const { from, ...result } = EVAL_EVENT_PAYLOADS.trial_transitioned.parse(event.payload);
      return withTrial(advanced, event, (trial) => {
        if (trial.status !== from)
          throw broken(event, `leaves ${from}, but the trial is ${trial.status}`);
        return { ...trial, ...result, eventSeq };
      });
    }
    case "trial_retracted":
      return withTrial(advanced, event, (trial) => ({ ...trial, retracted: true, eventSeq }));
  }
}

function withChanges(state: EvalState, event: RecordedEvalEvent): EvalState {
  const { k, twinOf } = EVAL_EVENT_PAYLOADS.eval_updated.parse(event.payload).changes;
  if (k !== undefined && (k.from !== state.k || k.to <= k.from)) {
    throw broken(event, `raises k from ${k.from} to ${k.to}, but it is ${state.k}`);
  }
  if (twinOf !== undefined && state.twinOf !== null) throw broken(event, "marks a twin again");
  return { ...state, k: k?.to ?? state.k, twinOf: twinOf?.to ?? state.twinOf };
}

function withTrial(
  state: EvalState,
  event: RecordedEvalEvent,
  change: (trial: TrialSnapshot) => TrialSnapshot,
): EvalState {
  const before = state.trials.find(({ id }) => id === event.trialId);
  if (before === undefined) throw broken(event, "names a trial that the eval does not have");
  if (before.retracted) throw broken(event, "names a retracted trial");
  return {
    ...state,
    trials: state.trials.map((trial) => (trial === before ? change(before) : trial)),
  };
}

function broken(event: RecordedEvalEvent, defect: string): Error {
  return new Error(`Event ${event.seq} (${event.type}) of an eval's history ${defect}`);
}
