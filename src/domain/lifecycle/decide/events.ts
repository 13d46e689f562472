import type { NewEvent } from "../decision.ts";
import type { PayloadOf } from "../events.ts";
import type { StepSnapshot } from "../snapshot.ts";
import type { StepEventType } from "../statuses.ts";

interface Circumstances {
  reason?: string | null | undefined;
  duplicateOf?: string | null | undefined;
  runAttachedWorkflows?: boolean;
}

/** An event that leaves its step in the state in which it found it. */
export function eventOn<Type extends StepEventType>(
  type: Type,
  step: StepSnapshot,
  payload: PayloadOf<Type>,
  circumstances: Circumstances = {},
): NewEvent {
  return eventBetween(type, step, step, payload, circumstances);
}

/** An event that changes its step's status, gate or both. */
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
  };
}

/** An event that opens its step: there is no state before it. */
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
