import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ListedBulkItemView } from "../../../src/actions/views/bulk-views.ts";
import { endCancelled } from "../../../src/db/bulk/end-bulk.ts";
import { openDatabase } from "../../../src/db/connection/client.ts";
import {
  type Answer,
  expectDone,
  expectProblem,
  freshApi,
  type Place,
  type TestApi,
} from "../../support/api.ts";
import { givenManyAt } from "../../support/given-many.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import { openTransaction } from "../../support/model/locks.ts";
import { queueBindings } from "../../support/queues.ts";
import {
  act,
  addNote,
  execute,
  expectAccepted,
  labelOf,
  operationOf,
  planRetry,
  planTokenFor,
  preview,
  retry,
  rowCounts,
  workThrough,
} from "./support.ts";

const queues = queueBindings();
const queue = queues.BULK_QUEUE;

let api: TestApi;
beforeAll(async () => {
  api = await freshApi(queues);
});
afterAll(() => expectInvariantsHold(api.database));
afterEach(async () => {
  await api.database.clearFaults();
  queue.sent.length = 0;
});

const IN_REVIEW: Place = { kind: "expert_review", status: "in_review" };
/** One chunk and one more task. */
const COUNT = 1001;
const TO = "CHANGES_REQUESTED" as const;

const given = () => givenManyAt(api, COUNT, IN_REVIEW);

/** The id of an operation that waits for its consumer. */
const accepted = async (taskIds: readonly string[], body: object = {}) =>
  expectAccepted(await execute(api, { taskIds, targetStatus: TO, ...body }));

describe("A bulk change of more than 1,000 tasks", () => {
  test("is accepted as queued, and worked through by its consumer", async () => {
    const taskIds = await given();
    const [first = "", second = ""] = taskIds;
    const operationId = await accepted([...taskIds, "nobody", first]);
    expect(queue.sent).toEqual([{ version: 1, tenantId: api.tenant.id, operationId }]);
    expect(await operationOf(api, operationId)).toMatchObject({
      state: "queued",
      counts: { requested: COUNT + 1, changed: 0, refused: 1 },
      progress: { done: 1, pending: COUNT },
      finishedAt: null,
    });
    expect(await labelOf(api, second)).toBe("IN_REVIEW");
    const waitOf = async () => {
      const answer = await api.call("GET", `/bulk/operations/${operationId}`);
      return answer.headers.get("retry-after");
    };
    expect(await waitOf()).toBe("1");

    await workThrough(api, queue);
    expect(await waitOf()).toBeNull();
    expect(await operationOf(api, operationId)).toMatchObject({
      state: "completed",
      counts: { requested: COUNT + 1, changed: COUNT, refused: 1, stale: 0, failed: 0 },
      progress: { done: COUNT + 1, pending: 0 },
      finishedAt: expect.any(String),
      actor: { name: "first reviewer key" },
    });
    expect(await labelOf(api, second)).toBe(TO);
  });

  test("ends as refused if every task was refused", async () => {
    const taskIds = Array.from({ length: COUNT }, () => crypto.randomUUID());
    const operationId = await accepted(taskIds);
    await workThrough(api, queue);
    expect(await operationOf(api, operationId)).toMatchObject({
      state: "refused",
      counts: { requested: COUNT, changed: 0, refused: COUNT },
      revertible: false,
      finishedAt: expect.any(String),
    });
  });

  test("records the actor, the request and the reason on each event", async () => {
    const taskIds = await given();
    const answer = await execute(api, { taskIds, targetStatus: TO, reason: "Seen by Ada." });
    const operationId = expectAccepted(answer);
    await workThrough(api, queue);
    const events = await api.database.query(
      "owner",
      `select actor_name, actor_kind, actor_role, request_id, reason, count(*) from step_events
       where bulk_operation_id = $1 group by 1, 2, 3, 4, 5`,
      [operationId],
    );
    expect(events).toEqual([
      {
        actor_name: "first reviewer key",
        actor_kind: "key",
        actor_role: "reviewer",
        request_id: answer.headers.get("x-request-id"),
        reason: "Seen by Ada.",
        count: String(COUNT),
      },
    ]);
  });

  test("holds to the previewed plan: tasks that have changed stop it, or are skipped", async () => {
    const taskIds = await given();
    const [moved = ""] = taskIds;
    const body = { taskIds, targetStatus: TO };
    const planToken = await planTokenFor(api, body);
    await addNote(api, moved);
    const before = await rowCounts(api);
    expectProblem(await execute(api, { ...body, planToken }), "plan_stale", 409);
    expect(await rowCounts(api)).toEqual(before);
    const operationId = await accepted(taskIds, { planToken, onStale: "skip" });
    await workThrough(api, queue);
    expect(await operationOf(api, operationId)).toMatchObject({
      state: "partial",
      counts: { changed: COUNT - 1, stale: 1 },
    });
    expect(await labelOf(api, moved)).toBe("IN_REVIEW");
  });

  test("does not plan tasks again: those that change after acceptance are stale", async () => {
    const taskIds = await given();
    const [moved = ""] = taskIds;
    const operationId = await accepted(taskIds);
    await addNote(api, moved);
    await workThrough(api, queue);
    const items = await api.call<{ data: ListedBulkItemView[] }>(
      "GET",
      `/bulk/operations/${operationId}/items?outcome=stale`,
    );
    expect(expectDone(items).data).toEqual([
      {
        position: 0,
        taskId: moved,
        outcome: "stale",
        code: "stale",
        from: "IN_REVIEW",
        to: TO,
        title: expect.any(String),
        externalId: null,
        error: null,
      },
    ]);
  });

  test("expires if the registry version changes after acceptance", async () => {
    const taskIds = await given();
    const operationId = await accepted(taskIds);
    await api.database.query(
      "owner",
      "update bulk_operations set registry_version = 0 where id = $1",
      [operationId],
    );
    await workThrough(api, queue);
    expect(await operationOf(api, operationId)).toMatchObject({
      state: "failed",
      counts: { changed: 0, stale: COUNT },
    });
    const codes = await api.database.query(
      "owner",
      "select distinct code from bulk_operation_items where operation_id = $1",
      [operationId],
    );
    expect(codes).toEqual([{ code: "plan_expired" }]);
    expect(await labelOf(api, taskIds[0] ?? "")).toBe("IN_REVIEW");
  });

  test("answers every repeat with the same 202, and is done once", async () => {
    const taskIds = await given();
    const body = { taskIds, targetStatus: TO };
    const idempotencyKey = crypto.randomUUID();
    const first = await execute(api, body, { idempotencyKey });
    expectAccepted(first);
    const early = await execute(api, body, { idempotencyKey });
    await workThrough(api, queue);
    const before = await rowCounts(api);
    const late = await execute(api, body, { idempotencyKey });
    for (const repeated of [early, late]) {
      expect(repeated.status).toBe(202);
      expect(repeated.text).toBe(first.text);
      expect(repeated.headers.get("location")).toBe(first.headers.get("location"));
      expect(repeated.headers.get("idempotency-replayed")).toBe("true");
    }
    expect(await rowCounts(api)).toEqual(before);
    const other = await execute(api, { ...body, targetStatus: "REJECTED" }, { idempotencyKey });
    expectProblem(other, "idempotency_key_reused", 422);
  });

  test("runs pipelines only if the caller opted in", async () => {
    const taskIds = await givenManyAt(api, COUNT, { kind: "pre_qa", status: "failed" });
    const count = async () => {
      const [row] = await api.database.query("owner", "select count(*) from pipeline_dispatches");
      return Number(row?.["count"]);
    };
    const half = taskIds.length;
    const before = await count();
    const retry = { taskIds: taskIds.slice(0, half), action: "retry" } as const;
    expectDone(await preview(api, retry));
    const withoutPipelines = expectAccepted(await execute(api, retry));
    await workThrough(api, queue);
    expect(await count()).toBe(before);
    expect(queues.DISPATCH_QUEUE.sent).toEqual([]);
    expect(await operationOf(api, withoutPipelines)).toMatchObject({ dispatched: 0 });

    const run = { taskIds, action: "run_pipelines", runAttachedWorkflows: true } as const;
    const withPipelines = expectAccepted(await execute(api, run));
    expect(await count()).toBe(before);
    await workThrough(api, queue);
    expect(await count()).toBe(before + COUNT);
    expect(await operationOf(api, withPipelines)).toMatchObject({
      state: "completed",
      dispatched: COUNT,
    });
    expect(queues.DISPATCH_QUEUE.sent).toHaveLength(COUNT);
  });
});

describe("Cancelling a bulk operation", () => {
  test("ends a queued operation immediately, with nothing changed", async () => {
    const taskIds = await given();
    const operationId = await accepted(taskIds);
    const sql = "cancel_requested_at = coalesce";
    await api.database.faults({ kind: "delay", delayMilliseconds: 2000, sql });
    const late = act(api, operationId, "cancel");
    await expect.poll(() => api.database.waitingFaults()).toBe(0);
    const cancelled = await act(api, operationId, "cancel");
    expect(expectDone(cancelled)).toMatchObject({
      state: "cancelled",
      counts: { changed: 0 },
      progress: { pending: COUNT },
      finishedAt: expect.any(String),
    });
    const ended = await operationOf(api, operationId);
    expectProblem(await late, "already_in_status", 409);
    await workThrough(api, queue);
    // A consumer that read the operation before its end does this.
    await endCancelled(openDatabase(api.database).forTenant(api.tenant.id), operationId);
    expect(await operationOf(api, operationId)).toEqual(ended);
    expect(await labelOf(api, taskIds[0] ?? "")).toBe("IN_REVIEW");
    expectProblem(await act(api, operationId, "cancel"), "already_in_status", 409);
  });

  test("ends a running operation after its chunk; what is changed stays, and can be reverted", async () => {
    const taskIds = await given();
    const operationId = await accepted(taskIds);
    // The database is unavailable for the consumer's second chunk.
    await api.database.faults({ kind: "unavailable", skip: 2, times: 5 });
    await api.consume("stepledger-bulk", queue.sent.splice(0));
    await api.database.clearFaults();
    expect(await operationOf(api, operationId)).toMatchObject({
      state: "running",
      counts: { changed: 1000 },
    });
    const requested = expectDone(await act(api, operationId, "cancel"));
    expect(requested).toMatchObject({ state: "running", cancelRequestedAt: expect.any(String) });
    await api.consume("stepledger-bulk", [{ version: 1, tenantId: api.tenant.id, operationId }]);
    expect(await operationOf(api, operationId)).toMatchObject({
      state: "cancelled",
      counts: { requested: COUNT, changed: 1000 },
      progress: { done: 1000, pending: 1 },
      revertible: true,
    });
    const reverted = expectDone(await act(api, operationId, "revert"));
    expect(reverted).toMatchObject({ reverted: 1000, movedOn: 0 });
  });

  test("waits for no chunk: one that is already planned writes nothing after the end", async () => {
    const taskIds = await given();
    const operationId = await accepted(taskIds);
    // Delays the consumer between loading and writing its chunk.
    const sql = "move as materialized";
    await api.database.faults({ kind: "delay", delayMilliseconds: 2000, sql });
    const consuming = api.consume("stepledger-bulk", queue.sent.splice(0));
    await expect.poll(() => api.database.waitingFaults(), { timeout: 20_000 }).toBe(0);
    expect(expectDone(await act(api, operationId, "cancel"))).toMatchObject({ state: "cancelled" });
    const { finishedAt } = await operationOf(api, operationId);
    await consuming;
    expect(await operationOf(api, operationId)).toMatchObject({
      state: "cancelled",
      finishedAt,
      counts: { changed: 0, stale: 0 },
      progress: { pending: COUNT },
    });
    const outcomes = await api.database.query(
      "owner",
      "select distinct outcome from bulk_operation_items where operation_id = $1",
      [operationId],
    );
    expect(outcomes).toEqual([{ outcome: "pending" }]);
    expect(await labelOf(api, taskIds[0] ?? "")).toBe("IN_REVIEW");
  });

  test("refuses an operation that has ended", async () => {
    const [taskId = ""] = await givenManyAt(api, 1, IN_REVIEW);
    const done = expectDone(await execute(api, { taskIds: [taskId], targetStatus: TO }));
    const answer = await act(api, done.operationId, "cancel");
    expect(expectProblem(answer, "invalid_transition", 409)).toMatchObject({
      from: "completed",
      to: "cancelled",
      allowed: [],
    });
    expectProblem(await act(api, crypto.randomUUID(), "cancel"), "not_found", 404);
  });

  test("answers a repeat of the call with the same bytes", async () => {
    const operationId = await accepted(await given());
    const idempotencyKey = crypto.randomUUID();
    const first = await act(api, operationId, "cancel", { idempotencyKey });
    const second = await act(api, operationId, "cancel", { idempotencyKey });
    expect(expectDone(second)).toMatchObject({ state: "cancelled" });
    expect(second.text).toBe(first.text);
    expect(second.headers.get("idempotency-replayed")).toBe("true");
  });
});

describe("A bulk operation that has stopped making progress", () => {
  test("is resumed by the sweep if its message was lost", async () => {
    const operationId = await accepted(await given());
    queue.sent.length = 0;
    await api.sweep();
    expect(queue.sent).toEqual([]);
    await api.database.query(
      "owner",
      "update bulk_operations set progress_at = now() - interval '6 minutes' where id = $1",
      [operationId],
    );
    // A sweep does not wait for an operation that another one is claiming.
    const claimed = await openTransaction(api.database, [
      { text: "select from bulk_operations where id = $1 for update", values: [operationId] },
    ]);
    const claims = await api.database.transaction("application", [
      { text: "set local lock_timeout = '1s'" },
      { text: "select id from claim_halted_operations(1000)" },
    ]);
    await claimed.end();
    expect(claims.at(-1)).toEqual([]);
    await api.sweep();
    expect(queue.sent).toEqual([{ version: 1, tenantId: api.tenant.id, operationId }]);
    await workThrough(api, queue);
    expect(await operationOf(api, operationId)).toMatchObject({ state: "completed" });
  });

  test("is finished after the request that executed it was interrupted", async () => {
    const taskIds = await givenManyAt(api, 4, IN_REVIEW);
    const idempotencyKey = crypto.randomUUID();
    const body = { taskIds, targetStatus: TO };
    // The database refuses the first batch, so that it is halved, and is unavailable after the first half.
    await api.database.faults({ kind: "sqlstate", code: "22000", sql: "into bulk_operations" });
    await api.database.faults({ kind: "unavailable", skip: 1, times: 5, sql: "into operations" });
    expectProblem(await execute(api, body, { idempotencyKey }), "unavailable", 503);
    await api.database.clearFaults();
    const [row] = await api.database.query(
      "owner",
      `update bulk_operations set progress_at = now() - interval '6 minutes'
       where state = 'running' returning id, changed`,
    );
    expect(row).toMatchObject({ changed: "2" });
    await api.sweep();
    await workThrough(api, queue);
    const done = expectDone(await execute(api, body, { idempotencyKey }));
    expect(done).toMatchObject({ operationId: row?.["id"], counts: { changed: 4 } });
  });
});

describe("A repeat of a call whose operation waits for a consumer", () => {
  const messageFor = (operationId: string) => ({
    version: 1,
    tenantId: api.tenant.id,
    operationId,
  });

  /** Works on the first chunk, and then loses the message, as if the consumer had been killed. */
  const killAfterFirstChunk = async () => {
    await api.database.faults({ kind: "unavailable", skip: 2, times: 5 });
    await api.consume("stepledger-bulk", queue.sent.splice(0));
    await api.database.clearFaults();
  };

  /** Sends the call again, expects a message for the operation, and that it finishes the operation. */
  const expectResumed = async (operationId: string, repeat: () => Promise<Answer<unknown>>) => {
    expect(queue.sent).toEqual([]);
    const repeated = await repeat();
    expect(expectAccepted(repeated)).toBe(operationId);
    expect(repeated.headers.get("idempotency-replayed")).toBe("true");
    expect(queue.sent).toEqual([messageFor(operationId)]);
    await workThrough(api, queue);
    const { progress, finishedAt } = await operationOf(api, operationId);
    expect({ pending: progress.pending, finishedAt }).toEqual({
      pending: 0,
      finishedAt: expect.any(String),
    });
  };

  test("resumes an execution, before its first chunk and between two", async () => {
    const taskIds = await given();
    for (const [targetStatus, kill] of [
      [TO, () => void queue.sent.splice(0)],
      ["REJECTED", killAfterFirstChunk],
    ] as const) {
      const idempotencyKey = crypto.randomUUID();
      const send = () => execute(api, { taskIds, targetStatus }, { idempotencyKey });
      const operationId = expectAccepted(await send());
      await kill();
      // Neither a refused repeat nor a read sends anything.
      const other = { taskIds, targetStatus: "DUPLICATE" } as const;
      expectProblem(await execute(api, other, { idempotencyKey }), "idempotency_key_reused", 422);
      await operationOf(api, operationId);
      await expectResumed(operationId, send);
      expect(await labelOf(api, taskIds.at(-1) ?? "")).toBe(targetStatus);
    }
  });

  test("resumes a revert and a retry", async () => {
    const operationId = await accepted(await given());
    await workThrough(api, queue);
    const revert = { idempotencyKey: crypto.randomUUID() };
    const revertId = expectAccepted(await act(api, operationId, "revert", revert));
    await killAfterFirstChunk();
    await expectResumed(revertId, () => act(api, operationId, "revert", revert));

    const expired = await accepted(await given());
    await api.database.query(
      "owner",
      "update bulk_operations set registry_version = 0 where id = $1",
      [expired],
    );
    await workThrough(api, queue);
    const { planToken } = expectDone(await planRetry(api, expired, { as: "reviewer" }));
    const call = { idempotencyKey: crypto.randomUUID(), body: { planToken } };
    const childId = expectAccepted(await act(api, expired, "retry-failed", call));
    await killAfterFirstChunk();
    await expectResumed(childId, () => act(api, expired, "retry-failed", call));
  });

  test("changes nothing more, however many messages it sends and after the operation has ended", async () => {
    const taskIds = await given();
    const idempotencyKey = crypto.randomUUID();
    const send = () => execute(api, { taskIds, targetStatus: TO }, { idempotencyKey });
    const operationId = expectAccepted(await send());
    for (let repeat = 0; repeat < 5; repeat += 1) await send();
    await Promise.all(
      queue.sent.splice(0).map((message) => api.consume("stepledger-bulk", [message])),
    );
    queue.sent.push(messageFor(operationId));
    await workThrough(api, queue);
    expect(await operationOf(api, operationId)).toMatchObject({
      state: "completed",
      counts: { requested: COUNT, changed: COUNT },
    });
    const before = await rowCounts(api);
    await send();
    await workThrough(api, queue);
    expect(await rowCounts(api)).toEqual(before);
  });

  test("cancels an operation whose consumer was killed", async () => {
    const operationId = await accepted(await given());
    await killAfterFirstChunk();
    const idempotencyKey = crypto.randomUUID();
    // The message of the first call is lost, too.
    for (let call = 1; call <= 2; call += 1) {
      const cancelled = await act(api, operationId, "cancel", { idempotencyKey });
      expect(expectDone(cancelled)).toMatchObject({ state: "running" });
      expect(queue.sent.splice(0)).toEqual([messageFor(operationId)]);
    }
    queue.sent.push(messageFor(operationId));
    await workThrough(api, queue);
    expect(await operationOf(api, operationId)).toMatchObject({
      state: "cancelled",
      counts: { changed: 1000 },
    });
  });
});

describe("Large operations that follow from another one", () => {
  test("a revert of more than 1,000 tasks is accepted, and reports tasks that moved on", async () => {
    const taskIds = await givenManyAt(api, COUNT + 2, IN_REVIEW);
    const [moved = ""] = taskIds;
    const pass = { targetStatus: "PASSED", runAttachedWorkflows: true } as const;
    const operationId = expectAccepted(await execute(api, { taskIds, ...pass }));
    await workThrough(api, queue);
    await addNote(api, moved);
    const idempotencyKey = crypto.randomUUID();
    const answer = await act(api, operationId, "revert", { idempotencyKey });
    const revertId = expectAccepted(answer);
    expect((await act(api, operationId, "revert", { idempotencyKey })).text).toBe(answer.text);
    expectProblem(await act(api, operationId, "revert"), "not_revertible", 409);
    await workThrough(api, queue);
    expect(await operationOf(api, revertId)).toMatchObject({
      state: "partial",
      action: "revert",
      parentId: operationId,
      counts: { requested: COUNT + 2, changed: COUNT + 1, stale: 1 },
      recalled: COUNT + 1,
      alreadyDelivered: 0,
    });
    expect(await labelOf(api, moved)).toBe("PASSED");
    expect(await labelOf(api, taskIds.at(-1) ?? "")).toBe("IN_REVIEW");
  });

  test("a retry of more than 1,000 tasks is accepted, and planned from their present state", async () => {
    const taskIds = await given();
    const operationId = await accepted(taskIds);
    await api.database.query(
      "owner",
      "update bulk_operations set registry_version = 0 where id = $1",
      [operationId],
    );
    await workThrough(api, queue);
    const childId = expectAccepted(await retry(api, operationId));
    await workThrough(api, queue);
    expect(await operationOf(api, childId)).toMatchObject({
      state: "completed",
      parentId: operationId,
      targetStatus: TO,
      counts: { requested: COUNT, changed: COUNT },
    });
  });
});
