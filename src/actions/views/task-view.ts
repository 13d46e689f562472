import type { Creation } from "../../domain/lifecycle/decide/create.ts";
import {
  type Hold,
  NOT_HELD,
  type StepSnapshot,
  type TaskSnapshot,
} from "../../domain/lifecycle/snapshot.ts";
import type { GateState, StepKind, StepStatus } from "../../domain/lifecycle/statuses.ts";
import { type AttentionCode, attentionOf } from "../../domain/status/attention.ts";
import { factsOf, resolve } from "../../domain/status/resolve.ts";
import type { UnifiedStatus } from "../../domain/status/unified.ts";

/** A task as answers show it. */
export interface TaskView {
  id: string;
  externalId: string | null;
  title: string;
  taxonomyCode: string | null;
  priority: number;
  assignee: string | null;
  unifiedStatus: UnifiedStatus;
  attention: AttentionCode[];
  statusSince: string;
  currentStep: {
    id: string;
    kind: StepKind;
    attempt: number;
    status: StepStatus;
    gate: GateState;
    hold: Hold | null;
  };
  activeVersion: { id: string; number: number };
  eventSeq: number;
  archivedAt: string | null;
  /** The task that this duplicate names. */
  duplicateOf: string | null;
  createdAt: string;
  updatedAt: string;
}

/** A step as answers show it. */
export interface StepView extends Omit<StepSnapshot, "idledSeq"> {
  taskId: string;
  /** Whether it is the task's current step, the only one that can change. */
  current: boolean;
}

/** Shows a task with the label that the resolver derives for it. */
export function taskView(
  task: Omit<TaskSnapshot, "steps" | "reviewSequence" | "alreadyDispatched" | "namedBy">,
): TaskView {
  const { id, kind, attempt, status, gate, hold } = task.step;
  const facts = factsOf(task);
  return {
    id: task.id,
    externalId: task.externalId,
    title: task.title,
    taxonomyCode: task.taxonomyCode,
    priority: task.priority,
    assignee: task.assignee,
    unifiedStatus: resolve(facts),
    attention: attentionOf(facts),
    statusSince: task.statusSince,
    currentStep: { id, kind, attempt, status, gate, hold },
    activeVersion: { id: task.version.id, number: task.version.number },
    eventSeq: task.eventSeq,
    archivedAt: task.archivedAt,
    duplicateOf: task.duplicateOf,
    createdAt: task.createdAt,
    updatedAt: task.updatedAt,
  };
}

/** A new task before it is written. Its times will be those of event 1. */
export type NewTaskView = Omit<TaskView, "statusSince" | "createdAt" | "updatedAt">;

/** Shows a task before it is created. `writtenTaskView` completes it. */
export function newTaskView({ task, decision }: Creation): NewTaskView {
  const { version, step } = decision;
  const [event] = decision.events;
  if (version === null || step === null || event === undefined) {
    throw new Error("A creation must open a version and a step with event 1");
  }
  const {
    statusSince: _since,
    createdAt: _created,
    updatedAt: _updated,
    ...view
  } = taskView({
    ...task,
    archivedAt: null,
    duplicateOf: null,
    eventSeq: 1,
    statusSince: "",
    createdAt: "",
    updatedAt: "",
    version: { id: version.id, number: version.number },
    step: { ...step, ...NOT_HELD, status: event.toStatus, gate: event.toGate },
    reviews: [],
    openRuns: [],
  });
  return view;
}

/** Completes a new task with the time of event 1. */
export function writtenTaskView(view: NewTaskView, at: string): TaskView {
  return { ...view, statusSince: at, createdAt: at, updatedAt: at };
}

/** Shows a step. The hold and the deferred reports of a step that is not current do not count. */
export function stepView(taskId: string, currentStepId: string, step: StepSnapshot): StepView {
  const { id, versionId, kind, attempt, status, gate } = step;
  const current = id === currentStepId;
  const { hold, deferred } = current ? step : NOT_HELD;
  return {
    id,
    taskId,
    versionId,
    kind,
    attempt,
    status,
    gate,
    hold,
    deferred,
    current,
  };
}
