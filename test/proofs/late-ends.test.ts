import { uuidv7 } from "uuidv7";
import { beforeAll, describe, expect, test } from "vitest";
import { openDatabase } from "../../src/db/connection/client.ts";
import { beginDispatch } from "../../src/db/dispatches/begin-dispatch.ts";
import { endDispatch } from "../../src/db/dispatches/end-dispatch.ts";
import { beginDelivery, endDelivery } from "../../src/db/webhooks/webhook-deliveries.ts";
import type { DispatchAttemptEnd } from "../../src/domain/pipelines/dispatch-attempts.ts";
import type { DeliveryAttemptEnd } from "../../src/domain/webhooks/delivery-attempts.ts";
import { expectDone, freshApi, type TestApi } from "../support/api.ts";
import { givenDispatch, readDispatch, timePasses } from "../support/dispatches.ts";

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

describe("an attempt at a webhook's message that ends after its lease", () => {
  const rowOf = (id: string) =>
    api.database.query("owner", "select * from webhook_deliveries where id = $1", [id]);
  /** A message whose first attempt outlived its lease, and whose second has begun. */
  const givenTwoAttempts = async () => {
    const deliveryId = uuidv7();
    await api.database.query(
      "owner",
      `insert into webhook_deliveries (tenant_id, id, webhook_id, webhook_name, event, source, data, occurred_at)
       select tenant_id, $1::uuid, id, name, 'task.attention', $1::uuid::text, '{}', now() from webhooks`,
      [deliveryId],
    );
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
