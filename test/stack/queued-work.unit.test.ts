import { afterAll, beforeAll, expect, test } from "vitest";
import { connect, type Stepledger } from "../../client/index.ts";
import { makeQueuedWorkDue } from "../../scripts/stack/queued-work.ts";
import { startService, type TestService } from "../support/node/service.ts";

let service: TestService;
let stepledger: Stepledger;

beforeAll(async () => {
  service = await startService();
  stepledger = connect({ baseUrl: service.baseUrl, key: service.tenant.keys.admin });
});
afterAll(() => service.stop());

/** Takes the messages that were sent, like a queue that loses them. */
function taken() {
  const { DISPATCH_QUEUE, WEBHOOK_QUEUE, BULK_QUEUE, SEED_QUEUE } = service.queues;
  return {
    dispatches: DISPATCH_QUEUE.sent.splice(0),
    webhooks: WEBHOOK_QUEUE.sent.splice(0),
    operations: BULK_QUEUE.sent.splice(0),
    seedRuns: SEED_QUEUE.sent.splice(0),
  };
}

test("what waits for a lost message is sent by the next sweep once it was made due", async () => {
  const tenantId = service.tenant.id;
  await stepledger.putWebhook({
    params: { name: "hook" },
    body: { url: "https://hooks.example.com/stepledger", events: ["task.label_changed"] },
  });
  const task = await stepledger.createTask({
    body: { title: "A task", start: { kind: "pre_qa", status: "queued", reason: "Moved here" } },
  });
  const { id: dispatchId } = await stepledger.dispatchPipeline({
    params: { stepId: task.currentStep.id },
    body: { pipeline: "quality_automation", reason: "Check it" },
  });
  const { operationId } = await stepledger.executeBulk({
    body: { taskIds: [task.id], action: "edit", changes: { priority: 7 }, reason: "Now." },
    idempotencyKey: "an-operation",
  });
  // A dispatch that a consumer is sending, an operation between two chunks, and a delivery that is on the queue.
  await service.database.query(
    "owner",
    "update pipeline_dispatches set lease_owner = gen_random_uuid(), lease_until = now() + interval '40 minutes'",
  );
  await service.database.query(
    "owner",
    "update bulk_operations set state = 'running', finished_at = null where id = $1",
    [operationId],
  );
  // A story that is being told, whose next tick is due in some minutes.
  const runId = crypto.randomUUID();
  await service.database.query(
    "owner",
    `insert into seed_runs (tenant_id, id, state, seed, tasks, anchor, days, mix, speed, wanted_until, applied_until,
       lease_holder, lease_until, tick_due_at, created_by)
     values ($1, $2, 'active', 1, 5, '2026-11-30 12:00Z', 14, '{}', 60, '2026-11-16 12:00Z', '2026-11-16 12:00Z',
       gen_random_uuid(), now() + interval '1 minute', now() + interval '5 minutes', 'a test')`,
    [tenantId, runId],
  );
  taken();
  const deliveries: unknown[] = [];
  // Other test files hold the feed back, so that it takes more than one sweep to write the delivery.
  const sweepAndPump = async () => {
    await service.sweep();
    const sent = taken();
    for (const message of sent.webhooks) await consume("stepledger-webhooks", message);
    deliveries.push(...service.queues.WEBHOOK_QUEUE.sent.filter(isDelivery));
    return sent;
  };
  await expect
    .poll(sweepAndPump)
    .toEqual({ dispatches: [], webhooks: [], operations: [], seedRuns: [] });
  expect(deliveries).toHaveLength(1);
  taken();

  await makeQueuedWorkDue(service.database.migrationDatabaseUrl);
  await service.sweep();
  const { webhooks, ...others } = taken();
  expect(others).toEqual({
    dispatches: [{ version: 1, tenantId, dispatchId }],
    operations: [{ version: 1, tenantId, operationId }],
    seedRuns: [{ version: 1, tenantId, runId }],
  });
  expect(webhooks).toEqual([{ version: 1, tenantId }]);
  await consume("stepledger-webhooks", webhooks[0]);
  expect(taken().webhooks).toEqual(deliveries);
});

const isDelivery = (message: unknown) => Object.hasOwn(message as object, "deliveryId");

async function consume(queue: string, body: unknown): Promise<void> {
  const message = { id: "1", body, attempts: 1, ack: () => {}, retry: () => {} };
  await service.consume({ queue, messages: [message] });
}
