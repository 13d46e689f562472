import type { EvalEventRecord, StepEventRecord } from "../../db/history/events.ts";
import type { Actor } from "../../domain/actor.ts";
import type { NewEvent } from "../../domain/lifecycle/decision.ts";
import type { StepSnapshot } from "../../domain/lifecycle/snapshot.ts";
import type { EvalStatus } from "../../domain/evals/statuses.ts";
import type {
  GateState,
  StepEventType,
  StepKind,
  StepStatus,
} from "../../domain/lifecycle/statuses.ts";

/** An event of a task's history as answers show it. Hashes are in hex. */
export interface StepEventView {
  stream: "task";
  taskId: string;
  seq: number;
  type: StepEventType;
  stepId: string;
  versionId: string;
  step: { id: string; kind: StepKind; attempt: number };
  versionNumber: number;
  from: StepStatus | null;
  to: StepStatus;
  fromGate: GateState | null;
  toGate: GateState;
  actor: Actor;
  reason: string | null;
  payload: unknown;
  bulkOperationId: string | null;
  operationId: string;
  requestId: string;
  registryVersion: number;
  duplicateOf: string | null;
  runAttachedWorkflows: boolean;
  canonical: string;
  at: string;
  prevHash: string;
  hash: string;
}

/** The members of an event that the writer assigns. */
export type EventEvidence = Pick<StepEventView, "seq" | "at" | "canonical" | "prevHash" | "hash">;
/** An event before it is written. */
export type EventDraft = Omit<StepEventView, keyof EventEvidence>;

/** Shows an event before it is written. `withEvidence` completes it. */
export function draftEvent(
  event: NewEvent,
  of: {
    taskId: string;
    step: Pick<StepSnapshot, "id" | "kind" | "attempt">;
    versionNumber: number;
    actor: Actor;
    operationId: string;
    requestId: string;
    registryVersion: number;
  },
): EventDraft {
  const { id, kind, attempt } = of.step;
  return {
    stream: "task",
    taskId: of.taskId,
    type: event.type,
    stepId: event.stepId,
    versionId: event.versionId,
    step: { id, kind, attempt },
    versionNumber: of.versionNumber,
    from: event.fromStatus,
    to: event.toStatus,
    fromGate: event.fromGate,
    toGate: event.toGate,
    actor: of.actor,
    reason: event.reason,
    payload: event.payload,
    bulkOperationId: null,
    operationId: of.operationId,
    requestId: of.requestId,
    registryVersion: of.registryVersion,
    duplicateOf: event.duplicateOf,
    runAttachedWorkflows: event.runAttachedWorkflows,
  };
}

/** Completes a draft with what the writer assigned. */
export function withEvidence(draft: EventDraft, evidence: EventEvidence): StepEventView {
  const { seq, at, canonical, prevHash, hash } = evidence;
  return { ...draft, seq, at, canonical, prevHash, hash };
}

/** Shows a recorded event of a task. */
export function stepEventView(event: StepEventRecord): StepEventView {
  const { fromStatus, toStatus, fromGate, toGate, ...same } = event;
  return { ...same, from: fromStatus, to: toStatus, fromGate, toGate };
}

/** An event of an eval's history as a timeline shows it. */
export interface EvalEventView extends Omit<EvalEventRecord, "fromStatus" | "toStatus"> {
  from: EvalStatus | null;
  to: EvalStatus;
}

/** Shows a recorded event of a task or an eval. */
export function timelineView(
  event: StepEventRecord | EvalEventRecord,
): StepEventView | EvalEventView {
  return event.stream === "task" ? stepEventView(event) : evalEventView(event);
}

/** Shows a recorded event of an eval. */
export function evalEventView(event: EvalEventRecord): EvalEventView {
  const { fromStatus, toStatus, ...same } = event;
  return { ...same, from: fromStatus, to: toStatus };
}
