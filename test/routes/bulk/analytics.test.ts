import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sendOutgoing } from "../../../src/actions/outgoing/send-outgoing.ts";
import { openDatabase } from "../../../src/db/connection/client.ts";
import { BULK_TARGETS } from "../../../src/domain/bulk/matrix.ts";
import { isTerminal } from "../../../src/domain/status/unified.ts";
import { createMessageQueue } from "../../../src/queues/message-queue.ts";
import type { BulkMessage } from "../../../src/queues/messages.ts";
import { expectDone, freshApi, PLACE_OF_LABEL, type TestApi } from "../../support/api.ts";
import { givenManyAt } from "../../support/given-many.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import { countedQueues, countingQueue, queueBindings } from "../../support/queues.ts";
import { act, execute, expectAccepted, revert, workThrough } from "./support.ts";

interface ProductEvent {
  name: string;
  bulkOperationId: string;
  properties: Record<string, unknown>;
  revertedAt: string | null;
}

const queues = queueBindings();
const points: { indexes: string[]; blobs: string[]; doubles: number[] }[] = [];

let api: TestApi;
beforeAll(async () => {
  api = await freshApi({
    ...queues,
    ANALYTICS: { writeDataPoint: (point: (typeof points)[number]) => points.push(point) },
  });
});
afterAll(() => expectInvariantsHold(api.database));

const eventsOf = async (operationId: string): Promise<ProductEvent[]> => {
  const answer = await api.call<{ data: ProductEvent[] }>("GET", "/analytics/events?limit=200", {
    as: "viewer",
  });
  return expectDone(answer).data.filter(({ bulkOperationId }) => bulkOperationId === operationId);
};

/** A label from which each target can be reached. */
const SOURCE = {
  SUBMITTED: "OUTPUT_FAILED",
  IN_REVIEW: "CHANGES_REQUESTED",
  CHANGES_REQUESTED: "IN_REVIEW",
  PASSED: "IN_REVIEW",
  REJECTED: "PASSED",
  DUPLICATE: "PASSED",
} as const;

describe("The product event of a bulk change", () => {
  test.each(BULK_TARGETS)(
    "is written once for %s if that is terminal, with the counts",
    async (to) => {
      const taskIds = await givenManyAt(api, 2, PLACE_OF_LABEL[SOURCE[to]]);
      const before = points.length;
      const done = expectDone(
        await execute(api, { taskIds: [...taskIds, "nobody"], targetStatus: to }),
      );
      const events = await eventsOf(done.operationId);
      if (!isTerminal(to)) {
        expect(events).toEqual([]);
        expect(points).toHaveLength(before);
        return;
      }
      expect(events).toMatchObject([
        {
          name: "admin_bulk_status_terminal",
          properties: {
            targetStatus: to,
            state: "completed",
            requested: 3,
            changed: 2,
            refused: 1,
            stale: 0,
            failed: 0,
            dispatched: 0,
            runAttachedWorkflows: false,
          },
          revertedAt: null,
        },
      ]);
      // changed, dispatched, failed, refused, requested, runAttachedWorkflows, stale
      expect(points.slice(before)).toEqual([
        {
          indexes: [api.tenant.id],
          blobs: ["admin_bulk_status_terminal", "completed", to],
          doubles: [2, 0, 0, 1, 3, 0, 0],
        },
      ]);
    },
  );

  test("is not written for an action, or if nothing changed", async () => {
    const idle = expectDone(await execute(api, { taskIds: ["nobody"], targetStatus: "PASSED" }));
    const taskIds = await givenManyAt(api, 1, { kind: "pre_qa", status: "failed" });
    const retried = expectDone(await execute(api, { taskIds, action: "retry" }));
    for (const { operationId } of [idle, retried]) expect(await eventsOf(operationId)).toEqual([]);
  });

  test("is written once for a large change, with its last chunk", async () => {
    const taskIds = await givenManyAt(api, 1001, PLACE_OF_LABEL.IN_REVIEW);
    const answer = await execute(api, { taskIds, targetStatus: "PASSED" });
    const operationId = expectAccepted(answer);
    expect(await eventsOf(operationId)).toEqual([]);
    const before = points.length;
    const [message] = queues.BULK_QUEUE.sent;
    await workThrough(api, queues.BULK_QUEUE);
    await api.consume("stepledger-bulk", [message, message]);
    expect(await eventsOf(operationId)).toMatchObject([{ properties: { changed: 1001 } }]);
    expect(points).toHaveLength(before + 1);
  });

  test("is marked as reverted by a revert, which writes none of its own", async () => {
    const taskIds = await givenManyAt(api, 1, PLACE_OF_LABEL.IN_REVIEW);
    const done = expectDone(await execute(api, { taskIds, targetStatus: "PASSED" }));
    const reverted = await revert(api, done.operationId);
    expect(await eventsOf(done.operationId)).toMatchObject([{ revertedAt: expect.any(String) }]);
    expect(await eventsOf(reverted.operationId)).toEqual([]);
  });

  test("does not hold back queue messages if the platform rejects it", async () => {
    const database = openDatabase(api.database);
    const tenant = database.forTenant(api.tenant.id);
    tenant.outgoing.operations.push(crypto.randomUUID());
    tenant.outgoing.analytics.push({ name: "admin_bulk_status_terminal", properties: {} });
    const bulk = countingQueue();
    const sendingQueues = { ...countedQueues(), bulk: createMessageQueue<BulkMessage>(bulk) };
    const analytics = {
      writeDataPoint: () => {
        throw new Error("Too many points");
      },
    };
    const sending = sendOutgoing({ database, queues: sendingQueues, analytics }, tenant);
    await expect(sending).rejects.toThrow("Too many points");
    expect(bulk.sent).toHaveLength(1);
  });

  test("is not listed for another tenant", async () => {
    const { data } = expectDone(
      await api.call<{ data: ProductEvent[] }>("GET", "/analytics/events", {
        tenant: api.otherTenant,
      }),
    );
    expect(data).toEqual([]);
  });
});

describe("The end of a bulk operation", () => {
  const deliveries = () =>
    api.database.query(
      "owner",
      "select webhook_name, source, data from webhook_deliveries where event = 'bulk.finished' order by webhook_name",
    );

  test("writes a message for each webhook that listens, in the same transaction", async () => {
    const listen = async (name: string, webhook: object, tenant = api.tenant) => {
      const body = { url: "https://hooks.example.com", ...webhook };
      expectDone(await api.call("PUT", `/webhooks/${name}`, { tenant, body }), 201);
    };
    await listen("all", { events: ["bulk.finished", "dispatch.dead"] });
    await listen("off", { events: ["bulk.finished"], enabled: false });
    await listen("others", { events: ["dispatch.dead"] });
    await listen("theirs", { events: ["bulk.finished"] }, api.otherTenant);
    queues.WEBHOOK_QUEUE.sent.length = 0;
    const done = expectDone(await execute(api, { taskIds: ["nobody"], targetStatus: "PASSED" }));
    const rows = await deliveries();
    expect(rows.map(({ webhook_name, source }) => [webhook_name, source])).toEqual([
      ["all", done.operationId],
    ]);
    expect(JSON.parse(rows[0]?.["data"] ?? "null")).toMatchObject({
      operationId: done.operationId,
      targetStatus: "PASSED",
      action: null,
      state: "refused",
      counts: done.counts,
      actor: { name: "first reviewer key" },
      finishedAt: expect.stringMatching(/\.\d{6}Z$/),
    });
    expect(queues.WEBHOOK_QUEUE.sent).toEqual([{ version: 1, tenantId: api.tenant.id }]);
  });

  test("writes a message if the operation was cancelled", async () => {
    const taskIds = await givenManyAt(api, 1001, PLACE_OF_LABEL.IN_REVIEW);
    const operationId = expectAccepted(await execute(api, { taskIds, targetStatus: "PASSED" }));
    const before = (await deliveries()).length;
    expectDone(await act(api, operationId, "cancel"));
    const rows = await deliveries();
    expect(rows).toHaveLength(before + 1);
    const message = rows.find(({ source }) => source === operationId);
    expect(JSON.parse(message?.["data"] ?? "null")).toMatchObject({ state: "cancelled" });
  });
});
