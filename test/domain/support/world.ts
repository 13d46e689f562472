import { expect } from "vitest";
import type { Actor, Role } from "../../../src/domain/actor.ts";
import { apply } from "../../../src/domain/lifecycle/apply.ts";
import type { Command, DecisionContext } from "../../../src/domain/lifecycle/commands.ts";
import { decide } from "../../../src/domain/lifecycle/decide.ts";
import type { Creation } from "../../../src/domain/lifecycle/decide/create.ts";
import type { Decision } from "../../../src/domain/lifecycle/decision.ts";
import type { Original } from "../../../src/domain/lifecycle/duplicates.ts";
import type { RecordedEvent } from "../../../src/domain/lifecycle/fold.ts";
import { GATE_ON_STATUS } from "../../../src/domain/lifecycle/gates.ts";
import {
  type DeferredReport,
  NOT_HELD,
  type RunFact,
  type StepSnapshot,
  type TaskFields,
  type TaskSnapshot,
} from "../../../src/domain/lifecycle/snapshot.ts";
import type { Pipeline } from "../../../src/domain/pipelines/pipelines.ts";
import type {
  GateState,
  ReviewOutcome,
  StepKind,
  StepStatus,
  WorkerType,
} from "../../../src/domain/lifecycle/statuses.ts";
import type { Outcome, Refusal, RefusalCode } from "../../../src/domain/refusals.ts";

export const FIELDS: TaskFields = {
  title: "Explain a proof",
  externalId: "proof-1",
  taxonomyCode: "maths.proof",
  priority: 0,
  assignee: null,
};

export function actor(role: Role): Actor {
  return { id: `id-of-${role}`, name: role, kind: role === "service" ? "service" : "person", role };
}

/** Returns a context whose ids are the prefix and a counter. */
export function context(role: Role = "reviewer", prefix = "new"): DecisionContext {
  let count = 0;
  return { actor: actor(role), newId: () => `${prefix}-${++count}` };
}

/** The claim of a run that was not offered to polling workers, so that a report needs no lease. */
export const NOT_OFFERED = {
  attempt: 1,
  offered: false,
  claimed: false,
  heldBy: null,
  verdict: null,
  result: null,
  error: null,
} as const;

/** Returns the n-th minute of the day on which every test takes place. */
export function minute(n: number): string {
  return new Date(Date.UTC(2026, 0, 1, 0, n)).toISOString();
}

export interface Given {
  id?: string;
  kind?: StepKind;
  status?: StepStatus;
  gate?: GateState;
  /** The gate that the step would have without its hold. Present if it is held; then its gate is blocked. */
  heldGate?: GateState | undefined;
  deferred?: readonly DeferredReport[];
  /** Outcomes in order of sequence. */
  reviews?: readonly ReviewOutcome[];
  running?: readonly WorkerType[];
  queuedRuns?: readonly WorkerType[];
  /** Other steps of the active version. */
  earlier?: readonly Pick<StepSnapshot, "kind" | "attempt" | "status" | "gate">[];
  /** The event that found the current step idle. */
  idledSeq?: number;
  archived?: boolean;
  alreadyDispatched?: readonly Pipeline[];
  /** Ids of the duplicates that name the task. */
  namedBy?: readonly string[];
}

/** Returns the snapshot of a task with the given facts, and defaults for the rest. */
export function givenTask(given: Given = {}): TaskSnapshot {
  const { kind = "authoring", status = "queued", heldGate } = given;
  const gate = given.gate ?? (heldGate === undefined ? GATE_ON_STATUS[status] : "blocked");
  const earlier = (given.earlier ?? []).map((step, index) => ({
    ...step,
    ...NOT_HELD,
    id: `earlier-${index + 1}`,
    versionId: "version-1",
  }));
  const attempt = earlier.filter((step) => step.kind === kind).length + 1;
  const step: StepSnapshot = {
    id: "step-1",
    versionId: "version-1",
    kind,
    attempt,
    status,
    gate,
    hold: heldGate === undefined ? null : { seq: 5, gate: heldGate },
    deferred: given.deferred ?? [],
    idledSeq: given.idledSeq ?? null,
  };
  const reviews = (given.reviews ?? []).map((outcome, index) => ({ sequence: index + 1, outcome }));
  return {
    ...FIELDS,
    id: given.id ?? "task-1",
    archivedAt: given.archived === true ? minute(1) : null,
    duplicateOf: null,
    eventSeq: 7,
    statusSince: minute(0),
    createdAt: minute(0),
    updatedAt: minute(0),
    version: { id: "version-1", number: 1 },
    step,
    steps: [...earlier, step],
    reviewSequence: reviews.length,
    reviews,
    openRuns: [
      ...(given.running ?? []).map((type): RunFact => ({
        id: `run-${type}`,
        type,
        state: "RUNNING",
      })),
      ...(given.queuedRuns ?? []).map((type): RunFact => ({
        id: `queued-${type}`,
        type,
        state: "QUEUED",
      })),
    ],
    alreadyDispatched: given.alreadyDispatched ?? [],
    namedBy: given.namedBy ?? [],
  };
}

/** Returns a task that a duplicate can name. */
export function original(given: Partial<Original> = {}): Original {
  return { id: "original-1", status: "queued", isArchived: false, ...given };
}

export function expectAccepted<Value>(outcome: Outcome<Value>): Value {
  if (!outcome.ok) expect.fail(`refused: ${outcome.refusal.code}, ${outcome.refusal.detail}`);
  return outcome.value;
}

export function expectRefused<Code extends RefusalCode>(
  outcome: Outcome<unknown>,
  code: Code,
): Extract<Refusal, { code: Code }> {
  if (outcome.ok) expect.fail(`accepted, but ${code} was expected`);
  expect(outcome.refusal.code).toBe(code);
  return outcome.refusal as Extract<Refusal, { code: Code }>;
}

/** Returns the decision on a command, and expects it to be accepted. */
export function expectDecision(
  snapshot: TaskSnapshot,
  command: Command,
  role: Role = "reviewer",
): Decision {
  return expectAccepted(decide(snapshot, command, context(role)));
}

/** Returns the refusal of a command, and expects it to have the code. */
export function expectRefusal<Code extends RefusalCode>(
  snapshot: TaskSnapshot,
  command: Command,
  code: Code,
  role: Role = "reviewer",
): Extract<Refusal, { code: Code }> {
  return expectRefused(decide(snapshot, command, context(role)), code);
}

/** Returns the decision's events as the writer records them, numbered after the last one. */
export function recordEvents(
  before: Pick<TaskSnapshot, "id" | "eventSeq" | "version" | "steps">,
  decision: Decision,
  at: string,
): RecordedEvent[] {
  return decision.events.map((event, index) => {
    const step =
      decision.step?.id === event.stepId
        ? decision.step
        : before.steps.find(({ id }) => id === event.stepId);
    if (step === undefined) expect.fail(`event ${event.type} names an unknown step`);
    const { id, number } = decision.version ?? before.version;
    expect(event.versionId).toBe(id);
    return {
      taskId: before.id,
      seq: before.eventSeq + index + 1,
      type: event.type,
      stepId: event.stepId,
      versionId: event.versionId,
      step: { kind: step.kind, attempt: step.attempt },
      versionNumber: number,
      fromStatus: event.fromStatus,
      toStatus: event.toStatus,
      fromGate: event.fromGate,
      toGate: event.toGate,
      duplicateOf: event.duplicateOf,
      // Payloads are stored as text, so the fold sees only what survives JSON.
      payload: JSON.parse(JSON.stringify(event.payload)) as unknown,
      at,
    };
  });
}

/** A task and the history that a database would hold for it. */
export class Story {
  task: TaskSnapshot;
  readonly events: RecordedEvent[];
  private readonly newId: () => string;

  constructor(creation: Creation, newId: () => string) {
    const { task, decision } = creation;
    const [event] = decision.events;
    if (event === undefined || decision.step === null || decision.version === null) {
      expect.fail("a creation must have a version, a step and an event");
    }
    const { id, number } = decision.version;
    const step = {
      ...decision.step,
      ...NOT_HELD,
      status: event.toStatus,
      gate: event.toGate,
    };
    const at = minute(1);
    this.newId = newId;
    this.task = {
      ...task,
      archivedAt: null,
      duplicateOf: null,
      eventSeq: 1,
      statusSince: at,
      createdAt: at,
      updatedAt: at,
      version: { id, number },
      step,
      steps: [step],
      reviewSequence: 0,
      reviews: [],
      openRuns: [],
      alreadyDispatched: [],
      namedBy: [],
    };
    this.events = recordEvents(
      { id: task.id, eventSeq: 0, version: { id, number }, steps: [] },
      decision,
      at,
    );
  }

  /** Decides on the command and records the decision. A refusal changes nothing. */
  attempt(command: Command, role: Role = "admin"): Outcome<Decision> {
    const outcome = decide(this.task, command, { actor: actor(role), newId: this.newId });
    if (outcome.ok) {
      const at = minute(this.events.length + 1);
      this.events.push(...recordEvents(this.task, outcome.value, at));
      this.task = apply(this.task, outcome.value, at);
    }
    return outcome;
  }

  /** Adds a queued run to the task, which writes no event. */
  openRun(type: WorkerType): RunFact {
    const run: RunFact = { id: this.newId(), type, state: "QUEUED" };
    this.task = { ...this.task, openRuns: [...this.task.openRuns, run] };
    return run;
  }
}
