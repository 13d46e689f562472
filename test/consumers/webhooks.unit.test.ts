import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { DeliveryRecord } from "../../src/db/webhooks/webhook-deliveries.ts";
import { WEBHOOK_EVENTS } from "../../src/domain/webhooks/events.ts";
import { DELIVERY_ATTEMPTS_MAX } from "../../src/domain/webhooks/delivery-backoff.ts";
import { parseSecret } from "../../src/outbound/secrets.ts";
import { drain, type Retried } from "../support/drain.ts";
import { type Receiver, startReceiver } from "../support/node/receiver.ts";
import { startService, type TestService } from "../support/node/service.ts";

let service: TestService;
let receiver: Receiver;
/** The secret of the test's webhook, which the receiver verifies with. */
const secret = new Uint8Array(32);
let hook: string;

beforeAll(async () => {
  [service, receiver] = await Promise.all([startService(), startReceiver(secret)]);
});
afterAll(() => Promise.all([service.stop(), receiver.stop()]));

beforeEach(async () => {
  hook = `hook-${crypto.randomUUID()}`;
  const { secret: text } = await put();
  secret.set(parseSecret(text ?? "") ?? []);
  await deliver();
  receiver.answerWith({ status: 200 });
  receiver.received.length = 0;
  return async () => {
    await call("DELETE", `/webhooks/${hook}`);
  };
});

async function call<Body>(method: string, path: string, body?: object): Promise<Body> {
  const response = await fetch(`${service.baseUrl}/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${service.tenant.keys.admin}`,
      ...(body && { "content-type": "application/json" }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  expect(response.ok, text).toBe(true);
  // Each test checks the body's shape.
  return JSON.parse(text) as Body;
}

const put = (settings: object = {}) =>
  call<{ secret: string | null }>("PUT", `/webhooks/${hook}`, {
    url: receiver.url,
    events: WEBHOOK_EVENTS,
    ...settings,
  });

const givenTask = (task: object = {}) =>
  call<{ id: string }>("POST", "/tasks", { title: "A task", ...task });

/**
 * Consumes the whole queue and returns the deliveries to retry. The feed holds back while other transactions of the
 * cluster are writing, so a pump message that comes back is consumed again until they end.
 */
async function deliver(): Promise<Retried[]> {
  const retried: Retried[] = [];
  for (;;) {
    const back = await drain(service.queues.WEBHOOK_QUEUE, "stepledger-webhooks", service.consume);
    const [pumps, sends] = [back.filter(isPump), back.filter((message) => !isPump(message))];
    retried.push(...sends);
    if (pumps.length === 0) return retried;
    requeue(pumps);
  }
}

const isPump = ({ body }: Retried) => !JSON.stringify(body).includes("deliveryId");

/** Delivers to an endpoint that never responds, and ends its time limit as soon as it has the message. */
async function deliverWithoutWaiting(): Promise<Retried[]> {
  const { setTimeout, clearTimeout } = globalThis;
  const limits = new Map<unknown, () => void>();
  vi.stubGlobal("setTimeout", (callback: () => void, milliseconds?: number) => {
    const timer = setTimeout(callback, milliseconds);
    if (milliseconds === RESPONSE_MS_MAX) limits.set(timer, callback);
    return timer;
  });
  vi.stubGlobal("clearTimeout", (timer?: NodeJS.Timeout) => {
    limits.delete(timer);
    clearTimeout(timer);
  });
  try {
    const delivering = deliver();
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1), { timeout: 20_000 });
    // The database's limit is as long, but no query is under way while the endpoint has the message.
    expect(limits.size).toBe(1);
    for (const end of limits.values()) end();
    return await delivering;
  } finally {
    vi.unstubAllGlobals();
  }
}

/** How long a delivery waits for a response. */
const RESPONSE_MS_MAX = 10_000;

const deliveries = async (): Promise<DeliveryRecord[]> =>
  (await call<{ data: DeliveryRecord[] }>("GET", `/webhooks/${hook}/deliveries`)).data;

/** Returns the only delivery. */
async function delivery(): Promise<DeliveryRecord> {
  const [one, ...others] = await deliveries();
  expect(others).toEqual([]);
  return one ?? expect.fail("The webhook has no delivery");
}

/** Moves every pending delivery's times into the past. */
const letTimePass = () =>
  service.database.query(
    "superuser",
    `update webhook_deliveries set next_attempt_at = now() - interval '1 second',
      relay_at = now() - interval '1 second', lease_until = now() - interval '1 second' where state = 'pending'`,
  );

const requeue = (retried: readonly Retried[]) =>
  service.queues.WEBHOOK_QUEUE.sent.push(...retried.map(({ body }) => body));

describe("a webhook's endpoint", () => {
  test("receives a signed message for a change, once", async () => {
    const { id } = await givenTask({ externalId: hook });
    expect(await deliver()).toEqual([]);
    const delivered = await delivery();
    expect(receiver.received.map(({ message }) => message)).toEqual([
      {
        type: "task.label_changed",
        timestamp: delivered.occurredAt,
        data: {
          taskId: id,
          externalId: hook,
          title: "A task",
          from: null,
          to: "DRAFT",
          eventSeq: 1,
          at: delivered.occurredAt,
          bulkOperationId: null,
        },
      },
    ]);
    expect(receiver.received[0]?.headers["webhook-id"]).toBe(delivered.id);
    expect(delivered).toMatchObject({
      state: "delivered",
      attempts: 1,
      responseStatus: 200,
      nextAttemptAt: null,
      lastError: null,
    });
    requeue([{ body: { version: 1, tenantId: service.tenant.id }, delaySeconds: undefined }]);
    await deliver();
    expect(receiver.received).toHaveLength(1);
  });

  test("receives a message once, even if the queue delivers it ten times together", async () => {
    await givenTask();
    await deliver();
    const { id } = await delivery();
    await call("POST", `/webhooks/${hook}/deliveries/${id}/retry`, {});
    receiver.received.length = 0;
    const body = { version: 1, tenantId: service.tenant.id, deliveryId: id };
    requeue(Array.from({ length: 10 }, () => ({ body, delaySeconds: undefined })));
    for (const again of await deliver()) expect(again.delaySeconds).toBeGreaterThan(0);
    expect(receiver.received).toHaveLength(1);
  });

  test("receives a message for each of hundreds of changes", async () => {
    const tasks = Array.from({ length: 250 }, (_, index) => ({ title: `Task ${index}` }));
    await call("POST", "/tasks/import", { tasks });
    expect(await deliver()).toEqual([]);
    const ids = receiver.received.map(({ message }) => (message as Message).data.taskId);
    expect(receiver.received).toHaveLength(250);
    expect(new Set(ids).size).toBe(250);
  });
});

interface Message {
  type: string;
  data: { taskId: string };
}

describe("an endpoint that does not accept a message", () => {
  test.each([
    ["429 and Retry-After", { status: 429, headers: { "retry-after": "120" } }, 429, 120],
    ["429", { status: 429 }, 429, 10],
    ["500", { status: 500 }, 500, 10],
    ["404", { status: 404 }, 404, 10],
    ["400", { status: 400 }, 400, 10],
    ["408 and Retry-After", { status: 408, headers: { "retry-after": "90" } }, 408, 90],
    ["a redirect", { status: 307, headers: { location: "http://127.0.0.1:1/" } }, 307, 10],
    [
      "503 and a Retry-After of two hours",
      { status: 503, headers: { "retry-after": "7200" } },
      503,
      3600,
    ],
    ["a response that is not HTTP", "garbage", null, 10],
    ["a broken connection", "reset", null, 10],
    ["nothing", "nothing", null, 10],
  ] as const)("but answers with %s is called again", async (_, answer, status, seconds) => {
    receiver.answerWith(answer);
    await givenTask();
    const retried = answer === "nothing" ? await deliverWithoutWaiting() : await deliver();
    expect(retried.map(({ delaySeconds }) => delaySeconds)).toEqual([seconds]);
    expect(await delivery()).toMatchObject({
      state: "pending",
      attempts: 1,
      responseStatus: status,
      lastError: expect.any(String),
    });

    receiver.answerWith({ status: 200 });
    requeue(retried);
    for (const again of await deliver()) expect(again.delaySeconds).toBeGreaterThan(0);
    expect((await delivery()).state, "before its time").toBe("pending");
    await letTimePass();
    requeue(retried);
    expect(await deliver()).toEqual([]);
    expect(await delivery()).toMatchObject({ state: "delivered", attempts: 2, lastError: null });
    const ids = receiver.received.map(({ headers }) => headers["webhook-id"]);
    expect(new Set(ids).size).toBe(1);
  });

  test("but answers with 410 switches its webhook off: an administrative event says so, and everything waits", async () => {
    receiver.answerWith({ status: 410 });
    await givenTask();
    const retried = await deliver();
    const gone = await delivery();
    expect(gone).toMatchObject({ state: "pending", attempts: 1, responseStatus: 410 });
    const { data } = await call<{ data: object[] }>("GET", "/webhooks");
    expect(data).toMatchObject([{ name: hook, enabled: false, goneAt: expect.any(String) }]);
    const history = await call<{ data: object[] }>(
      "GET",
      `/admin/events?type=webhook_switched_off&subjectId=${hook}`,
    );
    expect(history.data).toMatchObject([
      {
        actor: { id: "system", name: "Delivery", kind: "system" },
        reason: "The endpoint returned 410.",
        payload: {
          before: { enabled: true },
          after: { enabled: false },
          deliveryId: gone.id,
          responseStatus: 410,
        },
      },
    ]);

    await givenTask();
    await letTimePass();
    requeue(retried);
    await service.sweep();
    expect(await deliver()).toEqual([]);
    expect(receiver.received, "it is not called again").toHaveLength(1);

    receiver.answerWith({ status: 200 });
    await put();
    await deliver();
    expect((await deliveries()).map(({ state }) => state)).toEqual(["delivered", "delivered"]);
    const listed = await call<{ data: object[] }>("GET", "/webhooks");
    expect(listed.data).toMatchObject([{ name: hook, enabled: true, goneAt: null }]);
  });

  test("for about a day has its delivery declared dead, which can be retried", async () => {
    receiver.answerWith({ status: 500 });
    await givenTask();
    const waits = [];
    for (let retried = await deliver(); retried.length > 0; retried = await deliver()) {
      waits.push(retried[0]?.delaySeconds ?? 0);
      await letTimePass();
      requeue(retried);
    }
    expect(waits).toEqual(waits.toSorted((one, other) => one - other));
    const { id, state, attempts } = await delivery();
    expect({ state, attempts }).toEqual({ state: "dead", attempts: DELIVERY_ATTEMPTS_MAX });
    expect(receiver.received).toHaveLength(DELIVERY_ATTEMPTS_MAX);
    await call("POST", `/webhooks/${hook}/deliveries/${id}/retry`, {});
    expect(await deliver()).toHaveLength(1);
    expect(await delivery()).toMatchObject({ state: "pending", attempts: 1 });
  });

  test("because its address became forbidden is not called", async () => {
    await service.database.query(
      "superuser",
      "update webhooks set url = 'https://10.0.0.1/hook' where name = $1",
      [hook],
    );
    await givenTask();
    expect(await deliver()).toEqual([]);
    expect(await delivery()).toMatchObject({
      state: "dead",
      lastError: "The address is not public.",
    });
  });
});

describe("a message that is lost", () => {
  const loseMessages = () => (service.queues.WEBHOOK_QUEUE.sent.length = 0);

  test("between the commit and the queue is sent by the sweep", async () => {
    await givenTask();
    loseMessages();
    await service.sweep();
    await deliver();
    expect(receiver.received).toHaveLength(1);
  });

  test("from the queue is sent by a later sweep", async () => {
    await givenTask();
    const [pump] = service.queues.WEBHOOK_QUEUE.sent.splice(0);
    const consumePump = () =>
      service.consume({
        queue: "stepledger-webhooks",
        messages: [{ id: "1", body: pump, attempts: 1, ack: () => {}, retry: () => {} }],
      });
    // The pump asks for a retry while transactions of other test files hold back the feed.
    await expect
      .poll(() => consumePump().then(() => service.queues.WEBHOOK_QUEUE.sent))
      .toHaveLength(1);
    loseMessages();
    await service.sweep();
    expect(service.queues.WEBHOOK_QUEUE.sent).toEqual([]);
    await letTimePass();
    await service.sweep();
    await deliver();
    expect(receiver.received).toHaveLength(1);
    expect((await delivery()).state).toBe("delivered");
  });

  test("between the response and the database is sent again with the same ID", async () => {
    await givenTask();
    await service.database.faults({
      kind: "unavailable",
      times: 5,
      sql: "lease_owner = null, lease_until = null",
    });
    const retried = await deliver();
    expect(retried).toHaveLength(1);
    expect(await delivery()).toMatchObject({ state: "pending", attempts: 1 });
    requeue(retried);
    const [early] = await deliver();
    expect(early?.delaySeconds, "while its lease holds").toBeGreaterThan(0);
    await letTimePass();
    requeue(retried);
    expect(await deliver()).toEqual([]);
    expect(await delivery()).toMatchObject({ state: "delivered", attempts: 2 });
    const [first, second, ...others] = receiver.received;
    expect(others).toEqual([]);
    expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
    expect(second?.body).toBe(first?.body);
  });
});

describe("a webhook's secret", () => {
  const verifiedWith = (text: string) =>
    receiver.received.map(({ body, headers }) => {
      try {
        new Webhook(text).verify(body, headers as Record<string, string>);
        return true;
      } catch {
        return false;
      }
    });

  test("that was rotated still signs for 24 hours", async () => {
    const old = `whsec_${Buffer.from(secret).toString("base64")}`;
    const rotated = await call<{ secret: string; previousSecretUntil: string }>(
      "POST",
      `/webhooks/${hook}/rotate`,
      {},
    );
    expect(rotated.secret).not.toBe(old);
    const hours = (Date.parse(rotated.previousSecretUntil) - Date.now()) / 3_600_000;
    expect(Math.round(hours)).toBe(24);
    await givenTask();
    await deliver();
    expect([verifiedWith(old), verifiedWith(rotated.secret)]).toEqual([[true], [true]]);

    receiver.received.length = 0;
    await service.database.query(
      "superuser",
      "update signing_secrets set signs_until = now() where name = $1 and signs_until is not null",
      [hook],
    );
    await givenTask();
    await deliver();
    expect([verifiedWith(old), verifiedWith(rotated.secret)]).toEqual([[false], [true]]);
    const listed = await call<{ data: { previousSecretUntil: unknown }[] }>("GET", "/webhooks");
    expect(listed.data).toMatchObject([{ name: hook, previousSecretUntil: null }]);
  });
});

describe("a webhook", () => {
  test("that is disabled receives nothing, and later only what was already pending", async () => {
    await givenTask({ externalId: `${hook}-pending` });
    service.queues.WEBHOOK_QUEUE.sent.length = 0;
    await service.sweep();
    receiver.answerWith({ status: 500 });
    await deliver();
    await put({ enabled: false });
    await givenTask({ externalId: `${hook}-skipped` });
    expect(service.queues.WEBHOOK_QUEUE.sent, "queues no message").toEqual([]);
    await letTimePass();
    await service.sweep();
    expect(await deliver()).toEqual([]);
    expect(receiver.received).toHaveLength(1);

    receiver.answerWith({ status: 200 });
    await put();
    await givenTask({ externalId: `${hook}-sent` });
    await deliver();
    const messages = receiver.received.slice(1).map(({ message }) => message);
    expect(messages).toHaveLength(2);
    // Messages are sent concurrently, in any order.
    for (const which of ["pending", "sent"]) {
      const data = expect.objectContaining({ externalId: `${hook}-${which}` });
      expect(messages).toContainEqual(expect.objectContaining({ data }));
    }
  });

  test("that is deleted receives nothing more and passes nothing on to one of the same name", async () => {
    receiver.answerWith({ status: 500 });
    await givenTask();
    const retried = await deliver();
    await call("DELETE", `/webhooks/${hook}`);
    await letTimePass();
    requeue(retried);
    await service.sweep();
    expect(await deliver()).toEqual([]);
    expect(receiver.received).toHaveLength(1);
    await put();
    expect(await deliveries()).toEqual([]);
    const stored = await service.database.query(
      "superuser",
      "select state, last_error from webhook_deliveries where webhook_name = $1",
      [hook],
    );
    expect(stored).toEqual([{ state: "dead", last_error: "The webhook was deleted." }]);
  });

  test("that gets a new URL receives its pending delivery there immediately, and once", async () => {
    receiver.answerWith({ status: 429, headers: { "retry-after": "3600" } });
    await givenTask();
    const retried = await deliver();
    const elsewhere = await startReceiver(secret);
    await put({ url: elsewhere.url });
    await deliver();
    requeue(retried);
    await deliver();
    expect(elsewhere.received).toHaveLength(1);
    await elsewhere.stop();
  });

  test("that is enabled again immediately receives a retry that came due while it was disabled", async () => {
    receiver.answerWith({ status: 500 });
    await givenTask();
    const retried = await deliver();
    await put({ enabled: false });
    requeue(retried);
    expect(await deliver()).toEqual([]);
    receiver.answerWith({ status: 200 });
    await put();
    await deliver();
    expect(await delivery()).toMatchObject({ state: "delivered", attempts: 2 });
  });

  test("that is put again unchanged does not send its pending delivery early", async () => {
    receiver.answerWith({ status: 500 });
    await givenTask();
    await deliver();
    await put();
    await deliver();
    expect(receiver.received).toHaveLength(1);
  });
});

describe("a ping", () => {
  const ping = () => call("POST", `/webhooks/${hook}/ping`);

  test("is signed like any message and returns the endpoint's response", async () => {
    expect(await ping()).toEqual({ delivered: true, responseStatus: 200, error: null });
    expect(receiver.received.map(({ message }) => message)).toEqual([
      { type: "webhook.ping", timestamp: expect.any(String), data: { webhook: hook } },
    ]);
    expect(await deliveries()).toEqual([]);
  });

  test.each([
    ["500", { status: 500 }, 500],
    ["404", { status: 404 }, 404],
    ["a redirect", { status: 302, headers: { location: "http://127.0.0.1:1/" } }, 302],
    ["a broken connection", "reset", null],
  ] as const)(
    "that the endpoint answers with %s returns the failure",
    async (_, answer, responseStatus) => {
      receiver.answerWith(answer);
      const failure = { delivered: false, responseStatus, error: expect.any(String) };
      expect(await ping()).toEqual(failure);
    },
  );

  test("reaches a disabled webhook", async () => {
    await put({ enabled: false });
    expect(await ping()).toMatchObject({ delivered: true });
  });
});
