import { newValues } from "./decide/edit.ts";
import { duplicateOfAfter } from "./duplicates.ts";
import { EVENT_PAYLOADS } from "./events.ts";
import { isStatusRelevant } from "./runs.ts";
import {
  NOT_HELD,
  type ReviewFact,
  type RunFact,
  type StepSnapshot,
  type TaskSnapshot,
} from "./snapshot.ts";
import { stepAfter } from "./step-after.ts";
import type { GateState, StepEventType, StepKind, StepStatus } from "./statuses.ts";

/** A recorded event, with the immutable facts of its step and version. */
export interface RecordedEvent {
  taskId: string;
  seq: number;
  type: StepEventType;
  stepId: string;
  versionId: string;
  step: { kind: StepKind; attempt: number };
  versionNumber: number;
  fromStatus: StepStatus | null;
  toStatus: StepStatus;
  fromGate: GateState | null;
  toGate: GateState;
  /** The original that an event names that makes its task a duplicate. */
  duplicateOf: string | null;
  payload: unknown;
  at: string;
}

/**
 * The state of a task, rebuilt from its history. `openRuns` has only the runs that a label depends on: RUNNING, and of a
 * status-relevant type. `steps` are the steps of the active version.
 */
export interface TaskState extends Omit<TaskSnapshot, "alreadyDispatched" | "namedBy"> {
  /** The steps of earlier versions. */
  sealedSteps: readonly StepSnapshot[];
}

/**
 * Returns the state of a task after its events, which must start with the first and have no gap. The state equals the
 * tables as they were after the last given event.
 * @throws if the history contradicts itself, which is a defect.
 */
export function fold(events: readonly RecordedEvent[]): TaskState {
  let state: TaskState | null = null;
  for (const event of events) state = state === null ? begin(event) : evolve(state, event);
  if (state === null) throw new Error("A task without events has no state");
  return state;
}

/** Returns the state after one more event. */
export function evolve(state: TaskState, event: RecordedEvent): TaskState {
  if (event.seq !== state.eventSeq + 1) throw broken(event, `follows ${state.eventSeq}`);
  const advanced: TaskState = { ...state, eventSeq: event.seq, updatedAt: event.at };
  switch (event.type) {
    case "task_created":
      throw broken(event, "creates a task that exists");
    case "step_advanced":
    case "step_reworked":
    case "version_created":
      return opening(advanced, event);
    case "step_transitioned":
    case "bulk_transitioned": {
      const { cancelledRuns = [] } = EVENT_PAYLOADS[event.type].parse(event.payload);
      return withoutRuns(withStep(advanced, event), cancelledRuns);
    }
    case "bulk_reverted": {
      const {
        undoes,
        cancelledRuns = [],
        withdrawn,
      } = EVENT_PAYLOADS.bulk_reverted.parse(event.payload);
      if (undoes !== state.eventSeq) throw broken(event, `undoes ${undoes}, which is not the last`);
      const reverted = withoutRuns(withStep(advanced, event), cancelledRuns);
      return withdrawn === undefined ? reverted : withoutReview(reverted, withdrawn.sequence);
    }
    case "gate_changed":
    case "note_added":
    case "step_idled":
      return withStep(advanced, event);
    case "review_recorded":
      return withReview(
        withStep(advanced, event),
        EVENT_PAYLOADS.review_recorded.parse(event.payload).review,
      );
    case "review_withdrawn": {
      const { review } = EVENT_PAYLOADS.review_withdrawn.parse(event.payload);
      return withoutReview(withStep(advanced, event), review.sequence);
    }
    case "worker_run_changed":
      return withRun(
        withStep(advanced, event),
        EVENT_PAYLOADS.worker_run_changed.parse(event.payload).run,
      );
    case "task_updated":
      return {
        ...withStep(advanced, event),
        ...newValues(EVENT_PAYLOADS.task_updated.parse(event.payload).changes),
      };
    case "task_archived":
      return { ...withStep(advanced, event), archivedAt: event.at };
    case "task_restored":
      return { ...withStep(advanced, event), archivedAt: null };
  }
}

function begin(event: RecordedEvent): TaskState {
  if (event.type !== "task_created" || event.seq !== 1) throw broken(event, "cannot be the first");
  const { title, externalId, taxonomyCode, priority, assignee } = EVENT_PAYLOADS.task_created.parse(
    event.payload,
  );
  const step = openedStep(event);
  return {
    id: event.taskId,
    title,
    externalId,
    taxonomyCode,
    priority,
    assignee,
    archivedAt: null,
    duplicateOf: duplicateOfAfter(event, null),
    eventSeq: 1,
    statusSince: event.at,
    createdAt: event.at,
    updatedAt: event.at,
    version: { id: event.versionId, number: event.versionNumber },
    step,
    steps: [step],
    sealedSteps: [],
    reviewSequence: 0,
    reviews: [],
    openRuns: [],
  };
}

/** Makes the opened step current. Reviews and runs of the previous step no longer count. */
function opening(state: TaskState, event: RecordedEvent): TaskState {
  const step = openedStep(event);
  const isNewVersion = event.versionId !== state.version.id;
  return {
    ...state,
    version: { id: event.versionId, number: event.versionNumber },
    step,
    steps: isNewVersion ? [step] : [...state.steps, step],
    sealedSteps: isNewVersion ? [...state.sealedSteps, ...state.steps] : state.sealedSteps,
    statusSince: event.at,
    duplicateOf: duplicateOfAfter(event, null),
    reviews: [],
    openRuns: [],
  };
}

function openedStep(event: RecordedEvent): StepSnapshot {
  if (event.fromStatus !== null || event.fromGate !== null)
    throw broken(event, "opens a step twice");
  return {
    id: event.stepId,
    versionId: event.versionId,
    kind: event.step.kind,
    attempt: event.step.attempt,
    status: event.toStatus,
    gate: event.toGate,
    ...NOT_HELD,
  };
}

/** Updates the step that the event names: the current one, or one whose gate a rework revokes. */
function withStep(state: TaskState, event: RecordedEvent): TaskState {
  const before = state.steps.find(({ id }) => id === event.stepId);
  if (before === undefined)
    throw broken(event, "names a step that the active version does not have");
  if (before.status !== event.fromStatus || before.gate !== event.fromGate) {
    throw broken(
      event,
      `leaves ${event.fromStatus} and ${event.fromGate}, but the step is ${before.status} and ${before.gate}`,
    );
  }
  const after = stepAfter(before, event);
  const isCurrent = before.id === state.step.id;
  return {
    ...state,
    steps: state.steps.map((step) => (step === before ? after : step)),
    step: isCurrent ? after : state.step,
    duplicateOf: isCurrent ? duplicateOfAfter(event, state.duplicateOf) : state.duplicateOf,
    statusSince: isCurrent && after.status !== before.status ? event.at : state.statusSince,
  };
}

function withReview(state: TaskState, review: ReviewFact & { stepId: string }): TaskState {
  const { sequence, outcome, stepId } = review;
  const reviews =
    stepId === state.step.id ? [...state.reviews, { sequence, outcome }] : state.reviews;
  return { ...state, reviews, reviewSequence: Math.max(state.reviewSequence, sequence) };
}

function withoutReview(state: TaskState, sequence: number): TaskState {
  return { ...state, reviews: state.reviews.filter((review) => review.sequence !== sequence) };
}

function withRun(state: TaskState, { stepId, ...run }: RunFact & { stepId: string }): TaskState {
  const others = withoutRuns(state, [run.id]);
  const isRelevant =
    run.state === "RUNNING" && isStatusRelevant(run.type) && stepId === state.step.id;
  return isRelevant ? { ...others, openRuns: [...others.openRuns, run] } : others;
}

function withoutRuns(state: TaskState, ids: readonly string[]): TaskState {
  return { ...state, openRuns: state.openRuns.filter(({ id }) => !ids.includes(id)) };
}

function broken(event: RecordedEvent, defect: string): Error {
  return new Error(`Event ${event.seq} (${event.type}) of a history ${defect}`);
}
