import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { BulkPreview } from "../../src/actions/views/bulk-views.ts";
import { act, execute, expectAccepted, operationOf, preview } from "../routes/bulk/support.ts";
import { expectDone, freshApi, type Place, type TestApi } from "../support/api.ts";
import { givenMany } from "../support/given-many.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { queueBindings } from "../support/queues.ts";

/** `TASKS=50000 npx vitest run test/proofs/large-bulk.test.ts` runs the test at full size. */
const { tasks: TASKS } = inject("stack");
const MINUTES = 60_000;

const queues = queueBindings();
const queue = queues.BULK_QUEUE;
let api: TestApi;
beforeAll(async () => {
  api = await freshApi(queues);
});
afterAll(async () => {
  await api.database.query("owner", "analyze");
  await expectInvariantsHold(api.database);
}, 10 * MINUTES);

const IN_REVIEW: Place = { kind: "expert_review", status: "in_review" };
const PASS = { targetStatus: "PASSED", runAttachedWorkflows: true } as const;

/** Three of four tasks can pass. The others are refused. */
const placeAt = (index: number): Place =>
  index % 4 === 3 ? { kind: "authoring", status: "running" } : IN_REVIEW;

/** Crashes a consumer after its first chunk: before the second one is written, or after it without an answer. */
async function consumeAndDie(message: unknown, moment: "before commit" | "after commit") {
  const sql = "into operations";
  if (moment === "before commit") {
    await api.database.faults({ kind: "unavailable", skip: 1, times: null, sql });
  } else {
    await api.database.faults({ kind: "cut-after-commit", sql });
    await api.database.faults({ kind: "unavailable", skip: 1, times: null });
  }
  const { retryMessages } = await api.consume("stepledger-bulk", [message]);
  await api.database.clearFaults();
  expect(retryMessages).toHaveLength(1);
}

/** Delivers every message to three concurrent consumers, and some again afterwards, until none is left. */
async function consumeWildly() {
  let consumed = 0;
  const seen: unknown[] = [];
  while (queue.sent.length > 0) {
    const messages = queue.sent.splice(0);
    seen.push(...messages);
    const again = seen.filter((_, index) => index % 3 === consumed % 3);
    const results = await Promise.all(
      [...messages, ...messages, ...messages, ...again].map((message) =>
        api.consume("stepledger-bulk", [message]),
      ),
    );
    consumed += results.length;
    // A message is retried if another consumer held its chunk.
    if (results.some(({ retryMessages }) => retryMessages.length > 0)) queue.sent.push(...messages);
  }
  return consumed;
}

/** Compares the items of an operation with the tables: the outcome, event and label of each. */
async function untrueItems(operationId: string): Promise<number> {
  const [row] = await api.database.query(
    "owner",
    `select count(*) from bulk_operation_items i
     join tasks t on t.tenant_id = i.tenant_id and t.id = i.task_id::uuid
     join task_labels l on l.tenant_id = t.tenant_id and l.task_id = t.id
     left join step_events e on e.tenant_id = t.tenant_id and e.task_id = t.id and e.seq = i.event_seq
       and e.bulk_operation_id = i.operation_id
     where i.operation_id = $1 and not case i.outcome
       when 'changed' then e.seq is not null and i.event_seq = t.event_seq and l.unified_status = i.to_label
       when 'refused' then e.seq is null and t.event_seq = i.planned_seq and i.code = 'illegal_target'
       when 'stale' then e.seq is null and t.event_seq > i.planned_seq
       else false end`,
    [operationId],
  );
  return Number(row?.["count"]);
}

async function scalar(text: string, ...values: string[]): Promise<number> {
  const [row] = await api.database.query("owner", text, values);
  return Number(Object.values(row ?? {})[0]);
}

describe(`one operation over ${TASKS} tasks`, () => {
  let taskIds: string[];
  let planned: BulkPreview;
  let operationId: string;
  const eligible = Array.from({ length: TASKS }, (_, index) => placeAt(index)).filter(
    (place) => place === IN_REVIEW,
  ).length;

  test(
    "is previewed and accepted as a whole",
    async () => {
      taskIds = await givenMany(
        api,
        Array.from({ length: TASKS }, (_, index) => placeAt(index)),
      );
      const body = { taskIds, ...PASS };
      planned = expectDone(await preview(api, body, { as: "reviewer" }));
      expect(planned.counts).toEqual({ requested: TASKS, eligible, refused: TASKS - eligible });
      const { planToken } = planned;
      operationId = expectAccepted(await execute(api, { ...body, planToken }));
      expect(await operationOf(api, operationId)).toMatchObject({
        state: "queued",
        counts: { requested: TASKS, refused: TASKS - eligible, changed: 0 },
      });
    },
    10 * MINUTES,
  );

  test(
    "ends with outcomes that match the tables, although it is killed twice and its messages are duplicated",
    async ({ annotate }) => {
      const [message] = queue.sent.splice(0);
      await consumeAndDie(message, "before commit");
      const afterFirst = (await operationOf(api, operationId)).counts.changed;
      await consumeAndDie(message, "after commit");
      const afterSecond = (await operationOf(api, operationId)).counts.changed;
      expect([afterFirst, afterSecond]).toEqual([1000, 2000]);

      // Moves a few tasks that are not processed yet.
      const moved = taskIds.filter((_, index) => placeAt(index) === IN_REVIEW).slice(-3);
      for (const taskId of moved) {
        const note = { body: { text: "Looked at it." } };
        expectDone(await api.call("POST", `/tasks/${taskId}/notes`, note), 201);
      }
      queue.sent.push(message);
      const messages = await consumeWildly();
      const operation = await operationOf(api, operationId);
      const changed = eligible - moved.length;
      expect(operation).toMatchObject({
        state: "partial",
        counts: { requested: TASKS, changed, refused: TASKS - eligible, stale: 3, failed: 0 },
        progress: { done: TASKS, pending: 0 },
        dispatched: changed,
      });
      expect(await untrueItems(operationId)).toBe(0);
      const events = "select count(*) from step_events where bulk_operation_id = $1";
      expect(await scalar(events, operationId)).toBe(changed);
      const payments = "select count(*) from pipeline_dispatches where bulk_operation_id = $1";
      expect(await scalar(payments, operationId)).toBe(changed);
      expect(await scalar("select count(*) from analytics_events")).toBe(1);
      await annotate(`${changed} of ${TASKS} changed, by ${messages} messages`);
    },
    20 * MINUTES,
  );

  test(
    "is reverted: every untouched task goes back, those that moved on are reported, and no payment is dispatched",
    async ({ annotate }) => {
      const moved = taskIds.filter((_, index) => placeAt(index) === IN_REVIEW).slice(0, 5);
      for (const taskId of moved) {
        const note = { body: { text: "Looked at it." } };
        expectDone(await api.call("POST", `/tasks/${taskId}/notes`, note), 201);
      }
      const { changed } = (await operationOf(api, operationId)).counts;
      const revertId = expectAccepted(await act(api, operationId, "revert"));
      const [message] = queue.sent.splice(0);
      await consumeAndDie(message, "before commit");
      queue.sent.push(message);
      await consumeWildly();
      const undone = await operationOf(api, revertId);
      expect(undone).toMatchObject({
        state: "partial",
        counts: { requested: changed, changed: changed - 5, stale: 5, failed: 0 },
        recalled: changed - 5,
        alreadyDelivered: 0,
      });
      expect(await untrueItems(revertId)).toBe(0);
      const back = "select count(*) from task_labels where unified_status = 'IN_REVIEW'";
      expect(await scalar(back)).toBe(eligible - 5);
      const live = "select count(*) from pipeline_dispatches where state <> 'recalled'";
      expect(await scalar(live)).toBe(5);
      await annotate(`${changed - 5} of ${changed} brought back, 5 had moved on`);
    },
    20 * MINUTES,
  );
});
