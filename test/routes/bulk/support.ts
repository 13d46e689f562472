import { expect } from "vitest";
import { offerDispatched } from "../../support/offer-runs.ts";
import type {
  BulkAccepted,
  BulkExecution,
  BulkOperationView,
  BulkPreview,
} from "../../../src/actions/views/bulk-views.ts";
import type { BulkAction, BulkEdit } from "../../../src/domain/bulk/actions.ts";
import type { StepKind } from "../../../src/domain/lifecycle/statuses.ts";
import type { BulkTarget } from "../../../src/domain/bulk/matrix.ts";
import type { Answer, CallOptions, TestApi } from "../../support/api.ts";
import type { CountingQueue } from "../../support/queues.ts";
import { expectDone } from "../../support/api.ts";

export interface BulkBody {
  taskIds?: readonly string[];
  targetStatus?: BulkTarget;
  action?: BulkAction;
  changes?: BulkEdit;
  toKind?: StepKind;
  reason?: string;
  runAttachedWorkflows?: boolean;
  duplicateOf?: string;
  planToken?: string;
  onStale?: "abort" | "skip";
  filter?: object;
}

/** Previews a change, with the lowest role that may. */
export function preview(
  api: TestApi,
  body: BulkBody,
  options: CallOptions = {},
): Promise<Answer<BulkPreview>> {
  return api.call("POST", "/bulk/preview", { as: "viewer", ...options, body });
}

/** Executes a change, with the lowest role that may and, unless the options say otherwise, a new key. */
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

/** Calls a route of an operation, with the lowest role that may and, unless the options say otherwise, a new key. */
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

/** Plans the retry of an operation, with the lowest role that may. */
export function planRetry(
  api: TestApi,
  operationId: string,
  options: CallOptions = {},
): Promise<Answer<BulkPreview>> {
  const path = `/bulk/operations/${operationId}/retry-plan`;
  return api.call("POST", path, { as: "viewer", ...options, body: {} });
}

/** Retries an operation as its plan has it. `more` are members of the body. */
export async function retry(
  api: TestApi,
  operationId: string,
  more: object = {},
  options: CallOptions = {},
): Promise<Answer<BulkExecution>> {
  const { planToken } = expectDone(await planRetry(api, operationId, { as: "reviewer" }));
  return act(api, operationId, "retry-failed", { ...options, body: { planToken, ...more } });
}

/** Reverts an operation, and expects success. */
export async function revert(api: TestApi, operationId: string): Promise<BulkExecution> {
  return expectDone(await act(api, operationId, "revert"));
}

/** Expects a 202, and returns the id of the operation that it accepts. */
export function expectAccepted(answer: Answer<unknown>): string {
  const { operationId, state } = expectDone(answer, 202) as BulkAccepted;
  expect(state).toBe("queued");
  expect(answer.headers.get("location")).toBe(`/v1/bulk/operations/${operationId}`);
  expect(answer.headers.get("retry-after")).toBe("1");
  return operationId;
}

export async function operationOf(api: TestApi, operationId: string): Promise<BulkOperationView> {
  return expectDone(
    await api.call<BulkOperationView>("GET", `/bulk/operations/${operationId}`, { as: "viewer" }),
  );
}

/** Passes the messages in the bulk queue to their consumer, one by one, until the queue is empty. */
export async function workThrough(api: TestApi, queue: CountingQueue): Promise<void> {
  while (queue.sent.length > 0) {
    const { retryMessages } = await api.consume("stepledger-bulk", queue.sent.splice(0, 1));
    expect(retryMessages).toEqual([]);
  }
}

/** The number of rows in every table. Only the superuser sees all of them. */
export async function rowCounts({ database }: TestApi): Promise<Record<string, number>> {
  const tables = await database.query(
    "superuser",
    // Any first call with a key notes its use, whatever else it does.
    `select table_name from information_schema.tables
      where table_schema = 'public' and table_name <> 'api_key_uses' order by 1`,
  );
  const counts = tables.map(
    ({ table_name: name }) => `select '${name}' as name, count(*) as count from "${name}"`,
  );
  const rows = await database.query("superuser", counts.join(" union all "));
  return Object.fromEntries(rows.map(({ name, count }) => [String(name), Number(count)]));
}

/** The label of a task in `task_labels`. */
export async function labelOf({ database }: TestApi, taskId: string): Promise<string | null> {
  const [row] = await database.query(
    "owner",
    "select unified_status from task_labels where task_id = $1",
    [taskId],
  );
  return row?.["unified_status"] ?? null;
}

/** The events of a bulk operation, as task and seq. */
export async function eventsOf(
  { database }: TestApi,
  operationId: string,
): Promise<{ taskId: string; eventSeq: number }[]> {
  const rows = await database.query(
    "owner",
    "select task_id, max(seq) as seq from step_events where bulk_operation_id = $1 group by task_id order by task_id",
    [operationId],
  );
  return rows.map(({ task_id: taskId, seq }) => ({
    taskId: String(taskId),
    eventSeq: Number(seq),
  }));
}

/** The pipelines of a task's dispatches, sorted. */
export async function dispatchesOf({ database }: TestApi, taskId: string): Promise<string[]> {
  const rows = await database.query(
    "owner",
    "select pipeline from pipeline_dispatches where task_id = $1 order by pipeline",
    [taskId],
  );
  return rows.map(({ pipeline }) => String(pipeline));
}

/** The states of a task's dispatches, oldest first. */
export async function dispatchStates({ database }: TestApi, taskId: string): Promise<string[]> {
  const rows = await database.query(
    "owner",
    "select state from pipeline_dispatches where task_id = $1 order by id",
    [taskId],
  );
  return rows.map(({ state }) => String(state));
}

/** Delivers the dispatches of a task, so that they cannot be recalled any more. */
export async function deliverDispatches({ database }: TestApi, taskId: string): Promise<void> {
  await offerDispatched(database, [taskId]);
}

/** Expects the ledger and the events to hold what an execution answered. */
export async function expectInLedger(api: TestApi, answered: BulkExecution): Promise<void> {
  const changed = answered.items.flatMap(({ taskId, outcome, eventSeq }) =>
    outcome === "changed" && eventSeq !== undefined ? [{ taskId, eventSeq }] : [],
  );
  const byTask = changed.toSorted((one, other) => (one.taskId < other.taskId ? -1 : 1));
  expect(await eventsOf(api, answered.operationId)).toEqual(byTask);

  const [operation] = await api.database.query(
    "owner",
    `select state, requested, changed, refused, stale, failed, dispatched,
       finished_at is not null as finished from bulk_operations where id = $1`,
    [answered.operationId],
  );
  expect(operation).toEqual({
    state: answered.state,
    ...Object.fromEntries(
      Object.entries({ ...answered.counts, dispatched: answered.dispatched }).map(
        ([name, count]) => [name, String(count)],
      ),
    ),
    finished: "t",
  });
  const items = await api.database.query(
    "owner",
    "select task_id, outcome, code, event_seq from bulk_operation_items where operation_id = $1 order by position",
    [answered.operationId],
  );
  expect(items).toEqual(
    answered.items.map(({ taskId, outcome, code = null, eventSeq = null }) => ({
      task_id: taskId,
      outcome,
      code,
      event_seq: eventSeq === null ? null : String(eventSeq),
    })),
  );
}

/** Previews a change and returns its plan token. */
export async function planTokenFor(
  api: TestApi,
  body: BulkBody,
  options: CallOptions = {},
): Promise<string> {
  return expectDone(await preview(api, body, { as: "reviewer", ...options })).planToken;
}

/** Raises a task's seq without changing what a bulk change may do with it. */
export async function addNote(api: TestApi, taskId: string): Promise<void> {
  const body = { text: "Someone looked at it." };
  expectDone(await api.call("POST", `/tasks/${taskId}/notes`, { body }), 201);
}
