import type { StepEventView } from "../../../src/actions/views/event-view.ts";
import { apply } from "../../../src/domain/lifecycle/apply.ts";
import type { Creation } from "../../../src/domain/lifecycle/decide/create.ts";
import type { Decision, LateReport, NewEvent } from "../../../src/domain/lifecycle/decision.ts";
import type { RecordedEvent, TaskState } from "../../../src/domain/lifecycle/fold.ts";
import { isRunEnded, isStatusRelevant } from "../../../src/domain/lifecycle/runs.ts";
import {
  NOT_HELD,
  type RunFact,
  type StepSnapshot,
  type TaskSnapshot,
} from "../../../src/domain/lifecycle/snapshot.ts";
import {
  isOfVersion,
  type Pipeline,
  PIPELINE_NAMES,
} from "../../../src/domain/pipelines/pipelines.ts";
import type {
  ReviewOutcome,
  RunState,
  WorkerType,
} from "../../../src/domain/lifecycle/statuses.ts";
import type { Role } from "../../../src/domain/actor.ts";
import type { EventOfReview, RecordedReview } from "../../../src/domain/lifecycle/commands.ts";

/** A run, and the reports that came after its end. */
interface ModelRun {
  id: string;
  type: WorkerType;
  state: RunState;
  stepId: string;
  verdict: ReviewOutcome | null;
  result: unknown;
  error: string | null;
  lateReports: number;
  lateReport: Omit<LateReport, "id" | "runId"> | null;
}

interface ModelDispatch {
  /** Null if no answer has reported it. */
  id: string | null;
  pipeline: Pipeline;
  stepId: string;
  versionId: string;
  /** The seq of the event that caused it. */
  causeSeq: number;
  isRecalled: boolean;
}

/** Who holds the review of a step. No lease of a walk runs out. */
interface ModelClaim {
  id: string;
  by: Role;
  stepId: string;
  leaseUntil: string;
}

interface ModelReview extends Omit<RecordedReview, "isOwn" | "events" | "namedBefore"> {
  /** What the task named as its original when the review was recorded. */
  namedBefore: string | null;
  /** The role whose credential recorded it. */
  by: Role;
  seq: number;
}

/** The state of a task after all decisions about it, computed by the pure domain without tables or events. */
export class TaskModel {
  snapshot: TaskSnapshot;
  sealedSteps: StepSnapshot[] = [];
  readonly runs: ModelRun[] = [];
  readonly dispatches: ModelDispatch[] = [];
  /** Every late report of the task as text. A repeat of one is not kept. */
  readonly #lateReports = new Set<string>();
  readonly reviews: ModelReview[] = [];
  claim: ModelClaim | null = null;
  /** Who created the task, and who its active version. */
  authors: { task: Role; version: Role };
  readonly #declined = new Set<string>();
  readonly #events: EventOfReview[] = [];

  constructor({ task, decision }: Creation, { at, by }: { at: string; by: Role }) {
    this.authors = { task: by, version: by };
    const { version, step } = decision;
    const [event] = decision.events;
    if (version === null || step === null || event === undefined) {
      throw new Error("a creation must have a version, a step and event 1");
    }
    const opened = { ...step, ...NOT_HELD, status: event.toStatus, gate: event.toGate };
    this.snapshot = {
      ...task,
      archivedAt: null,
      duplicateOf: null,
      eventSeq: 1,
      statusSince: at,
      createdAt: at,
      updatedAt: at,
      version: { id: version.id, number: version.number },
      step: opened,
      steps: [opened],
      reviewSequence: 0,
      reviews: [],
      openRuns: [],
      alreadyDispatched: [],
      namedBy: [],
    };
  }

  /** The number of the expert review that the current step waits for. */
  get round(): number {
    const { step } = this.snapshot;
    return (
      this.reviews.filter(({ kind, stepId }) => kind === "expert" && stepId === step.id).length + 1
    );
  }

  /** The claim of the current step, if someone holds it. */
  get heldClaim(): ModelClaim | null {
    return this.claim?.stepId === this.snapshot.step.id ? this.claim : null;
  }

  /** Whether a claim by this caller can get the task. */
  isOffered(to: Role, { own }: { own: boolean }): boolean {
    const { step, archivedAt } = this.snapshot;
    const isOwn = this.authors.task === to || this.authors.version === to;
    return (
      archivedAt === null &&
      step.kind === "expert_review" &&
      ["queued", "awaiting_review", "in_review"].includes(step.status) &&
      step.gate !== "blocked" &&
      this.heldClaim === null &&
      !this.#declined.has(`${to} ${step.id} ${this.round}`) &&
      (own || !isOwn)
    );
  }

  /** Lets the claim of the current step go. */
  letGo({ isDeclined }: { isDeclined: boolean }): void {
    const { heldClaim, round } = this;
    if (isDeclined && heldClaim) this.#declined.add(`${heldClaim.by} ${heldClaim.stepId} ${round}`);
    this.claim = null;
  }

  /** The event that recorded a review, and those that follow it. */
  eventsSince({ seq }: ModelReview): EventOfReview[] {
    return this.#events.filter((event) => event.seq >= seq);
  }

  get id(): string {
    return this.snapshot.id;
  }

  /** All steps of all versions, the current one last. */
  get allSteps(): StepSnapshot[] {
    const { steps, step } = this.snapshot;
    return [...this.sealedSteps, ...steps.filter(({ id }) => id !== step.id), step];
  }

  /** The dispatches of a decision that the outbox accepts: those that are not already open. */
  acceptedDispatches(decision: Decision): Decision["dispatches"] {
    return decision.dispatches.filter(
      ({ pipeline, stepId, versionId }) =>
        this.openDispatch(pipeline, { stepId, versionId }) === null,
    );
  }

  /** The open dispatch that blocks another: the version's payment, or one that the step waits for. */
  openDispatch(
    pipeline: Pipeline,
    { stepId, versionId }: { stepId: string; versionId: string },
  ): ModelDispatch | null {
    const open = this.dispatches.find(
      (one) =>
        !one.isRecalled &&
        one.pipeline === pipeline &&
        (isOfVersion(pipeline) ? one.versionId === versionId : one.stepId === stepId),
    );
    return open ?? null;
  }

  openRun(run: { id: string; type: WorkerType }): void {
    const { step, openRuns } = this.snapshot;
    const said = { verdict: null, result: null, error: null, lateReports: 0, lateReport: null };
    this.runs.push({ ...run, state: "QUEUED", stepId: step.id, ...said });
    this.snapshot = { ...this.snapshot, openRuns: [...openRuns, { ...run, state: "QUEUED" }] };
  }

  addDispatch(dispatch: Omit<ModelDispatch, "isRecalled" | "causeSeq">): void {
    const causeSeq = this.snapshot.eventSeq;
    this.dispatches.push({ ...dispatch, causeSeq, isRecalled: false });
    this.updateDispatches();
  }

  /** Records a decision at the time of the service. `reported` are the dispatches in the answer. */
  record(
    decision: Decision,
    at: string,
    { by, reported }: { by: Role; reported: readonly { id: string | null; pipeline: Pipeline }[] },
  ): void {
    const accepted = this.acceptedDispatches(decision);
    this.recordEvents(decision, by);
    if (decision.version !== null) this.sealedSteps.push(...this.snapshot.steps);
    this.snapshot = apply(this.snapshot, decision, at);
    for (const review of this.reviews) {
      review.isWithdrawn ||= decision.withdrawals.some(({ reviewId }) => reviewId === review.id);
    }
    for (const change of decision.runs) {
      const run = this.runs.find(({ id }) => id === change.id);
      if (run === undefined || isRunEnded(run.state)) continue;
      run.state = change.state;
      run.verdict = change.verdict;
      run.result = change.result ?? run.result;
      run.error = change.error ?? run.error;
    }
    this.#keepLate(decision.lateReport);
    const { recall } = decision;
    for (const dispatch of recall === null ? [] : this.dispatches) {
      dispatch.isRecalled ||= isOfVersion(dispatch.pipeline)
        ? recall?.ofVersion === true && dispatch.versionId === recall.versionId
        : recall?.ofStep === true && dispatch.stepId === recall.stepId;
    }
    for (const dispatch of this.undoneDispatches(decision)) dispatch.isRecalled = true;
    for (const { pipeline, stepId, versionId } of accepted) {
      const id = reported.find((one) => one.pipeline === pipeline)?.id ?? null;
      const causeSeq = this.snapshot.eventSeq;
      this.dispatches.push({ id, pipeline, stepId, versionId, causeSeq, isRecalled: false });
    }
    this.updateDispatches();
  }

  #keepLate(late: LateReport | null): void {
    const run = this.runs.find(({ id }) => id === late?.runId);
    if (late === null || run === undefined) return;
    const { id: _, runId, ...report } = late;
    const text = JSON.stringify([runId, report]);
    if (this.#lateReports.has(text)) return;
    this.#lateReports.add(text);
    run.lateReports += 1;
    run.lateReport = report;
  }

  /** The dispatches of the change that a decision undoes. None of a walk is ever delivered. */
  undoneDispatches({ undoes }: Decision): ModelDispatch[] {
    return this.dispatches.filter(
      ({ causeSeq, isRecalled }) => !isRecalled && causeSeq === undoes?.seq,
    );
  }

  /** Keeps the events of a decision, and its reviews with the number of their events. */
  private recordEvents(decision: Decision, by: Role): void {
    const operationId = crypto.randomUUID();
    const recorded = decision.events.map(
      ({ type, stepId, fromStatus, fromGate, payload }, index) => ({
        seq: this.snapshot.eventSeq + index + 1,
        type,
        stepId,
        fromStatus,
        fromGate,
        operationId,
        payload,
      }),
    );
    this.#events.push(...recorded);
    const isReported = recorded.some(({ type }) => type === "worker_run_changed");
    const reviewed = recorded.filter(({ type }) => type === "review_recorded");
    for (const [index, { id, stepId, kind, outcome, sequence }] of decision.reviews.entries()) {
      const seq = reviewed[index]?.seq ?? 0;
      const { duplicateOf: namedBefore } = this.snapshot;
      const known = { id, stepId, kind, outcome, sequence, isReported, namedBefore };
      const review = { ...known, isWithdrawn: false };
      this.reviews.push({ ...review, by, seq });
    }
  }

  /** Updates the snapshot's list of dispatched pipelines from the outbox. */
  private updateDispatches(): void {
    const { step, version } = this.snapshot;
    const alreadyDispatched = PIPELINE_NAMES.filter(
      (pipeline) =>
        this.openDispatch(pipeline, { stepId: step.id, versionId: version.id }) !== null,
    );
    this.snapshot = { ...this.snapshot, alreadyDispatched };
  }
}

/** The predictable part of a decided event: everything except number, time, hashes and request. */
export function expectedEvent(
  event: NewEvent,
  { snapshot }: TaskModel,
  decision: Decision,
): Record<string, unknown> {
  const { stepId, versionId, type, reason, duplicateOf, runAttachedWorkflows } = event;
  const step = [...snapshot.steps, ...(decision.step ? [decision.step] : [])].find(
    ({ id }) => id === stepId,
  );
  if (step === undefined) throw new Error("an event must name a step of the active version");
  const { kind, attempt } = step;
  return {
    type,
    stepId,
    versionId,
    step: { id: stepId, kind, attempt },
    versionNumber: (decision.version ?? snapshot.version).number,
    from: event.fromStatus,
    to: event.toStatus,
    fromGate: event.fromGate,
    toGate: event.toGate,
    reason,
    // Payloads are stored as JSON, which drops undefined members.
    payload: JSON.parse(JSON.stringify(event.payload)) as unknown,
    duplicateOf,
    runAttachedWorkflows,
  };
}

/** The predictable part of a written event. */
export function predictablePart(event: StepEventView): Record<string, unknown> {
  const { type, stepId, versionId, step, versionNumber, from, to, fromGate, toGate } = event;
  const { reason, payload, duplicateOf, runAttachedWorkflows } = event;
  const position = { type, stepId, versionId, step, versionNumber, from, to, fromGate, toGate };
  return { ...position, reason, payload, duplicateOf, runAttachedWorkflows };
}

/** An event of the API, in the form that the fold reads. */
export function recordedEvent(event: StepEventView): RecordedEvent {
  const { from, to, ...same } = event;
  return { ...same, fromStatus: from, toStatus: to };
}

/** The part of a task's state that its history contains: no dispatches, and no runs that labels ignore. */
export function knownToHistory(model: TaskModel): TaskState {
  const { alreadyDispatched: _, namedBy: _named, ...task } = model.snapshot;
  const openRuns = task.openRuns.filter(
    ({ state, type }) => state === "RUNNING" && isStatusRelevant(type),
  );
  return { ...task, openRuns: byId(openRuns), sealedSteps: model.sealedSteps };
}

/** The same state with its runs in a fixed order, for comparison. */
export function inOrder(state: TaskState): TaskState {
  return { ...state, openRuns: byId(state.openRuns) };
}

function byId(runs: readonly RunFact[]): RunFact[] {
  return runs.toSorted((one, other) => (one.id < other.id ? -1 : 1));
}
