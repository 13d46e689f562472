import { uuidv7 } from "uuidv7";
import { beforeAll, describe, expect, test } from "vitest";
import { openDatabase } from "../../src/db/connection/client.ts";
import { beginDispatch } from "../../src/db/dispatches/begin-dispatch.ts";
import { endDispatch, giveUpDispatch } from "../../src/db/dispatches/end-dispatch.ts";
import {
  beginDelivery,
  claimDeliveries,
  endDelivery,
} from "../../src/db/webhooks/webhook-deliveries.ts";
import { switchOffWebhook } from "../../src/db/webhooks/switch-off.ts";
import type { DispatchAttemptEnd } from "../../src/domain/pipelines/dispatch-attempts.ts";
import type { DeliveryAttemptEnd } from "../../src/domain/webhooks/delivery-attempts.ts";
import { expectDone, freshApi, type TestApi } from "../support/api.ts";
import { givenDispatch, readDispatch, timePasses } from "../support/dispatches.ts";
import { openTransaction, untilBlocked } from "../support/model/locks.ts";

// Of two attempts at one message, the first can end after its lease, when the second has begun or ended. Its end must
// not take the place of the second one's, although the row is in the same state as before.

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
  const body = {
    endpoint: "https://checks.example.com",
    timeoutSeconds: 3,
    runDeadlineSeconds: 600,
  };
  expectDone(await api.call("PUT", "/pipelines/quality_automation", { body }));
  const hook = { url: "https://hooks.example.com", events: ["task.attention"] };
  expectDone(await api.call("PUT", "/webhooks/hook", { body: hook }), 201);
});

const tenant = () => openDatabase(api.database).forTenant(api.tenant.id);

const DISPATCH_ENDS: DispatchAttemptEnd[] = [
  { state: "delivered" },
  { state: "sent", error: "too late", delaySeconds: 3000, isCounted: false },
  { state: "dead", error: "too late", reason: "endpoint_answered_410" },
];

describe("an attempt at a dispatch that ends after its lease", () => {
  test.each(DISPATCH_ENDS)("does not overwrite the attempt that runs now: $state", async (end) => {
    const dispatchId = await givenDispatch(api);
    const first = { dispatchId, owner: uuidv7() };
    await beginDispatch(tenant(), { ...first, runId: uuidv7() });
    await timePasses(api.database, 60);
    await beginDispatch(tenant(), { dispatchId, owner: uuidv7(), runId: uuidv7() });
    const row = () =>
      api.database.query("owner", "select * from pipeline_dispatches where id = $1", [dispatchId]);
    const before = [await row(), await readDispatch(api, dispatchId)];
    await endDispatch(tenant(), first, end);
    expect([await row(), await readDispatch(api, dispatchId)]).toEqual(before);
  });

  test.each(DISPATCH_ENDS)("does not overwrite the end of the second: $state", async (end) => {
    const dispatchId = await givenDispatch(api);
    const [first, second] = [
      { dispatchId, owner: uuidv7() },
      { dispatchId, owner: uuidv7() },
    ];
    await beginDispatch(tenant(), { ...first, runId: uuidv7() });
    await timePasses(api.database, 60);
    await beginDispatch(tenant(), { ...second, runId: uuidv7() });
    const failed = { error: "busy", delaySeconds: 30, isCounted: true };
    await endDispatch(tenant(), second, { state: "sent", ...failed });
    const before = await readDispatch(api, dispatchId);
    expect(before).toMatchObject({ state: "sent", attempts: 2, lastError: "busy" });
    await endDispatch(tenant(), first, end);
    expect(await readDispatch(api, dispatchId)).toEqual(before);
  });
});

describe("a dispatch that the relay is sending again", () => {
  test.each<[string, (dispatchId: string, owner: string) => Promise<unknown>]>([
    [
      "a late attempt",
      (dispatchId, owner) => endDispatch(tenant(), { dispatchId, owner }, { state: "delivered" }),
    ],
    ["a dead letter", (dispatchId) => giveUpDispatch(tenant(), dispatchId, "lost")],
  ])("is not ended by %s, which waits for that, so that its log has no gap", async (_, end) => {
    const dispatchId = await givenDispatch(api);
    const owner = uuidv7();
    await beginDispatch(tenant(), { dispatchId, owner, runId: uuidv7() });
    await timePasses(api.database, 3600);
    const relaying = await openTransaction(api.database, [
      { text: "select claim_dispatches(1000)" },
    ]);
    const ending = end(dispatchId, owner);
    await untilBlocked(api.database);
    await relaying.end();
    await ending;
    const { state, log } = await readDispatch(api, dispatchId);
    expect(state).toBe("pending");
    expect(log.map(({ from }) => from)).toEqual([null, ...log.slice(0, -1).map(({ to }) => to)]);
  });
});

test("an attempt that fails leaves the deadline of a run on which a worker has reported", async () => {
  const [dispatchId, owner, runId] = [await givenDispatch(api), uuidv7(), uuidv7()];
  await beginDispatch(tenant(), { dispatchId, owner, runId });
  const body = { state: "RUNNING" };
  expectDone(await api.call("PATCH", `/worker-runs/${runId}`, { as: "service", body }));
  const deadline = () =>
    api.database.query("owner", "select deadline_at from worker_runs where id = $1", [runId]);
  const before = await deadline();
  const failed = { error: "busy", delaySeconds: 3000, isCounted: true };
  await endDispatch(tenant(), { dispatchId, owner }, { state: "sent", ...failed });
  expect((await readDispatch(api, dispatchId)).lastError).toBe("busy");
  expect(await deadline()).toEqual(before);
});

test("a dispatch is left to the relay that is claiming it, without waiting for that", async () => {
  const dispatchId = await givenDispatch(api);
  await timePasses(api.database, 3600);
  const claim = "select id from claim_dispatches(1000)";
  const first = await openTransaction(api.database, [{ text: claim }]);
  const second = await api.database.transaction("application", [
    { text: "set local lock_timeout = '1s'" },
    { text: claim },
  ]);
  await first.end();
  expect(second.at(-1)).toEqual([]);
  expect((await readDispatch(api, dispatchId)).state).toBe("pending");
});

const DELIVERY_ENDS: DeliveryAttemptEnd[] = [
  { state: "delivered", responseStatus: 200 },
  {
    state: "pending",
    responseStatus: 503,
    lastError: "too late",
    delaySeconds: 3000,
    isCounted: false,
    isGone: false,
  },
  { state: "dead", responseStatus: 500, lastError: "too late", reason: "attempts_exhausted" },
];

/** Inserts a message to the webhook that waits for its first attempt. */
async function givenDelivery(): Promise<string> {
  const deliveryId = uuidv7();
  await api.database.query(
    "owner",
    `insert into webhook_deliveries (tenant_id, id, webhook_id, webhook_name, event, source, data, occurred_at)
     select tenant_id, $1::uuid, id, name, 'task.attention', $1::uuid::text, '{}', now() from webhooks`,
    [deliveryId],
  );
  return deliveryId;
}

describe("a webhook's message", () => {
  test("is not posted by a second consumer that began at the same moment", async () => {
    const deliveryId = await givenDelivery();
    const first = await openTransaction(api.database, [
      {
        text: `update webhook_deliveries set lease_owner = gen_random_uuid(), attempts = 1,
            lease_until = now() + interval '1 minute' where id = $1`,
        values: [deliveryId],
      },
    ]);
    const second = beginDelivery(tenant(), { deliveryId, owner: uuidv7() });
    await untilBlocked(api.database);
    await first.end();
    expect(await second).toMatchObject({ outcome: "later" });
  });

  test("is not posted if its webhook was disabled after it was put on the queue", async () => {
    const deliveryId = await givenDelivery();
    const enable = (enabled: boolean) =>
      api.database.query("owner", "update webhooks set enabled = $1", [enabled]);
    await enable(false);
    const begun = await beginDelivery(tenant(), { deliveryId, owner: uuidv7() });
    await enable(true);
    expect(begun).toEqual({ outcome: "settled" });
  });

  test("continues the same attempt if the answer to its begin was lost", async () => {
    const lease = { deliveryId: await givenDelivery(), owner: uuidv7() };
    const begun = { outcome: "begun", delivery: { attempt: 1 } };
    expect(await beginDelivery(tenant(), lease)).toMatchObject(begun);
    expect(await beginDelivery(tenant(), lease)).toMatchObject(begun);
  });

  test("whose endpoint is gone switches nothing off if the next attempt is just beginning", async () => {
    const lease = { deliveryId: await givenDelivery(), owner: uuidv7() };
    const begun = await beginDelivery(tenant(), lease);
    if (begun.outcome !== "begun") expect.fail(begun.outcome);
    const next = "update webhook_deliveries set lease_owner = gen_random_uuid() where id = $1";
    const beginning = await openTransaction(api.database, [
      { text: next, values: [lease.deliveryId] },
    ]);
    const ending = switchOffWebhook(tenant(), lease, {
      state: "pending",
      responseStatus: 410,
      lastError: "The endpoint is gone.",
      delaySeconds: 0,
      isCounted: true,
      isGone: true,
      calledAt: begun.delivery.target.updatedAt,
    });
    await untilBlocked(api.database);
    await beginning.end();
    await ending;
    expect(await api.database.query("owner", "select enabled from webhooks")).toEqual([
      { enabled: "t" },
    ]);
  });

  test("is left to the relay that is putting it on the queue, without waiting for that", async () => {
    const deliveryId = await givenDelivery();
    const relaying = await openTransaction(api.database, [
      { text: "select from webhook_deliveries for update" },
    ]);
    expect(await claimDeliveries(tenant(), 100)).toEqual([]);
    await relaying.end();
    expect(await claimDeliveries(tenant(), 100)).toContain(deliveryId);
  });

  test("is put on the queue once, until it counts as lost", async () => {
    const deliveryId = await givenDelivery();
    expect(await claimDeliveries(tenant(), 100)).toContain(deliveryId);
    expect(await claimDeliveries(tenant(), 100)).toEqual([]);
  });
});

describe("an attempt at a webhook's message that ends after its lease", () => {
  const rowOf = (id: string) =>
    api.database.query("owner", "select * from webhook_deliveries where id = $1", [id]);
  /** A message whose first attempt outlived its lease, and whose second has begun. */
  const givenTwoAttempts = async () => {
    const deliveryId = await givenDelivery();
    const [first, second] = [
      { deliveryId, owner: uuidv7() },
      { deliveryId, owner: uuidv7() },
    ];
    expect(await beginDelivery(tenant(), first)).toMatchObject({ outcome: "begun" });
    await api.database.query(
      "owner",
      "update webhook_deliveries set lease_until = now() - interval '1 second' where id = $1",
      [deliveryId],
    );
    expect(await beginDelivery(tenant(), second)).toMatchObject({ outcome: "begun" });
    return { deliveryId, first, second };
  };

  test.each(DELIVERY_ENDS)("does not overwrite the attempt that runs now: $state", async (end) => {
    const { deliveryId, first } = await givenTwoAttempts();
    const before = await rowOf(deliveryId);
    await endDelivery(tenant(), first, end);
    expect(await rowOf(deliveryId)).toEqual(before);
  });

  test.each(DELIVERY_ENDS)("does not overwrite the end of the second: $state", async (end) => {
    const { deliveryId, first, second } = await givenTwoAttempts();
    await endDelivery(tenant(), second, {
      state: "pending",
      responseStatus: 503,
      lastError: "busy",
      delaySeconds: 30,
      isCounted: true,
      isGone: false,
    });
    const before = await rowOf(deliveryId);
    expect(before).toMatchObject([{ state: "pending", last_error: "busy", attempts: "2" }]);
    await endDelivery(tenant(), first, end);
    expect(await rowOf(deliveryId)).toEqual(before);
  });
});
