import { expect } from "vitest";
import { contentHash } from "../../../src/actions/content-hash.ts";
import type { Moved } from "../../../src/actions/move-task.ts";
import type { MovedItem, MovedMany } from "../../../src/actions/move-tasks.ts";
import type { BulkExecution, BulkPreview } from "../../../src/actions/views/bulk-views.ts";
import type { StepEventView } from "../../../src/actions/views/event-view.ts";
import { stepView, type TaskView, taskView } from "../../../src/actions/views/task-view.ts";
import type { Role } from "../../../src/domain/actor.ts";
import { planBulk } from "../../../src/domain/bulk/plan.ts";
import type { Command, DecisionContext } from "../../../src/domain/lifecycle/commands.ts";
import { decide } from "../../../src/domain/lifecycle/decide.ts";
import { decideCreate } from "../../../src/domain/lifecycle/decide/create.ts";
import { misaimed } from "../../../src/domain/lifecycle/decide/target.ts";
import type { Decision } from "../../../src/domain/lifecycle/decision.ts";
import { fold } from "../../../src/domain/lifecycle/fold.ts";
import { REPORT_EFFECTS } from "../../../src/domain/lifecycle/runs.ts";
import type { StepSnapshot } from "../../../src/domain/lifecycle/snapshot.ts";
import { WORKER_TYPES } from "../../../src/domain/lifecycle/statuses.ts";
import {
  pipelinesAttachedTo,
  runsAttachedByDefault,
} from "../../../src/domain/pipelines/attached.ts";
import {
  archived,
  forbidden,
  invalidTransition,
  notFound,
  type Outcome,
  type Refusal,
  refuse,
  validationFailed,
} from "../../../src/domain/refusals.ts";
import { isPermitted, requiredRole, type Right, rightFor } from "../../../src/domain/rights.ts";
import { attentionOf } from "../../../src/domain/status/attention.ts";
import { explain } from "../../../src/domain/status/explain.ts";
import { factsOf } from "../../../src/domain/status/resolve.ts";
import { type Answer, type CallOptions, expectDone, expectProblem, type TestApi } from "../api.ts";
import {
  type Asked,
  askedOf,
  lawfulMove,
  REASON,
  type Sent,
  stepOf,
  targetOf,
  UNKNOWN_ID,
} from "./asked.ts";
import { readEvents } from "./history.ts";
import type { RandomCall, WishTo } from "./random-calls.ts";
import {
  foretellable,
  foretoldEvent,
  inOrder,
  knownToHistory,
  recordedEvent,
  TaskModel,
} from "./task-model.ts";
import { type Bindings, expectForetold, placeholders, substitute } from "./unify.ts";

let walks = 0;

/**
 * Walks a tenant through calls, and says beforehand what each will be answered: the service works on its tables, the
 * walk on nothing but the pure domain. After every call both must be in the same state.
 */
export class Walk {
  readonly models: TaskModel[] = [];
  readonly #api: TestApi;
  readonly #name: string;
  #names = 0;

  constructor(api: TestApi) {
    this.#api = api;
    walks += 1;
    this.#name = `walk-${walks}`;
  }

  /** Sends the call and expects what was foretold; then reads what it was about, and expects the same of that. */
  async take(call: RandomCall): Promise<void> {
    const { wish } = call;
    switch (wish.do) {
      case "create":
        return this.create(call.as, wish);
      case "run":
        return this.#startRun(call, wish);
      case "dispatch":
        return this.#dispatch(call, wish);
      case "bulk":
        return this.#bulk(call, wish);
      case "moves":
        return this.#moves(call, wish);
      default:
        return this.#command(call, askedOf(call, wish, this.#modelOf(call.task), this));
    }
  }

  /** Makes a task, which need not succeed. */
  async create(as: Role, wish: WishTo<"create">): Promise<void> {
    const start = wish.start && { ...wish.start, reason: REASON };
    const externalId = this.externalId(wish.externalId);
    const content = { metadata: { walk: this.#name } };
    const body = { title: "One title", priority: wish.priority, content, start };
    const fields = {
      title: body.title,
      externalId: externalId ?? null,
      taxonomyCode: null,
      priority: wish.priority ?? 0,
      assignee: null,
    };
    const outcome = decideCreate(
      { fields, content, contentHash: contentHash(content), start },
      contextOf(as),
    );
    const answer = await this.#api.call<TaskView>("POST", "/tasks", {
      as,
      body: { ...body, ...(typeof externalId === "string" && { externalId }) },
    });
    const holder = this.#holderOf(externalId);
    if (!outcome.ok) return expectRefusal(answer, outcome.refusal);
    if (holder !== undefined) return expectRefusal(answer, takenBy(holder));

    const told = expectDone(answer, 201);
    const model = new TaskModel(outcome.value, "new:at");
    const bindings: Bindings = new Map();
    expectForetold(taskView(model.snapshot), told, bindings);
    const [event] = await readEvents(this.#api, told.id);
    const { decision } = outcome.value;
    const [decided] = decision.events;
    if (event === undefined || decided === undefined) return expect.fail("There is no event 1");
    expectForetold(foretoldEvent(decided, model, decision), foretellable(event), bindings);
    model.snapshot = substitute(model.snapshot, bindings);
    this.models.push(model);
    await this.#expectAgreement(model);
  }

  /** Expects all that can be read of every task to be what the model says. */
  async expectWhole(): Promise<void> {
    for (const model of this.models) {
      await this.#expectAgreement(model);
      const { id, snapshot } = model;
      const read = async <Row>(path: string): Promise<Row[]> =>
        expectDone(await this.#api.call<{ data: Row[] }>("GET", path, { as: "viewer" })).data;

      const steps = await read<StepSnapshot>(`/tasks/${id}/steps`);
      expect(sorted(steps)).toEqual(
        sorted(model.allSteps.map((step) => stepView(id, snapshot.step.id, step))),
      );
      const runs = await read<{ id: string }>(`/worker-runs?task=${id}&limit=200`);
      expect(sorted(runs)).toMatchObject(sorted(model.runs));
      expect(runs).toHaveLength(model.runs.length);
      expect(await read(`/tasks/${id}/reviews`)).toHaveLength(model.reviews);
      const verdict = await this.#api.call("GET", `/tasks/${id}/events/verify`);
      expect(expectDone(verdict)).toMatchObject({ valid: true, events: snapshot.eventSeq });

      const then = Math.ceil(snapshot.eventSeq / 2);
      const events = (await readEvents(this.#api, id)).slice(0, then).map(recordedEvent);
      const past = await this.#api.call<TaskView>("GET", `/tasks/${id}?asOf=seq:${then}`);
      expect(expectDone(past)).toEqual(taskView(fold(events)));
    }
    await this.#expectLabels();
    await this.#expectOutbox();
  }

  /** An external id for a wish, or undefined where it is to stay as it is. */
  externalId(wanted: WishTo<"edit">["externalId"]): string | null | undefined {
    switch (wanted) {
      case "same":
        return undefined;
      case "none":
        return null;
      case "new":
        this.#names += 1;
        return `${this.#name}/${this.#names}`;
      case "taken":
        return this.models.find(({ snapshot }) => snapshot.externalId !== null)?.snapshot
          .externalId;
    }
  }

  /** The task that a wish calls the original, under the name that is sent. */
  originalOf(
    wanted: WishTo<"transition">["original"],
    model: TaskModel | null,
  ): string | undefined {
    switch (wanted) {
      case "none":
        return undefined;
      case "unknown":
        return UNKNOWN_ID;
      case "itself":
        return model?.id;
      case "other":
        return this.models.find((other) => other !== model)?.id;
    }
  }

  #modelOf(number: number): TaskModel {
    const model = this.models[number % this.models.length];
    if (model === undefined) throw new Error("A walk begins with a task");
    return model;
  }

  #holderOf(externalId: string | null | undefined): TaskModel | undefined {
    if (typeof externalId !== "string") return undefined;
    return this.models.find(({ snapshot }) => snapshot.externalId === externalId);
  }

  async #command(call: RandomCall, asked: Asked | null): Promise<void> {
    const model = this.#modelOf(call.task);
    // A wish that nothing fits to: a report where there is no run.
    if (asked === null) return;
    const as = asked.command.type === "report" && call.as !== "viewer" ? "service" : call.as;
    const ifMatch = {
      none: undefined,
      now: model.snapshot.eventSeq,
      before: model.snapshot.eventSeq - 1,
    }[call.condition];
    const outcome = this.#judge(model, asked.command, contextOf(as), ifMatch);
    const answer = await this.#send<Moved & Record<string, unknown>>(call, asked, {
      as,
      ...(ifMatch !== undefined && { ifMatch }),
    });
    if (!outcome.ok) {
      expectRefusal(answer, outcome.refusal);
      return this.#expectUnchanged(model);
    }

    const isNew = ["note", "version", "review"].includes(asked.command.type);
    const told = expectDone(answer, isNew ? 201 : 200);
    expect(answer.headers.get("etag")).toBe(`"${told.task.eventSeq}"`);
    const decision = outcome.value;
    const bindings: Bindings = new Map();
    expectForetold(
      decision.events.map((event) => foretoldEvent(event, model, decision)),
      told.events.map(foretellable),
      bindings,
    );
    const dispatched = model.acceptedDispatches(decision);
    expectForetold(
      dispatched.map(({ id, pipeline }) => ({ id, pipeline })),
      told.dispatched,
      bindings,
    );
    if (asked.command.type === "review") {
      const [review] = decision.reviews;
      const { versionId: _, ...foretold } =
        review ?? expect.fail("A review is part of its decision");
      expectForetold(foretold, told["review"], bindings);
    }
    const { eventSeq, updatedAt } = model.snapshot;
    expect(told.events.map(({ seq }) => seq - eventSeq)).toEqual(
      decision.events.map((_, index) => index + 1),
    );
    const at = told.events.at(-1)?.at ?? updatedAt;
    for (const event of told.events) {
      expect(event).toMatchObject({ at, bulkOperationId: null, actor: { role: as } });
      expect(event.requestId).toBe(answer.headers.get("x-request-id"));
    }
    model.record(substitute(decision, bindings), at, told.dispatched);
    expect(told.task).toEqual(taskView(model.snapshot));
    expect(told.step).toEqual(stepView(model.id, model.snapshot.step.id, model.snapshot.step));
    if (asked.command.type === "report") {
      const run = model.runs.find(({ id }) => asked.path.endsWith(id));
      expect(told["run"]).toEqual({ ...run, taskId: model.id });
    }
    const events = await this.#expectAgreement(model);
    expect(events.slice(eventSeq)).toEqual(told.events);
  }

  /** What the service will say of a command on a task that exists. */
  #judge(
    model: TaskModel,
    command: Command,
    context: DecisionContext,
    ifMatch?: number,
  ): Outcome<Decision> {
    const right = rightFor(command);
    if (!isPermitted(context.actor.role, right)) return refuse(forbidden(requiredRole(right)));
    const { eventSeq } = model.snapshot;
    if (ifMatch !== undefined && ifMatch !== eventSeq) {
      return refuse({ code: "version_conflict", detail: "", eventSeq });
    }
    if (originalOfCommand(command) === UNKNOWN_ID) return refuse(notFound());
    const outcome = decide(model.snapshot, command, context);
    const changed = outcome.ok ? outcome.value.fields?.externalId : undefined;
    const holder = this.#holderOf(changed);
    return holder === undefined ? outcome : refuse(takenBy(holder));
  }

  async #startRun(call: RandomCall, wish: WishTo<"run">): Promise<void> {
    const model = this.#modelOf(call.task);
    const as = call.as === "viewer" ? "viewer" : "service";
    const fitting = WORKER_TYPES.find(
      (type) => REPORT_EFFECTS[type]?.stepKind === model.snapshot.step.kind,
    );
    const type = wish.suits ? (fitting ?? wish.type) : wish.type;
    const path = `/tasks/${model.id}/worker-runs`;
    const sent = { method: "POST", path, body: { type } };
    const answer = await this.#send<{ id: string }>(call, sent, { as });
    if (as === "viewer") return expectRefusal(answer, forbidden("service"));
    if (model.snapshot.archivedAt !== null) return expectRefusal(answer, archived());
    const { id } = expectDone(answer, 201);
    const { step } = model.snapshot;
    expect(answer.body).toMatchObject({ taskId: model.id, stepId: step.id, type, state: "QUEUED" });
    model.openRun({ id, type });
    await this.#expectUnchanged(model);
  }

  async #dispatch(call: RandomCall, wish: WishTo<"dispatch">): Promise<void> {
    const model = this.#modelOf(call.task);
    const step = stepOf(model, wish);
    const [fitting] = pipelinesAttachedTo(model.snapshot.step);
    const pipeline = wish.fits ? (fitting ?? wish.pipeline) : wish.pipeline;
    const body = { pipeline, reason: REASON };
    const sent = { method: "POST", path: `/steps/${step.id}/dispatch`, body };
    const answer = await this.#send<{ id: string }>(call, sent, { as: call.as });
    const refusal = refusalOfDispatch(model, step, { pipeline, as: call.as });
    if (refusal !== null) {
      expectRefusal(answer, refusal);
    } else {
      const { id } = expectDone(answer, 201);
      expect(answer.body).toEqual({ id, pipeline, state: "pending" });
      model.addDispatch({ id, pipeline, stepId: step.id, versionId: step.versionId });
    }
    await this.#expectUnchanged(model);
  }

  async #bulk(call: RandomCall, wish: WishTo<"bulk">): Promise<void> {
    const { as } = call;
    const models = wish.tasks.map((number) => this.#modelOf(number));
    const taskIds = [...models.map(({ id }) => id), ...(wish.hasUnknown ? [UNKNOWN_ID] : [])];
    const original = this.originalOf(wish.original, models[0] ?? null);
    const body: Record<string, unknown> = {
      taskIds,
      targetStatus: wish.target,
      reason: REASON,
      ...(original !== undefined && { duplicateOf: original }),
      ...(wish.flag !== undefined && { runAttachedWorkflows: wish.flag }),
    };
    const plan = planBulk(
      {
        taskIds,
        snapshots: new Map(models.map(({ id, snapshot }) => [id, snapshot])),
        targetStatus: wish.target,
        reason: REASON,
        runAttachedWorkflows: wish.flag ?? false,
        duplicateOf: original ?? null,
      },
      { newId: placeholders() },
    );
    const misuse = refusalOfOriginal(wish.target, original);
    let planToken: string | undefined;
    if (wish.isPreviewed) {
      const previewed = await this.#api.call<BulkPreview>("POST", "/bulk/preview", { as, body });
      if (misuse === null) {
        const { items, counts, pipelines, primaryLabel, ...told } = expectDone(previewed);
        ({ planToken } = told);
        expect(counts).toEqual(plan.counts);
        expect(pipelines).toEqual(plan.pipelines);
        expect(primaryLabel).toBe(plan.primaryLabel);
        expect(items.map(({ taskId, decision, code }) => ({ taskId, decision, code }))).toEqual(
          plan.items.map(({ taskId, decision, ...item }) => ({
            taskId,
            decision,
            code: "code" in item ? item.code : undefined,
          })),
        );
      } else expectRefusal(previewed, misuse);
    }

    const sent = { method: "POST", path: "/bulk/execute", body: { ...body, planToken } };
    const answer = await this.#send<BulkExecution>({ ...call, isRepeated: true }, sent, { as });
    if (!isPermitted(as, "bulk")) return expectRefusal(answer, forbidden(requiredRole("bulk")));
    if (misuse !== null) return expectRefusal(answer, misuse);
    const told = expectDone(answer);
    expect(told.state).toBe("completed");
    const { requested, eligible: changed, refused } = plan.counts;
    expect(told.counts).toEqual({ requested, changed, refused, stale: 0, failed: 0 });
    expect(told.items).toEqual(
      plan.items.map((item) =>
        item.decision === "eligible"
          ? {
              taskId: item.taskId,
              outcome: "changed",
              from: item.from,
              to: item.to,
              eventSeq: item.eventSeq + 1,
            }
          : {
              taskId: item.taskId,
              outcome: "refused",
              code: item.code,
              from: item.from,
              to: item.to,
              allowed: item.allowed,
            },
      ),
    );
    let dispatched = 0;
    for (const model of new Set(models)) {
      const item = plan.items.find(({ taskId }) => taskId === model.id);
      if (item?.decision === "eligible") {
        dispatched += model.acceptedDispatches(item.change).length;
        await this.#expectRecorded(model, item.change, told.operationId);
      } else await this.#expectUnchanged(model);
    }
    expect(told.dispatched).toBe(dispatched);
  }

  async #moves(call: RandomCall, wish: WishTo<"moves">): Promise<void> {
    const { as } = call;
    const runAttachedWorkflows = wish.flag ?? runsAttachedByDefault({ role: as, tasks: "many" });
    const asked = wish.moves.map(({ task, ask, hasReason, bound }) => {
      const model = this.#modelOf(task);
      const { eventSeq } = model.snapshot;
      const ifSeq = { no: undefined, now: eventSeq, before: eventSeq + 1 }[bound];
      const sent = "lawful" in ask ? lawfulMove(model, ask.lawful) : ask;
      const reason = hasReason || "rework" in sent ? REASON : undefined;
      const common = { reason, runAttachedWorkflows };
      const command: Command =
        "status" in sent
          ? { type: "transition", status: sent.status, ...common }
          : "rework" in sent
            ? { type: "rework", toKind: sent.rework, reason: REASON, runAttachedWorkflows }
            : { type: "advance", ...common };
      return { model, command, ifSeq, sent: { task: model.id, ...sent, reason, ifSeq } };
    });
    const context = contextOf(as);
    const refused = asked
      .map(({ command }) => rightFor(command))
      .find((right) => !isPermitted(as, right));
    const judged = asked.map(({ model, command, ifSeq }) =>
      ifSeq !== undefined && ifSeq !== model.snapshot.eventSeq
        ? ("stale" as const)
        : decide(model.snapshot, command, context),
    );
    const body = {
      moves: asked.map(({ sent }) => sent),
      ...(wish.flag !== undefined && { runAttachedWorkflows: wish.flag }),
    };
    const sent = { method: "POST", path: "/moves", body };
    const answer = await this.#send<MovedMany>(call, sent, { as });
    if (refused !== undefined) return expectRefusal(answer, forbidden(requiredRole(refused)));

    const moving = asked.filter((_, index) => {
      const outcome = judged[index];
      return outcome !== "stale" && outcome?.ok === true;
    });
    if (new Set(moving.map(({ model }) => model)).size < moving.length) {
      const { issues } = expectProblem(answer, "validation_failed", 400);
      expect(new Set(issues?.map(({ code }) => code))).toEqual(new Set(["repeated_task"]));
      return;
    }
    const told = expectDone(answer);
    expect(told.items).toEqual(
      judged.map((outcome, index): MovedItem => {
        if (outcome === "stale") return { index, outcome: "stale", error: "stale" };
        const { eventSeq } = asked[index]?.model.snapshot ?? expect.fail("No such move");
        if (outcome.ok) {
          const written = outcome.value.events.length;
          return { index, outcome: "changed", eventSeq: eventSeq + written };
        }
        const { code, ...members } = outcome.refusal;
        const allowed = "allowed" in members ? { allowed: members.allowed } : {};
        return { index, outcome: "refused", error: code, ...allowed };
      }),
    );
    for (const { model } of asked.filter((move) => !moving.includes(move))) {
      if (!moving.some((move) => move.model === model)) await this.#expectUnchanged(model);
    }
    for (const [index, { model }] of asked.entries()) {
      const outcome = judged[index];
      if (outcome === "stale" || outcome?.ok !== true) continue;
      await this.#expectRecorded(model, outcome.value, null);
    }
  }

  /** Expects a decision of many to have been recorded, and takes it as done. */
  async #expectRecorded(
    model: TaskModel,
    decision: Decision,
    bulkOperationId: string | null,
  ): Promise<void> {
    const events = (await readEvents(this.#api, model.id)).slice(model.snapshot.eventSeq);
    const bindings: Bindings = new Map();
    expectForetold(
      decision.events.map((event) => foretoldEvent(event, model, decision)),
      events.map(foretellable),
      bindings,
    );
    for (const event of events) expect(event.bulkOperationId).toBe(bulkOperationId);
    const at = events.at(-1)?.at ?? expect.fail("Nothing was written");
    model.record(substitute(decision, bindings), at, []);
    await this.#expectAgreement(model);
  }

  /** Sends the call, in trouble where the walk wants it; a repeat with its key must get the same answer. */
  async #send<Body>(
    { trouble, isRepeated }: Pick<RandomCall, "trouble" | "isRepeated">,
    { method, path, body }: Sent,
    options: CallOptions,
  ): Promise<Answer<Body>> {
    const { database, call } = this.#api;
    this.#names += 1;
    const keyed = isRepeated ? { idempotencyKey: `${this.#name}/${this.#names}` } : {};
    if (trouble !== null) {
      await database.faults({ kind: trouble, sql: "insert into operations", times: 1 });
    }
    const answer = await call<Body>(method, path, { ...options, ...keyed, body });
    if (trouble !== null) await database.clearFaults();
    if (isRepeated && answer.status < 300) {
      const repeat = await call(method, path, { ...options, ...keyed, body });
      expect({ status: repeat.status, text: repeat.text }).toEqual({
        status: answer.status,
        text: answer.text,
      });
    }
    return answer;
  }

  /** Expects the tables, the history and the model to tell the same of a task; gives back its history. */
  async #expectAgreement(model: TaskModel): Promise<StepEventView[]> {
    const { id, snapshot } = model;
    const [events, status] = await Promise.all([
      readEvents(this.#api, id),
      this.#api.call("GET", `/tasks/${id}/status`, { as: "viewer" }),
      this.#expectUnchanged(model),
    ]);
    const state = fold(events.map(recordedEvent));
    expect(inOrder(state)).toEqual(knownToHistory(model));
    expect(expectDone(status)).toEqual({
      taskId: id,
      eventSeq: snapshot.eventSeq,
      statusSince: state.statusSince,
      attention: attentionOf(state.step),
      ...explain(factsOf(state)),
    });
    return events;
  }

  async #expectUnchanged({ id, snapshot }: TaskModel): Promise<void> {
    const task = await this.#api.call<TaskView>("GET", `/tasks/${id}`, { as: "viewer" });
    expect(expectDone(task)).toEqual(taskView(snapshot));
  }

  /** Which pipelines were asked for and called back, which no label tells. */
  async #expectOutbox(): Promise<void> {
    const rows = await this.#api.database.query(
      "owner",
      `select pipeline, step_id, state from pipeline_dispatches
       where task_id = any(select value::uuid from json_array_elements_text($1::json))`,
      [JSON.stringify(this.models.map(({ id }) => id))],
    );
    const foretold = this.models.flatMap(({ dispatches }) =>
      dispatches.map(({ pipeline, stepId, isRecalled }) => ({
        pipeline,
        step_id: stepId,
        state: isRecalled ? "recalled" : "pending",
      })),
    );
    const inSomeOrder = (all: readonly object[]) =>
      all.map((one) => JSON.stringify(one)).toSorted();
    expect(inSomeOrder(rows)).toEqual(inSomeOrder(foretold));
  }

  /** The labels that lists are sorted by, which the database keeps for itself. */
  async #expectLabels(): Promise<void> {
    const rows = await this.#api.database.query(
      "owner",
      `select task_id, unified_status, to_json(attention) as attention from task_labels
       where task_id = any(select value::uuid from json_array_elements_text($1::json))`,
      [JSON.stringify(this.models.map(({ id }) => id))],
    );
    const kept = rows.map(({ task_id, unified_status: label, attention }) => ({
      id: task_id ?? "",
      label,
      attention: JSON.parse(attention ?? "null") as unknown,
    }));
    const foretold = this.models.map(({ id, snapshot }) => {
      const { unifiedStatus: label, attention } = taskView(snapshot);
      return { id, label, attention };
    });
    expect(sorted(kept)).toEqual(sorted(foretold));
  }
}

function originalOfCommand(command: Command): string | undefined {
  if (command.type === "transition") return command.duplicateOf;
  return command.type === "review" ? command.move?.duplicateOf : undefined;
}

function refusalOfOriginal(target: string, original: string | undefined): Refusal | null {
  if (original === undefined) return null;
  if (target !== "DUPLICATE") {
    const message = "duplicateOf goes with the target DUPLICATE alone.";
    return validationFailed({ path: ["duplicateOf"], code: "not_applicable", message });
  }
  return original === UNKNOWN_ID ? notFound() : null;
}

function refusalOfDispatch(
  model: TaskModel,
  step: StepSnapshot,
  { pipeline, as }: { pipeline: WishTo<"dispatch">["pipeline"]; as: Role },
): Refusal | null {
  const right: Right = "dispatch";
  if (!isPermitted(as, right)) return forbidden(requiredRole(right));
  if (model.snapshot.archivedAt !== null) return archived();
  const misaim = misaimed(model.snapshot, targetOf(step));
  if (misaim !== null) return misaim;
  const allowed = pipelinesAttachedTo(step);
  if (!allowed.includes(pipeline)) {
    return invalidTransition({ subject: "", from: step.status, to: pipeline, allowed });
  }
  const open = model.openDispatch(pipeline, targetOf(step));
  if (open === null) return null;
  return { code: "conflict", detail: "", existing: { id: open.id ?? expect.any(String) } };
}

function takenBy({ id }: TaskModel): Refusal {
  return { code: "conflict", detail: "", existing: { id } };
}

/** Expects the problem that a refusal becomes, with all that it promises but for its words. */
function expectRefusal(answer: Answer<unknown>, refusal: Refusal): void {
  const { code, detail: _, ...members } = refusal;
  // A role that not even the route admits is told of the route's.
  const promised = code === "forbidden" || code === "validation_failed" ? {} : members;
  expect(answer.body).toMatchObject({ error: code, ...promised });
  expect(answer.status).toBeGreaterThanOrEqual(400);
}

function contextOf(role: Role): DecisionContext {
  const kind = role === "service" ? "service" : "key";
  return { actor: { id: role, name: role, kind, role }, newId: placeholders() };
}

function sorted<Row extends { id: string }>(rows: readonly Row[]): Row[] {
  return rows.toSorted((one, other) => (one.id < other.id ? -1 : 1));
}
