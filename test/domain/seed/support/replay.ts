import { expect } from "vitest";
import type { Actor } from "../../../../src/domain/actor.ts";
import { judge } from "../../../../src/domain/bulk/judge.ts";
import { decideRevert } from "../../../../src/domain/bulk/revert.ts";
import { apply } from "../../../../src/domain/lifecycle/apply.ts";
import type {
  Command,
  EventOfReview,
  ReportedRun,
} from "../../../../src/domain/lifecycle/commands.ts";
import { decide } from "../../../../src/domain/lifecycle/decide.ts";
import { decideCreate } from "../../../../src/domain/lifecycle/decide/create.ts";
import type { Decision, NewReview } from "../../../../src/domain/lifecycle/decision.ts";
import type { RecordedEvent } from "../../../../src/domain/lifecycle/fold.ts";
import { NOT_HELD, type TaskSnapshot } from "../../../../src/domain/lifecycle/snapshot.ts";
import type { AsideReason } from "../../../../src/domain/lifecycle/decision.ts";
import { isPermitted, type Right } from "../../../../src/domain/rights.ts";
import type { PlannedAct, PlannedAction, TeamPlan } from "../../../../src/domain/seed/plan.ts";
import { expectAccepted, NOT_OFFERED, recordEvents } from "../../support/world.ts";
import { EvalBook } from "./eval-book.ts";

interface Told {
  snapshot: TaskSnapshot;
  events: (RecordedEvent & { operationId: string })[];
}

/** What the actions other than lifecycle commands need. `permit` of the routes checks the same. */
const RIGHTS: Partial<Record<PlannedAct["type"], Right>> = {
  startRun: "reportRun",
  prompt: "recordPrompt",
  data: "recordData",
  eval: "recordEval",
  moveEval: "recordEval",
  trials: "recordTrial",
  retract: "recordTrial",
  recordEvaluation: "recordTrial",
  insight: "recordInsight",
  bulk: "bulk",
  revert: "bulk",
};

/** Carries out planned actions with the pure domain, as the writer would, and expects each to be accepted. */
export class Replay {
  readonly tasks = new Map<number, Told>();
  readonly runs = new Map<string, ReportedRun & { task: number }>();
  readonly reviews = new Map<string, { review: NewReview; operationId: string; task: number }>();
  readonly evals = new EvalBook();
  /** What became of reports that did not move their step. */
  readonly keptAside = new Map<AsideReason, number>();
  private readonly bulks = new Map<string, Map<number, number>>();
  private readonly actors: ReadonlyMap<string, Actor>;
  private ids = 0;
  private operations = 0;

  constructor({ people }: Pick<TeamPlan, "people">) {
    const persons = people.map(({ key, name, role }): [string, Actor] => [
      key,
      { id: key, name, kind: "person", role },
    ]);
    const service = { id: "service", name: "worker", kind: "service", role: "service" } as const;
    this.actors = new Map([...persons, ["service", service]]);
  }

  act({ act, actor: key, tasks, at }: PlannedAction): void {
    const actor = this.actors.get(key);
    if (actor === undefined) expect.fail(`${key} is no one`);
    this.operations += 1;
    const right = RIGHTS[act.type];
    if (right !== undefined) expect(isPermitted(actor.role, right), act.type).toBe(true);
    for (const task of tasks) this.actOn(task, { act, actor, at });
    if (act.type === "recordEvaluation") {
      expect(new Set(act.results.map(({ task }) => task))).toEqual(new Set(tasks));
    }
  }

  told(task: number): Told {
    const told = this.tasks.get(task);
    if (told === undefined) expect.fail(`task ${task} does not exist yet`);
    return told;
  }

  private readonly newId = (): string => `id-${(this.ids += 1)}`;

  private actOn(task: number, call: { act: PlannedAct; actor: Actor; at: string }): void {
    const { act, actor, at } = call;
    if (act.type === "create") {
      this.create(task, { act, actor, at });
      return;
    }
    const { snapshot } = this.told(task);
    switch (act.type) {
      case "startRun": {
        const { run: id, worker: type } = act;
        expect(this.runs.has(id), id).toBe(false);
        const stepId = snapshot.step.id;
        this.runs.set(id, { id, type, state: "QUEUED", stepId, ...NOT_OFFERED, task });
        const openRuns = [...snapshot.openRuns, { id, type, state: "QUEUED" as const }];
        this.told(task).snapshot = { ...snapshot, openRuns };
        return;
      }
      case "bulk": {
        const { intent, reason } = act;
        const terms = { reason, duplicateOf: null, runAttachedWorkflows: false };
        const judged = judge(snapshot, intent, terms, this.newId);
        if (!judged.ok) expect.fail(`bulk refused task ${task}: ${judged.code}`);
        this.record(task, judged.change, at);
        const seqs = this.bulks.get(act.bulk) ?? new Map<number, number>();
        this.bulks.set(act.bulk, seqs.set(task, this.told(task).snapshot.eventSeq));
        return;
      }
      case "revert":
        this.revert(task, act, at);
        return;
      case "prompt":
      case "data":
      case "insight":
        return;
      case "eval":
      case "moveEval":
      case "trials":
      case "retract":
      case "recordEvaluation":
        this.evals.act(task, snapshot.version.id, act);
        return;
      default:
        this.command(task, { act, actor, at });
    }
  }

  private create(
    task: number,
    { act, actor, at }: { act: Extract<PlannedAct, { type: "create" }>; actor: Actor; at: string },
  ): void {
    expect(this.tasks.has(task)).toBe(false);
    const { fields, content } = act;
    const context = { actor, newId: this.newId };
    const creation = expectAccepted(decideCreate({ fields, content, contentHash: "" }, context));
    const { decision } = creation;
    const [event] = decision.events;
    if (event === undefined || decision.step === null || decision.version === null) {
      expect.fail("a creation has a version, a step and an event");
    }
    const step = { ...decision.step, ...NOT_HELD, status: event.toStatus, gate: event.toGate };
    const { id, number } = decision.version;
    const snapshot: TaskSnapshot = {
      ...creation.task,
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
    const before = { id: snapshot.id, eventSeq: 0, version: { id, number }, steps: [] };
    const events = recordEvents(before, decision, at).map((one) => this.ofOperation(one));
    this.tasks.set(task, { snapshot, events });
  }

  private command(task: number, call: { act: PlannedAct; actor: Actor; at: string }): void {
    const { act, actor, at } = call;
    const { snapshot } = this.told(task);
    const command = this.commandOf(task, act);
    const outcome = decide(snapshot, command, { actor, newId: this.newId });
    if (!outcome.ok) {
      const { kind, status, gate } = snapshot.step;
      const { code, detail } = outcome.refusal;
      expect.fail(
        `task ${task} at ${kind} ${status} ${gate} refuses ${JSON.stringify(act)}: ${code}, ${detail}`,
      );
    }
    const decision = outcome.value;
    expect(decision.events.length + decision.runs.length, JSON.stringify(act)).toBeGreaterThan(0);
    if (act.type === "review") {
      const [review] = decision.reviews;
      if (review === undefined) expect.fail("a review is recorded");
      this.reviews.set(act.review, { review, operationId: this.operationId(), task });
    }
    if (decision.keptAside !== null) {
      const { reason } = decision.keptAside;
      this.keptAside.set(reason, (this.keptAside.get(reason) ?? 0) + 1);
    }
    this.record(task, decision, at);
  }

  private commandOf(task: number, act: PlannedAct): Command {
    const runAttachedWorkflows = false;
    switch (act.type) {
      case "move": {
        const { command } = act;
        switch (command.type) {
          case "transition": {
            const { duplicateOf, ...rest } = command;
            const original =
              duplicateOf === undefined ? undefined : this.original(task, duplicateOf);
            return { ...rest, duplicateOf: original, runAttachedWorkflows };
          }
          case "version":
            return { ...command, contentHash: "", runAttachedWorkflows };
          case "gate":
            return command;
          default:
            return { ...command, runAttachedWorkflows };
        }
      }
      case "review": {
        const { review: _, move, ...rest } = act;
        const duplicateOf = move?.duplicateOf;
        const original = duplicateOf === undefined ? undefined : this.original(task, duplicateOf);
        return {
          ...rest,
          move: move && { ...move, duplicateOf: original, runAttachedWorkflows },
        };
      }
      case "withdraw":
        return { type: "withdraw", review: this.recorded(task, act.review), reason: act.reason };
      case "report": {
        const { run: id, ...rest } = act;
        const run = this.runs.get(id);
        if (run === undefined) expect.fail(`${id} was not started`);
        expect(run.task).toBe(task);
        return { ...rest, run };
      }
      case "note":
      case "edit":
        return act;
      default:
        return expect.fail(`${act.type} is no command`);
    }
  }

  /** Returns the original, and remembers that the task names it. */
  private original(task: number, of: number) {
    const told = this.told(of);
    const { snapshot } = told;
    told.snapshot = { ...snapshot, namedBy: [...snapshot.namedBy, this.told(task).snapshot.id] };
    return { id: snapshot.id, status: snapshot.step.status, isArchived: false };
  }

  private recorded(task: number, key: string) {
    const known = this.reviews.get(key);
    if (known === undefined) expect.fail(`${key} was not recorded`);
    const { review, operationId } = known;
    const { events } = this.told(task);
    const first = events.findIndex((event) => event.operationId === operationId);
    const { id, stepId, kind, outcome, sequence } = review;
    const facts = { id, stepId, kind, outcome, sequence, namedBefore: null };
    const after: EventOfReview[] = events.slice(first);
    return { ...facts, isOwn: true, isWithdrawn: false, isReported: false, events: after };
  }

  private revert(task: number, act: Extract<PlannedAct, { type: "revert" }>, at: string): void {
    const { snapshot, events } = this.told(task);
    const seq = this.bulks.get(act.bulk)?.get(task);
    const event = events.find((one) => one.seq === seq);
    if (event === undefined) expect.fail("the bulk operation did not change the task");
    const { type, fromStatus, fromGate, payload } = event;
    if (fromStatus === null || fromGate === null) expect.fail("a bulk change opens no step");
    const undone = { seq: event.seq, type, fromStatus, fromGate, payload };
    const action = type === "task_updated" ? ("edit" as const) : null;
    const reverted = decideRevert(snapshot, {
      operation: { id: act.bulk, action },
      event: { ...undone, namedBefore: null, review: null },
      reason: act.reason,
    });
    if (reverted === null) expect.fail(`task ${task} has changed since the bulk operation`);
    this.record(task, reverted.change, at);
  }

  private record(task: number, decision: Decision, at: string): void {
    const told = this.told(task);
    const { snapshot } = told;
    for (const event of recordEvents(snapshot, decision, at)) {
      told.events.push(this.ofOperation(event));
    }
    for (const { id, ...change } of decision.runs) {
      const run = this.runs.get(id);
      if (run !== undefined) this.runs.set(id, { ...run, ...change });
    }
    told.snapshot = apply(snapshot, decision, at);
  }

  private operationId(): string {
    return `operation-${this.operations}`;
  }

  private ofOperation(event: RecordedEvent) {
    return { ...event, operationId: this.operationId() };
  }
}
