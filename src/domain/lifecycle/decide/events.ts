import type { NewEvent } from "../decision.ts";
import type { PayloadOf } from "../events.ts";
import type { Hold, StepSnapshot } from "../snapshot.ts";
import type { StepEventType } from "../statuses.ts";

interface Circumstances {
  reason?: string | null | undefined;
  duplicateOf?: string | null | undefined;
  runAttachedWorkflows?: boolean;
}

/** Returns an event that does not change the state of its step. */
export function eventOn<Type extends StepEventType>(
  type: Type,
  step: StepSnapshot,
  payload: PayloadOf<Type>,
  circumstances: Circumstances = {},
): NewEvent {
  return eventBetween(type, step, step, payload, circumstances);
}

/** Returns an event that changes its step: the status, the gate, the hold. */
export function eventBetween<Type extends StepEventType>(
  type: Type,
  before: StepSnapshot,
  after: StepSnapshot,
  payload: PayloadOf<Type>,
  circumstances: Circumstances = {},
): NewEvent {
  return {
    ...eventOpening(type, after, payload, circumstances),
    fromStatus: before.status,
    fromGate: before.gate,
    payload: isSameHold(before.hold, after.hold)
      ? payload
      : { ...payload, hold: { from: before.hold, to: after.hold } },
  };
}

function isSameHold(one: Hold | null, other: Hold | null): boolean {
  return one?.seq === other?.seq && one?.gate === other?.gate;
}

/** Returns an event that opens its step, so there is no state before it. */
export function eventOpening<Type extends StepEventType>(
  type: Type,
  opened: StepSnapshot,
  payload: PayloadOf<Type>,
  circumstances: Circumstances = {},
): NewEvent {
  return {
    type,
    stepId: opened.id,
    versionId: opened.versionId,
    fromStatus: null,
    toStatus: opened.status,
    fromGate: null,
    toGate: opened.gate,
    reason: circumstances.reason ?? null,
    payload,
    duplicateOf: circumstances.duplicateOf ?? null,
    runAttachedWorkflows: circumstances.runAttachedWorkflows ?? false,
  };
}
