import { contentHash } from "../../src/actions/tasks/content-hash.ts";
import type { Actor } from "../../src/domain/actor.ts";
import { apply } from "../../src/domain/lifecycle/apply.ts";
import type { Command, CreateInput } from "../../src/domain/lifecycle/commands.ts";
import { decideCreate } from "../../src/domain/lifecycle/decide/create.ts";
import { decide } from "../../src/domain/lifecycle/decide.ts";
import type { Decision, TaskContent } from "../../src/domain/lifecycle/decision.ts";
import { NOT_HELD, type TaskSnapshot } from "../../src/domain/lifecycle/snapshot.ts";
import type { ReviewOutcome, RunState, WorkerType } from "../../src/domain/lifecycle/statuses.ts";
import type { Outcome } from "../../src/domain/refusals.ts";
import { factsOf, resolve } from "../../src/domain/status/resolve.ts";
import { FIELD_PLACEHOLDERS, formatOf, idPlaceholder, slotOf } from "./placeholders.ts";
import type { RunTemplate, Template } from "./template.ts";

const NOT_OFFERED = {
  attempt: 1,
  offered: false,
  claimed: false,
  heldBy: null,
  verdict: null,
  result: null,
  error: null,
} as const;

const MINUTE_MS = 60_000;

/** The creation of a task. */
export interface WalkStart {
  actor: Actor;
  content: TaskContent;
  priority: number;
  /** True if the task comes from another system and so has an external id. */
  isImported: boolean;
  start?: CreateInput["start"];
}

/** A worker run of the task. */
export type WalkedRun = Pick<RunTemplate, "slot">;

/**
 * Simulates the life of one task in memory. The domain decides every step, and the walk keeps the rows that the writer
 * would record as a template. The walk itself has no lifecycle rules.
 */
export class Walk {
  #snapshot: TaskSnapshot;
  #nowMs = 0;
  readonly #rows: Omit<Template, "task" | "label"> = {
    slots: [],
    versions: [],
    steps: [],
    events: [],
    reviews: [],
    runs: [],
  };
  readonly #createdBy: string;

  constructor({ actor, content, priority, isImported, start }: WalkStart) {
    const { title, taxonomyCode } = FIELD_PLACEHOLDERS;
    const externalId = isImported ? FIELD_PLACEHOLDERS.externalId : null;
    const fields = { title, externalId, taxonomyCode, priority, assignee: null };
    const input = { fields, content, contentHash: contentHash(content), start };
    const { task, decision } = accepted(decideCreate(input, { actor, newId: this.#newId }));
    const { version, step } = decision;
    const [event] = decision.events;
    if (version === null || step === null || event === undefined) {
      throw new Error("A creation opens a version and a step with event 1");
    }
    const opened = { ...step, ...NOT_HELD, status: event.toStatus, gate: event.toGate };
    this.#createdBy = actor.id;
    this.#snapshot = {
      ...task,
      archivedAt: null,
      eventSeq: 0,
      statusSince: "0",
      createdAt: "0",
      updatedAt: "0",
      version,
      step: opened,
      steps: [opened],
      reviewSequence: 0,
      reviews: [],
      openRuns: [],
      alreadyDispatched: [],
      duplicateOf: null,
      namedBy: [],
    };
    this.#record(decision, actor);
    this.#snapshot = { ...this.#snapshot, eventSeq: 1 };
  }

  /** Applies a command after the given number of minutes. */
  act(actor: Actor, command: Command, minutes: number): this {
    this.#nowMs += minutes * MINUTE_MS;
    const decision = accepted(decide(this.#snapshot, command, { actor, newId: this.#newId }));
    this.#record(decision, actor);
    // As in all template rows, times are milliseconds since the creation.
    this.#snapshot = apply(this.#snapshot, decision, String(this.#nowMs));
    return this;
  }

  /** Opens a run of the current step. Opening a run writes no event. */
  openRun(actor: Actor, type: WorkerType, minutes: number): WalkedRun {
    this.#nowMs += minutes * MINUTE_MS;
    const { step, version, openRuns } = this.#snapshot;
    const id = this.#newId();
    const run: RunTemplate = {
      slot: slotOf(id),
      at_ms: this.#nowMs,
      version_slot: slotOf(version.id),
      step_slot: slotOf(step.id),
      type,
      state: "QUEUED",
      verdict: null,
      result: null,
      error: null,
      updated_ms: this.#nowMs,
      created_by: actor.id,
    };
    this.#rows.runs.push(run);
    this.#snapshot = { ...this.#snapshot, openRuns: [...openRuns, { id, type, state: "QUEUED" }] };
    return run;
  }

  /** Reports on a run as its worker. The run was pushed to the worker, not claimed by it. */
  report(
    actor: Actor,
    { slot }: WalkedRun,
    report: { state: RunState; verdict?: ReviewOutcome; result?: unknown; error?: string },
    minutes: number,
  ): this {
    const run = this.#snapshot.openRuns.find(({ id }) => slotOf(id) === slot);
    if (run === undefined) throw new Error("The run has ended");
    const found = { ...NOT_OFFERED, ...run, stepId: this.#snapshot.step.id };
    return this.act(actor, { type: "report", run: found, ...report }, minutes);
  }

  /** Returns all rows of the task. */
  template(): Template {
    const { step, version, externalId, assignee, priority } = this.#snapshot;
    const { statusSince, archivedAt, updatedAt } = this.#snapshot;
    return {
      ...this.#rows,
      label: resolve(factsOf(this.#snapshot)),
      task: {
        has_external_id: externalId !== null,
        has_assignee: assignee !== null,
        priority,
        step_slot: slotOf(step.id),
        version_slot: slotOf(version.id),
        status_since_ms: Number(statusSince),
        archived_ms: archivedAt === null ? null : Number(archivedAt),
        updated_ms: Number(updatedAt),
        created_by: this.#createdBy,
      },
    };
  }

  readonly #newId = (): string => {
    const slot = this.#rows.slots.length + 1;
    this.#rows.slots.push({ slot, at_ms: this.#nowMs });
    return idPlaceholder(slot);
  };

  /** Records the rows that the writer would write for a decision, in the writer's order. */
  #record(decision: Decision, actor: Actor): void {
    if (decision.dispatches.length > 0) throw new Error("A walk must not dispatch pipelines");
    this.#recordEvents(decision, actor);
    this.#recordOpened(decision, actor);
    this.#recordStates(decision);
    this.#recordReviews(decision, actor);
    this.#recordRuns(decision);
  }

  #recordEvents({ events }: Decision, actor: Actor): void {
    const operation = slotOf(this.#newId());
    for (const [index, event] of events.entries()) {
      this.#rows.events.push({
        seq: this.#snapshot.eventSeq + index + 1,
        at_ms: this.#nowMs,
        version_slot: slotOf(event.versionId),
        step_slot: slotOf(event.stepId),
        type: event.type,
        from_status: event.fromStatus,
        to_status: event.toStatus,
        from_gate: event.fromGate,
        to_gate: event.toGate,
        actor_id: actor.id,
        actor_name: actor.name,
        actor_kind: actor.kind,
        actor_role: actor.role,
        reason: event.reason,
        payload_format: formatOf(event.payload),
        is_duplicate: event.toStatus === "duplicate" && event.fromStatus !== "duplicate",
        operation_slot: operation,
      });
    }
  }

  #recordOpened({ version, step }: Decision, actor: Actor): void {
    if (version !== null) {
      const sealed = this.#rows.versions.at(-1);
      if (sealed !== undefined) sealed.sealed_ms = this.#nowMs;
      this.#rows.versions.push({
        slot: slotOf(version.id),
        at_ms: this.#nowMs,
        number: version.number,
        content: version.content,
        content_hash: version.contentHash,
        step_slot: 0,
        reason: version.reason,
        created_by: actor.id,
        sealed_ms: null,
      });
    }
    if (step !== null) {
      this.#rows.steps.push({
        slot: slotOf(step.id),
        at_ms: this.#nowMs,
        version_slot: slotOf(step.versionId),
        kind: step.kind,
        attempt: step.attempt,
        status: "",
        gate: "",
        event_seq: 0,
      });
    }
  }

  /** Updates the steps and the active version from the newest events. */
  #recordStates({ events }: Decision): void {
    for (const event of this.#rows.events.slice(this.#rows.events.length - events.length)) {
      const step = this.#rows.steps.find(({ slot }) => slot === event.step_slot);
      const version = this.#rows.versions.at(-1);
      if (step === undefined || version === undefined)
        throw new Error("The event's step is unknown");
      step.status = event.to_status;
      step.gate = event.to_gate;
      step.event_seq = event.seq;
      version.step_slot = event.step_slot;
    }
  }

  #recordReviews({ reviews }: Decision, actor: Actor): void {
    for (const review of reviews) {
      this.#rows.reviews.push({
        slot: slotOf(review.id),
        at_ms: this.#nowMs,
        version_slot: slotOf(review.versionId),
        step_slot: slotOf(review.stepId),
        kind: review.kind,
        outcome: review.outcome,
        sequence: review.sequence,
        notes: review.notes,
        reviewer_id: actor.id,
        reviewer_name: actor.name,
      });
    }
  }

  #recordRuns({ runs }: Decision): void {
    for (const change of runs) {
      const run = this.#rows.runs.find(({ slot }) => slot === slotOf(change.id));
      if (run === undefined) throw new Error("The decision changes a run that was not opened");
      run.state = change.state;
      run.verdict = change.verdict;
      run.result = change.result ?? run.result;
      run.error = change.error ?? run.error;
      run.updated_ms = this.#nowMs;
    }
  }
}

/** Returns the value of an outcome. Throws an Error if the outcome is a refusal. */
function accepted<Value>(outcome: Outcome<Value>): Value {
  if (outcome.ok) return outcome.value;
  throw new Error(`The domain refused a step of an archetype: ${outcome.refusal.detail}`);
}
