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

interface Told {
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

const toldOf = async (operationId: string): Promise<Told[]> => {
  const answer = await api.call<{ data: Told[] }>("GET", "/analytics/events?limit=200", {
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

describe("the product event of a bulk change", () => {
  test.each(BULK_TARGETS)(
    "is written once for %s where that is terminal, with counts",
    async (to) => {
      const taskIds = await givenManyAt(api, 2, PLACE_OF_LABEL[SOURCE[to]]);
      const before = points.length;
      const done = expectDone(
        await execute(api, { taskIds: [...taskIds, "nobody"], targetStatus: to }),
      );
      const told = await toldOf(done.operationId);
      if (!isTerminal(to)) {
        expect(told).toEqual([]);
        expect(points).toHaveLength(before);
        return;
      }
      expect(told).toMatchObject([
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

  test("is not written where nothing changed, nor for an action", async () => {
    const idle = expectDone(await execute(api, { taskIds: ["nobody"], targetStatus: "PASSED" }));
    const taskIds = await givenManyAt(api, 1, { kind: "pre_qa", status: "failed" });
    const retried = expectDone(await execute(api, { taskIds, action: "retry" }));
    for (const { operationId } of [idle, retried]) expect(await toldOf(operationId)).toEqual([]);
  });

  test("comes with the last chunk of a large one, and once", async () => {
    const taskIds = await givenManyAt(api, 1001, PLACE_OF_LABEL.IN_REVIEW);
    const answer = await execute(api, { taskIds, targetStatus: "PASSED" });
    const operationId = expectAccepted(answer);
    expect(await toldOf(operationId)).toEqual([]);
    const before = points.length;
    const [message] = queues.BULK_QUEUE.sent;
    await workThrough(api, queues.BULK_QUEUE);
    await api.consume("stepledger-bulk", [message, message]);
    expect(await toldOf(operationId)).toMatchObject([{ properties: { changed: 1001 } }]);
    expect(points).toHaveLength(before + 1);
  });

  test("is marked when its change is taken back, which is told by none of its own", async () => {
    const taskIds = await givenManyAt(api, 1, PLACE_OF_LABEL.IN_REVIEW);
    const done = expectDone(await execute(api, { taskIds, targetStatus: "PASSED" }));
    const undone = await revert(api, done.operationId);
    expect(await toldOf(done.operationId)).toMatchObject([{ revertedAt: expect.any(String) }]);
    expect(await toldOf(undone.operationId)).toEqual([]);
  });

  test("holds back no message where the platform does not take it", async () => {
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

  test("of another tenant is not listed", async () => {
    const { data } = expectDone(
      await api.call<{ data: Told[] }>("GET", "/analytics/events", { tenant: api.otherTenant }),
    );
    expect(data).toEqual([]);
  });
});

describe("the end of an operation", () => {
  const deliveries = () =>
    api.database.query(
      "owner",
      "select webhook_name, source, data from webhook_deliveries where event = 'bulk.finished' order by webhook_name",
    );

  test("is written down for the webhooks that want to know, in the same moment", async () => {
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
      state: "completed",
      counts: done.counts,
      actor: { name: "first reviewer key" },
      finishedAt: expect.stringMatching(/\.\d{6}Z$/),
    });
    expect(queues.WEBHOOK_QUEUE.sent).toEqual([{ version: 1, tenantId: api.tenant.id }]);
  });

  test("is told of one that was cancelled too", async () => {
    const taskIds = await givenManyAt(api, 1001, PLACE_OF_LABEL.IN_REVIEW);
    const operationId = expectAccepted(await execute(api, { taskIds, targetStatus: "PASSED" }));
    const before = (await deliveries()).length;
    expectDone(await act(api, operationId, "cancel"));
    const rows = await deliveries();
    expect(rows).toHaveLength(before + 1);
    const told = rows.find(({ source }) => source === operationId);
    expect(JSON.parse(told?.["data"] ?? "null")).toMatchObject({ state: "cancelled" });
  });
});
