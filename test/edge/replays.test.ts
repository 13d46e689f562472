import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { expectDone, freshApi, type TestApi } from "../support/api.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { queueBindings } from "../support/queues.ts";

const queues = queueBindings();
const { DISPATCH_QUEUE, WEBHOOK_QUEUE } = queues;

let api: TestApi;
beforeAll(async () => {
  api = await freshApi(queues);
  const body = { url: "https://hooks.example.com/stepledger", events: ["task.label_changed"] };
  expectDone(await api.call("PUT", "/webhooks/hook", { body }), 201);
});
afterAll(() => expectInvariantsHold(api.database));
beforeEach(async () => {
  await api.sweep();
  forget();
});

/** Empties the queues. */
function forget(): void {
  DISPATCH_QUEUE.sent.length = 0;
  WEBHOOK_QUEUE.sent.length = 0;
}

/** Requeues a step with its pipeline, which writes an event and a dispatch. */
async function requeue(idempotencyKey: string) {
  const task = await api.givenTask({ at: { kind: "pre_qa", status: "changes_requested" } });
  forget();
  const body = { status: "queued", reason: "Once more", runAttachedWorkflows: true };
  return () => api.call("PATCH", `/steps/${task.currentStep.id}`, { body, idempotencyKey });
}

test("a repeat sends the dispatch and wakes the webhooks if the first call was killed after its commit", async () => {
  const send = await requeue("killed-after-commit");
  await api.database.faults({ kind: "unavailable", sql: "claim_dispatches" });
  vi.spyOn(WEBHOOK_QUEUE, "sendBatch").mockRejectedValueOnce(new Error("killed"));
  await Promise.allSettled([send()]);
  expect([DISPATCH_QUEUE.sent, WEBHOOK_QUEUE.sent]).toEqual([[], []]);

  const repeated = await send();
  expectDone(repeated);
  expect(repeated.headers.get("idempotency-replayed")).toBe("true");
  expect(DISPATCH_QUEUE.sent).toHaveLength(1);
  expect(WEBHOOK_QUEUE.sent).toEqual([{ version: 1, tenantId: api.tenant.id }]);
});

test("a repeat does not send a dispatch again that is on the queue", async () => {
  const send = await requeue("sent-once");
  expectDone(await send());
  expect(DISPATCH_QUEUE.sent).toHaveLength(1);
  expectDone(await send());
  expect(DISPATCH_QUEUE.sent).toHaveLength(1);
});

test("a read, and a repeat that is refused, send nothing", async () => {
  const send = await requeue("refused-repeat");
  expectDone(await send());
  forget();
  const body = { title: "Another call" };
  const options = { body, idempotencyKey: "refused-create" };
  expectDone(await api.call("POST", "/tasks", options), 201);
  forget();
  const other = { ...options, body: { title: "Another body" } };
  expect((await api.call("POST", "/tasks", other)).status).toBe(422);
  expectDone(await api.call("GET", "/tasks"));
  expect([DISPATCH_QUEUE.sent, WEBHOOK_QUEUE.sent]).toEqual([[], []]);
});
