import { expect } from "vitest";
import { offerDispatched } from "../../support/offer-runs.ts";
import type {
  BulkAccepted,
  BulkExecution,
  BulkOperationView,
  BulkPreview,
} from "../../../src/actions/views/bulk-views.ts";
import type { BulkAction, BulkEdit } from "../../../src/domain/bulk/actions.ts";
import type { BulkTarget } from "../../../src/domain/bulk/matrix.ts";
import type { Answer, CallOptions, TestApi } from "../../support/api.ts";
import type { CountingQueue } from "../../support/queues.ts";
import { expectDone } from "../../support/api.ts";

export interface BulkBody {
  taskIds?: readonly string[];
  targetStatus?: BulkTarget;
  action?: BulkAction;
  changes?: BulkEdit;
  reason?: string;
  runAttachedWorkflows?: boolean;
  duplicateOf?: string;
  planToken?: string;
  onStale?: "abort" | "skip";
  filter?: object;
}

/** Asks what a change would do, as the least role that may. */
export function preview(
  api: TestApi,
  body: BulkBody,
  options: CallOptions = {},
): Promise<Answer<BulkPreview>> {
  return api.call("POST", "/bulk/preview", { as: "viewer", ...options, body });
}

/** Makes a change, as the least role that may, under a key of its own unless the options name one. */
export function execute(
  api: TestApi,
  body: BulkBody,
  options: CallOptions = {},
): Promise<Answer<BulkExecution>> {
  return api.call("POST", "/bulk/execute", {
    as: "reviewer",
    idempotencyKey: crypto.randomUUID(),
    ...options,
    body: { reason: "Decided in bulk.", ...body },
  });
}

/** Calls a route of an operation, as the least role that may, under a key of its own unless the options name one. */
export function act<Body = BulkExecution>(
  api: TestApi,
  operationId: string,
  route: "cancel" | "retry-failed" | "revert",
  options: CallOptions = {},
): Promise<Answer<Body>> {
  return api.call("POST", `/bulk/operations/${operationId}/${route}`, {
    as: "reviewer",
    idempotencyKey: crypto.randomUUID(),
    ...(route === "revert" && { body: { reason: "It was a mistake." } }),
    ...options,
  });
}

/** Takes an operation back, which must be lawful. */
export async function revert(api: TestApi, operationId: string): Promise<BulkExecution> {
  return expectDone(await act(api, operationId, "revert"));
}

/** The operation that was accepted to be worked through later. */
export function expectAccepted(answer: Answer<unknown>): string {
  const { operationId, state } = expectDone(answer, 202) as BulkAccepted;
  expect(state).toBe("queued");
  expect(answer.headers.get("location")).toBe(`/v1/bulk/operations/${operationId}`);
  return operationId;
}

export async function operationOf(api: TestApi, operationId: string): Promise<BulkOperationView> {
  return expectDone(
    await api.call<BulkOperationView>("GET", `/bulk/operations/${operationId}`, { as: "viewer" }),
  );
}

/** Hands what lies in the queue of bulk operations to its consumer, message by message, until nothing is left. */
export async function workThrough(api: TestApi, queue: CountingQueue): Promise<void> {
  while (queue.sent.length > 0) {
    const { retryMessages } = await api.consume("stepledger-bulk", queue.sent.splice(0, 1));
    expect(retryMessages).toEqual([]);
  }
}

/** The number of rows of every table, as nobody but the superuser can count them. */
export async function rowCounts({ database }: TestApi): Promise<Record<string, number>> {
  const tables = await database.query(
    "superuser",
    "select table_name from information_schema.tables where table_schema = 'public' order by 1",
  );
  const counts = tables.map(
    ({ table_name: name }) => `select '${name}' as name, count(*) as count from "${name}"`,
  );
  const rows = await database.query("superuser", counts.join(" union all "));
  return Object.fromEntries(rows.map(({ name, count }) => [String(name), Number(count)]));
}

/** The label that the tables give a task. */
export async function labelOf({ database }: TestApi, taskId: string): Promise<string | null> {
  const [row] = await database.query(
    "owner",
    "select unified_status from task_labels where task_id = $1",
    [taskId],
  );
  return row?.["unified_status"] ?? null;
}

/** The events that a bulk operation wrote, as task and seq. */
export async function eventsOf(
  { database }: TestApi,
  operationId: string,
): Promise<{ taskId: string; eventSeq: number }[]> {
  const rows = await database.query(
    "owner",
    "select task_id, seq from step_events where bulk_operation_id = $1 order by task_id, seq",
    [operationId],
  );
  return rows.map(({ task_id: taskId, seq }) => ({
    taskId: String(taskId),
    eventSeq: Number(seq),
  }));
}

/** The outbox rows of a task, by pipeline. */
export async function dispatchesOf({ database }: TestApi, taskId: string): Promise<string[]> {
  const rows = await database.query(
    "owner",
    "select pipeline from pipeline_dispatches where task_id = $1 order by pipeline",
    [taskId],
  );
  return rows.map(({ pipeline }) => String(pipeline));
}

/** The states of a task's dispatches, the oldest first. */
export async function dispatchStates({ database }: TestApi, taskId: string): Promise<string[]> {
  const rows = await database.query(
    "owner",
    "select state from pipeline_dispatches where task_id = $1 order by id",
    [taskId],
  );
  return rows.map(({ state }) => String(state));
}

/** Lets the dispatches of a task reach whom they are for: they cannot be called back any more. */
export async function deliverDispatches({ database }: TestApi, taskId: string): Promise<void> {
  await offerDispatched(database, [taskId]);
}

/** Holds an answer of execution against the ledger and the events: what was told is what was written. */
export async function expectTold(api: TestApi, told: BulkExecution): Promise<void> {
  const changed = told.items.flatMap(({ taskId, outcome, eventSeq }) =>
    outcome === "changed" && eventSeq !== undefined ? [{ taskId, eventSeq }] : [],
  );
  const byTask = changed.toSorted((one, other) => (one.taskId < other.taskId ? -1 : 1));
  expect(await eventsOf(api, told.operationId)).toEqual(byTask);

  const [operation] = await api.database.query(
    "owner",
    `select state, requested, changed, refused, stale, failed, dispatched,
       finished_at is not null as finished from bulk_operations where id = $1`,
    [told.operationId],
  );
  expect(operation).toEqual({
    state: told.state,
    ...Object.fromEntries(
      Object.entries({ ...told.counts, dispatched: told.dispatched }).map(([name, count]) => [
        name,
        String(count),
      ]),
    ),
    finished: "t",
  });
  const items = await api.database.query(
    "owner",
    "select task_id, outcome, code, event_seq from bulk_operation_items where operation_id = $1 order by position",
    [told.operationId],
  );
  expect(items).toEqual(
    told.items.map(({ taskId, outcome, code = null, eventSeq = null }) => ({
      task_id: taskId,
      outcome,
      code,
      event_seq: eventSeq === null ? null : String(eventSeq),
    })),
  );
}

/** Previews and takes the token, for changes that are to be executed later. */
export async function planTokenFor(
  api: TestApi,
  body: BulkBody,
  options: CallOptions = {},
): Promise<string> {
  return expectDone(await preview(api, body, { as: "reviewer", ...options })).planToken;
}

/** Lets a task move on, without changing what a bulk change may do with it. */
export async function addNote(api: TestApi, taskId: string): Promise<void> {
  const body = { text: "Somebody looked at it." };
  expectDone(await api.call("POST", `/tasks/${taskId}/notes`, { body }), 201);
}
