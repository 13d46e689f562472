import { expect } from "vitest";
import { contentHash } from "../../../src/actions/tasks/content-hash.ts";
import type { Moved } from "../../../src/actions/moves/move-task.ts";
import { stepView, type TaskView, taskView } from "../../../src/actions/views/task-view.ts";
import type { Role } from "../../../src/domain/actor.ts";
import type { Command, DecisionContext } from "../../../src/domain/lifecycle/commands.ts";
import { decide } from "../../../src/domain/lifecycle/decide.ts";
import { decideCreate } from "../../../src/domain/lifecycle/decide/create.ts";
import type { Decision } from "../../../src/domain/lifecycle/decision.ts";
import { REPORT_EFFECTS } from "../../../src/domain/lifecycle/runs.ts";
import { WORKER_TYPES } from "../../../src/domain/lifecycle/statuses.ts";
import { pipelinesWaitedFor } from "../../../src/domain/lifecycle/idle.ts";
import {
  archived,
  forbidden,
  notFound,
  type Outcome,
  refuse,
} from "../../../src/domain/refusals.ts";
import { isPermitted, requiredRole } from "../../../src/domain/rights.ts";
import { rightFor } from "../../../src/domain/lifecycle/right-for.ts";
import { expectDone } from "../api.ts";
import { passIdleTime } from "../run-rows.ts";
import { expectAgreement, expectRecorded, expectUnchanged } from "./agreement.ts";
import {
  type CommandCall,
  commandCallOf,
  contextOf,
  REASON,
  stepOf,
  UNKNOWN_ID,
} from "./command-calls.ts";
import { readEvents } from "./history.ts";
import type { RandomCall, WishTo } from "./random-calls.ts";
import { expectRefusal, originalOfCommand, refusalOfDispatch, takenBy } from "./refusals.ts";
import { predictablePart, expectedEvent, TaskModel } from "./task-model.ts";
import { type Bindings, expectMatch, substitute } from "./unify.ts";
import { walkClaim, walkLetGo } from "./walk-claims.ts";
import { walkBulk, walkMoves } from "./walk-many.ts";
import { WalkedTenant } from "./walked-tenant.ts";

/**
 * Sends random calls for a tenant and predicts each answer. The service works on its tables; the walk uses only the
 * pure domain. After every call both must be in the same state.
 */
export class Walk extends WalkedTenant {
  /** Sends the call and compares the answer with the prediction, then reads the tasks involved and compares those. */
  async take(call: RandomCall): Promise<void> {
    const { wish } = call;
    switch (wish.do) {
      case "create":
        return this.create(call.as, wish);
      case "run":
        return this.#startRun(call, wish);
      case "idle":
        return this.#idle(call);
      case "dispatch":
        return this.#dispatch(call, wish);
      case "bulk":
        return walkBulk(this, call, wish);
      case "moves":
        return walkMoves(this, call, wish);
      case "claim":
        return walkClaim(this, call, wish);
      case "letGo":
        return walkLetGo(this, call, wish);
      default:
        return this.#command(call, commandCallOf(call, wish, this.modelOf(call.task), this));
    }
  }

  /** Sends a create call, which may be refused. */
  async create(as: Role, wish: WishTo<"create">): Promise<void> {
    const start = wish.start && { ...wish.start, reason: REASON };
    const externalId = this.externalId(wish.externalId);
    const content = { metadata: { walk: this.name } };
    // Claims of this walk ask for its tasks alone.
    const taxonomyCode = this.name;
    const body = { title: "One title", taxonomyCode, priority: wish.priority, content, start };
    const fields = {
      title: body.title,
      externalId: externalId ?? null,
      taxonomyCode,
      priority: wish.priority ?? 0,
      assignee: null,
    };
    const outcome = decideCreate(
      { fields, content, contentHash: contentHash(content), start },
      contextOf(as),
    );
    const answer = await this.api.call<TaskView>("POST", "/tasks", {
      as,
      body: { ...body, ...(typeof externalId === "string" && { externalId }) },
    });
    const holder = this.holderOf(externalId);
    if (!outcome.ok) return expectRefusal(answer, outcome.refusal);
    if (holder !== undefined) return expectRefusal(answer, takenBy(holder));

    const answered = expectDone(answer, 201);
    const model = new TaskModel(outcome.value, { at: "new:at", by: as });
    const bindings: Bindings = new Map();
    expectMatch(taskView(model.snapshot), answered, bindings);
    const [event] = await readEvents(this.api, answered.id);
    const { decision } = outcome.value;
    const [decided] = decision.events;
    if (event === undefined || decided === undefined) return expect.fail("the task has no event 1");
    expectMatch(expectedEvent(decided, model, decision), predictablePart(event), bindings);
    model.snapshot = substitute(model.snapshot, bindings);
    this.models.push(model);
    await expectAgreement(this.api, model);
  }

  async #command(call: RandomCall, commandCall: CommandCall | null): Promise<void> {
    const model = this.modelOf(call.task);
    // Nothing fits the wish: a report for a task without runs.
    if (commandCall === null) return;
    const as = commandCall.command.type === "report" && call.as !== "viewer" ? "service" : call.as;
    const ifMatch = {
      none: undefined,
      now: model.snapshot.eventSeq,
      before: model.snapshot.eventSeq - 1,
    }[call.condition];
    const outcome = this.#judge(model, commandCall.command, contextOf(as), ifMatch);
    const answer = await this.send<Moved & Record<string, unknown>>(call, commandCall, {
      as,
      ...(ifMatch !== undefined && { ifMatch }),
    });
    if (!outcome.ok) {
      expectRefusal(answer, outcome.refusal);
      return expectUnchanged(this.api, model);
    }

    const isNew = ["note", "version", "review"].includes(commandCall.command.type);
    const answered = expectDone(answer, isNew ? 201 : 200);
    expect(answer.headers.get("etag")).toBe(`"${answered.task.eventSeq}"`);
    const decision = outcome.value;
    const bindings: Bindings = new Map();
    expectMatch(
      decision.events.map((event) => expectedEvent(event, model, decision)),
      answered.events.map(predictablePart),
      bindings,
    );
    const dispatched = model.acceptedDispatches(decision);
    expectMatch(
      dispatched.map(({ id, pipeline }) => ({ id, pipeline })),
      answered.dispatched,
      bindings,
    );
    if (commandCall.command.type === "review") {
      const [review] = decision.reviews;
      const { versionId: _, ...expected } = review ?? expect.fail("the decision has no review");
      expectMatch(expected, answered["review"], bindings);
    }
    const { eventSeq, updatedAt } = model.snapshot;
    expect(answered.events.map(({ seq }) => seq - eventSeq)).toEqual(
      decision.events.map((_, index) => index + 1),
    );
    const at = answered.events.at(-1)?.at ?? updatedAt;
    for (const event of answered.events) {
      expect(event).toMatchObject({ at, bulkOperationId: null, actor: { role: as } });
      expect(event.requestId).toBe(answer.headers.get("x-request-id"));
    }
    if (commandCall.command.type === "withdraw") {
      const { id, stepId, kind, outcome: was, sequence } = commandCall.command.review;
      const recalled = model.undoneDispatches(decision).length;
      const review = { id, stepId, kind, outcome: was, sequence };
      expect(answered).toMatchObject({ review, recalled, alreadyDelivered: 0 });
    }
    const recorded = { by: as, reported: answered.dispatched };
    const { heldClaim } = model;
    model.record(substitute(decision, bindings), at, recorded);
    if (commandCall.command.type === "version") model.authors = { ...model.authors, version: as };
    const isReview = commandCall.command.type === "review" && commandCall.command.kind === "expert";
    if (isReview && heldClaim?.by === as) model.claim = null;
    expect(answered.task).toEqual(taskView(model.snapshot));
    expect(answered.step).toEqual(stepView(model.id, model.snapshot.step.id, model.snapshot.step));
    if (commandCall.command.type === "report") {
      const run = model.runs.find(({ id }) => commandCall.path.endsWith(id));
      const { id, type, state, stepId } = run ?? expect.fail("the report names no run");
      expect(answered["run"]).toEqual({ id, type, state, stepId, taskId: model.id });
      expect(answered["keptAside"]).toEqual(decision.keptAside);
    }
    const events = await expectAgreement(this.api, model);
    expect(events.slice(eventSeq)).toEqual(answered.events);
  }

  /** Predicts the outcome of a command on an existing task. */
  #judge(
    model: TaskModel,
    command: Command,
    context: DecisionContext,
    ifMatch?: number,
  ): Outcome<Decision> {
    // Which right a withdrawal takes is known only once its review is loaded.
    const right = command.type === "withdraw" ? "reviewByAutomation" : rightFor(command);
    if (!isPermitted(context.actor.role, right)) return refuse(forbidden(requiredRole(right)));
    const { eventSeq } = model.snapshot;
    if (ifMatch !== undefined && ifMatch !== eventSeq) {
      return refuse({ code: "version_conflict", detail: "", eventSeq });
    }
    if (originalOfCommand(command) === UNKNOWN_ID) return refuse(notFound());
    const outcome = decide(this.namedSnapshot(model), command, context);
    const changed = outcome.ok ? outcome.value.fields?.externalId : undefined;
    const holder = this.holderOf(changed);
    return holder === undefined ? outcome : refuse(takenBy(holder));
  }

  async #startRun(call: RandomCall, wish: WishTo<"run">): Promise<void> {
    const model = this.modelOf(call.task);
    const as = call.as === "viewer" ? "viewer" : "service";
    const fitting = WORKER_TYPES.find(
      (type) => REPORT_EFFECTS[type]?.stepKind === model.snapshot.step.kind,
    );
    const type = wish.suits ? (fitting ?? wish.type) : wish.type;
    const path = `/tasks/${model.id}/worker-runs`;
    const sent = { method: "POST", path, body: { type } };
    const answer = await this.send<{ id: string }>(call, sent, { as });
    if (as === "viewer") return expectRefusal(answer, forbidden("service"));
    if (model.snapshot.archivedAt !== null) return expectRefusal(answer, archived());
    const { id } = expectDone(answer, 201);
    const { step } = model.snapshot;
    expect(answer.body).toMatchObject({ taskId: model.id, stepId: step.id, type, state: "QUEUED" });
    model.openRun({ id, type });
    await expectUnchanged(this.api, model);
  }

  /** Lets time pass, and the sweep mark the task's step if nobody works on it. */
  async #idle(call: RandomCall): Promise<void> {
    const model = this.modelOf(call.task);
    const outcome = decide(model.snapshot, { type: "idle" }, contextOf("service"));
    const isMarked = outcome.ok && outcome.value.events.length > 0;
    if (isMarked) await passIdleTime(this.api.database, [model.id]);
    await this.api.sweep();
    if (!isMarked) return expectUnchanged(this.api, model);
    await expectRecorded(this.api, model, {
      decision: outcome.value,
      bulkOperationId: null,
      by: "service",
    });
  }

  async #dispatch(call: RandomCall, wish: WishTo<"dispatch">): Promise<void> {
    const model = this.modelOf(call.task);
    const step = stepOf(model, wish);
    const [fitting] = pipelinesWaitedFor(model.snapshot.step);
    const pipeline = wish.fits ? (fitting ?? wish.pipeline) : wish.pipeline;
    const body = { pipeline, reason: REASON };
    const sent = { method: "POST", path: `/steps/${step.id}/dispatch`, body };
    const answer = await this.send<{ id: string }>(call, sent, { as: call.as });
    const refusal = refusalOfDispatch(model, step, { pipeline, as: call.as });
    if (refusal !== null) {
      expectRefusal(answer, refusal);
    } else {
      const { id } = expectDone(answer, 201);
      expect(answer.body).toEqual({ id, pipeline, state: "pending" });
      model.addDispatch({ id, pipeline, stepId: step.id, versionId: step.versionId });
    }
    await expectUnchanged(this.api, model);
  }
}
