import { expect } from "vitest";
import type { StepEventView } from "../../../src/actions/views/event-view.ts";
import { stepView, type TaskView, taskView } from "../../../src/actions/views/task-view.ts";
import type { ReviewRecord } from "../../../src/db/reviews/review-json.ts";
import type { Actor, Role } from "../../../src/domain/actor.ts";
import { closedCommands } from "../../../src/domain/lifecycle/closed.ts";
import type { Decision } from "../../../src/domain/lifecycle/decision.ts";
import { fold } from "../../../src/domain/lifecycle/fold.ts";
import { lawfulCommands } from "../../../src/domain/lifecycle/moves.ts";
import type { StepSnapshot } from "../../../src/domain/lifecycle/snapshot.ts";
import { attentionOf } from "../../../src/domain/status/attention.ts";
import { explain } from "../../../src/domain/status/explain.ts";
import { factsOf } from "../../../src/domain/status/resolve.ts";
import { lawfulCalls } from "../../../src/routes/http/lawful-calls.ts";
import { expectDone, type TestApi } from "../api.ts";
import { readEvents } from "./history.ts";
import {
  predictablePart,
  expectedEvent,
  inOrder,
  knownToHistory,
  recordedEvent,
  type TaskModel,
} from "./task-model.ts";
import { type Bindings, expectMatch, substitute } from "./unify.ts";

const OPERATOR: Actor = { id: "operator", name: "Operator", kind: "key", role: "operator" };

/** Expects the tables, the history and the model of a task to agree, and returns its history. */
export async function expectAgreement(api: TestApi, model: TaskModel): Promise<StepEventView[]> {
  const { id, snapshot } = model;
  const [events, status] = await Promise.all([
    readEvents(api, id),
    api.call<{ next: unknown; closed: { code: string }[] }>("GET", `/tasks/${id}/status`, {
      as: "operator",
    }),
    expectUnchanged(api, model),
  ]);
  const state = fold(events.map(recordedEvent));
  expect(inOrder(state)).toEqual(knownToHistory(model));
  const { closed, ...body } = expectDone(status);
  expect(closed.map(({ code }) => code)).toEqual(
    closedCommands(snapshot, OPERATOR).map(({ refusal }) => refusal.code),
  );
  expect(body).toEqual({
    taskId: id,
    eventSeq: snapshot.eventSeq,
    statusSince: state.statusSince,
    attention: attentionOf(factsOf(state)),
    ...explain(factsOf(state)),
    next: lawfulCalls(lawfulCommands(snapshot, OPERATOR.role)),
  });
  return events;
}

/** Expects a task to be unchanged. */
export async function expectUnchanged(api: TestApi, { id, snapshot }: TaskModel): Promise<void> {
  const task = await api.call<TaskView>("GET", `/tasks/${id}`, { as: "viewer" });
  expect(expectDone(task)).toEqual(taskView(snapshot));
}

/** Expects a decision of a call on many tasks to be recorded, and applies it to the model. */
export async function expectRecorded(
  api: TestApi,
  model: TaskModel,
  {
    decision,
    bulkOperationId,
    by,
  }: { decision: Decision; bulkOperationId: string | null; by: Role },
): Promise<void> {
  const events = (await readEvents(api, model.id)).slice(model.snapshot.eventSeq);
  const bindings: Bindings = new Map();
  expectMatch(
    decision.events.map((event) => expectedEvent(event, model, decision)),
    events.map(predictablePart),
    bindings,
  );
  for (const event of events) expect(event.bulkOperationId).toBe(bulkOperationId);
  const at = events.at(-1)?.at ?? expect.fail("no event was written");
  model.record(substitute(decision, bindings), at, { by, reported: [] });
  await expectAgreement(api, model);
}

/** Expects everything that can be read about each task to match its model. */
export async function expectWhole(api: TestApi, models: readonly TaskModel[]): Promise<void> {
  for (const model of models) {
    await expectAgreement(api, model);
    const { id, snapshot } = model;
    const read = async <Row>(path: string): Promise<Row[]> =>
      expectDone(await api.call<{ data: Row[] }>("GET", path, { as: "viewer" })).data;

    const steps = await read<StepSnapshot>(`/tasks/${id}/steps`);
    expect(sorted(steps)).toEqual(
      sorted(model.allSteps.map((step) => stepView(id, snapshot.step.id, step))),
    );
    const runs = await read<{ id: string }>(`/worker-runs?task=${id}&limit=200`);
    expect(sorted(runs)).toMatchObject(sorted(model.runs));
    expect(runs).toHaveLength(model.runs.length);
    const reviews = await read<ReviewRecord>(`/tasks/${id}/reviews`);
    expect(
      reviews.map((review) => ({ id: review.id, isWithdrawn: review.withdrawn !== null })),
    ).toEqual(model.reviews.map((review) => ({ id: review.id, isWithdrawn: review.isWithdrawn })));
    const verdict = await api.call("GET", `/tasks/${id}/events/verify`);
    expect(expectDone(verdict)).toMatchObject({ valid: true, events: snapshot.eventSeq });

    const midpoint = Math.ceil(snapshot.eventSeq / 2);
    const events = (await readEvents(api, id)).slice(0, midpoint).map(recordedEvent);
    const past = await api.call<TaskView>("GET", `/tasks/${id}?asOf=seq:${midpoint}`);
    expect(expectDone(past)).toEqual(taskView(fold(events)));
  }
  await expectLabels(api, models);
  await expectOutbox(api, models);
}

/** Compares the outbox, which no label depends on: which pipelines were dispatched and recalled. */
async function expectOutbox(api: TestApi, models: readonly TaskModel[]): Promise<void> {
  const rows = await api.database.query(
    "owner",
    `select pipeline, step_id, state from pipeline_dispatches
     where task_id = any(select value::uuid from json_array_elements_text($1::json))`,
    [JSON.stringify(models.map(({ id }) => id))],
  );
  const expected = models.flatMap(({ dispatches }) =>
    dispatches.map(({ pipeline, stepId, isRecalled }) => ({
      pipeline,
      step_id: stepId,
      state: isRecalled ? "recalled" : "sent",
    })),
  );
  const sortedTexts = (all: readonly object[]) => all.map((one) => JSON.stringify(one)).toSorted();
  expect(sortedTexts(rows)).toEqual(sortedTexts(expected));
}

/** Compares the labels that the database keeps for sorting lists. */
async function expectLabels(api: TestApi, models: readonly TaskModel[]): Promise<void> {
  const rows = await api.database.query(
    "owner",
    `select task_id, unified_status, to_json(attention) as attention from task_labels
     where task_id = any(select value::uuid from json_array_elements_text($1::json))`,
    [JSON.stringify(models.map(({ id }) => id))],
  );
  const stored = rows.map(({ task_id, unified_status: label, attention }) => ({
    id: task_id ?? "",
    label,
    attention: JSON.parse(attention ?? "null") as unknown,
  }));
  const expected = models.map(({ id, snapshot }) => {
    const { unifiedStatus: label, attention } = taskView(snapshot);
    return { id, label, attention };
  });
  expect(sorted(stored)).toEqual(sorted(expected));
}

function sorted<Row extends { id: string }>(rows: readonly Row[]): Row[] {
  return rows.toSorted((one, other) => (one.id < other.id ? -1 : 1));
}
