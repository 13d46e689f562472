import { beforeAll, describe, expect, inject, it } from "vitest";
import type { AdminEventRecord } from "../../src/db/administration/admin-events.ts";
import type { DispatchRecord } from "../../src/db/dispatches/read-dispatches.ts";
import type { DeliveryRecord } from "../../src/db/webhooks/webhook-deliveries.ts";
import type { WebhookRecord } from "../../src/db/webhooks/webhooks.ts";
import { expectDone, freshApi, type TestApi } from "../support/api.ts";
import { chanceFrom } from "../support/chance.ts";
import { consumed, givenDispatch, timePasses } from "../support/dispatches.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { silenceLog } from "../support/model/quiet.ts";

const { seed } = inject("stack");
silenceLog();

const HOUR = 3600;
const PASSES_OFTEN = [401, 403, 404, 408, 409, 421, 423, 425, 429];
/** Statuses that a response can have in this runtime. The law's own test covers the others. */
const STATUSES = [200, 202, 299, 300, 301, 302, 307, 308, 400, 402, 405, 406, 410, 411, 413]
  .concat([415, 418, 422, 426, 431, 451, 499, 500, 501, 502, 503, 504, 511, 520, 599])
  .concat(PASSES_OFTEN);

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

/** An endpoint that answers each message at random, and remembers what it said to whom. */
function randomEndpoint(from: number, allowed: readonly number[]) {
  const chance = chanceFrom(from);
  const said = new Map<string, number[]>();
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const id = new Request(input, init).headers.get("webhook-id") ?? "";
    const status = allowed[chance.below(allowed.length)] ?? 500;
    said.set(id, [...(said.get(id) ?? []), status]);
    return new Response(null, { status });
  };
  return { said, fetch };
}

const isDelivered = (status: number) => status >= 200 && status < 300;

/** The state and the reason of a dispatch after these answers, by a second transcription of the law. */
function dispatchAfter(statuses: readonly number[]): [state: string, reason: string | null] {
  const last = statuses.at(-1) ?? 0;
  if (isDelivered(last)) return ["delivered", null];
  if (last < 400 && last >= 300) return ["dead", "url_not_allowed"];
  if (last < 500 && !PASSES_OFTEN.includes(last)) return ["dead", `endpoint_answered_${last}`];
  return statuses.length === 8 ? ["dead", "attempts_exhausted"] : ["sent", null];
}

describe(`An endpoint that answers at random (replay with SEED=${seed})`, () => {
  it("gets each dispatch again until the law ends it", async () => {
    const body = { endpoint: "https://checks.example.com/hook" };
    expectDone(await api.call("PUT", "/pipelines/quality_automation", { body }));
    const ids: string[] = [];
    for (let count = 0; count < 40; count += 1) ids.push(await givenDispatch(api));
    const { said, fetch } = randomEndpoint(seed, STATUSES);
    for (let round = 0; round < 10; round += 1) {
      const messages = ids.map((dispatchId) => ({
        version: 1,
        tenantId: api.tenant.id,
        dispatchId,
      }));
      await consumed(api, messages, { fetch });
      const found = await dispatches();
      for (const id of ids) {
        const [state, reason] = dispatchAfter(said.get(id) ?? []);
        const what = `${id} after ${said.get(id)?.join()}`;
        expect(found.get(id)?.state, what).toBe(state);
        if (reason !== null)
          expect(found.get(id)?.lastError, what).toMatch(new RegExp(`^${reason}:`));
        expect(found.get(id)?.attempts, what).toBe(said.get(id)?.length);
      }
      await timePasses(api.database, HOUR);
    }
    expect([...(await dispatches()).values()].filter(({ state }) => state === "sent")).toEqual([]);
    await expectInvariantsHold(api.database);
  });

  it("gets each message to a webhook again for a day, unless it is gone", async () => {
    await putWebhook();
    await givenDeliveries(40);
    const { said, fetch } = randomEndpoint(
      seed,
      STATUSES.filter((status) => status !== 410),
    );
    for (let round = 0; round < 12; round += 1) {
      await sendAll(fetch);
      for (const { id, state, attempts, responseStatus } of await deliveries()) {
        const statuses = said.get(id) ?? [];
        const what = `${id} after ${statuses.join()}`;
        const wanted = isDelivered(statuses.at(-1) ?? 0) ? "delivered" : "pending";
        expect(state, what).toBe(wanted === "pending" && statuses.length === 10 ? "dead" : wanted);
        expect([attempts, responseStatus], what).toEqual([statuses.length, statuses.at(-1)]);
      }
      await timePassesForWebhooks();
    }
    expect((await deliveries()).filter(({ state }) => state === "pending")).toEqual([]);
    expect(await webhook()).toMatchObject({ enabled: true, goneAt: null });
    await expectInvariantsHold(api.database);
  });

  it("that is gone some day is not called until it is switched on again, and then has lost nothing", async () => {
    await givenNewWebhook();
    await givenDeliveries(30);
    const mixed = randomEndpoint(seed, [500, 404, 410, 429]);
    while ((await webhook())?.enabled === true) {
      await sendAll(mixed.fetch);
      await timePassesForWebhooks();
    }
    // Attempts that ran at the same time may have got the same answer. Only the first switched it off.
    const switched = await switchedOff();
    expect(switched).toHaveLength(1);
    const calls = [...mixed.said.values()].flat().length;
    await sendAll(mixed.fetch);
    expect([...mixed.said.values()].flat()).toHaveLength(calls);
    const waiting = await deliveries();
    expect(waiting.map(({ state }) => state)).toEqual(waiting.map(() => "pending"));

    expectDone(await putWebhook());
    await sendAll(async () => new Response());
    const after = await deliveries();
    expect(after.map(({ state }) => state)).toEqual(after.map(() => "delivered"));
    await expectInvariantsHold(api.database);
  });
});

describe("An endpoint that is gone", () => {
  /** Delivers one message to an endpoint that changes the webhook before it answers 410. */
  async function goneAfter(change: () => Promise<unknown>) {
    await givenNewWebhook();
    await givenDeliveries(1);
    await sendAll(async () => {
      await change();
      return new Response(null, { status: 410 });
    });
    const [delivery] = await deliveries();
    return { hook: await webhook(), delivery };
  }

  it("does not switch off a webhook that got another URL meanwhile", async () => {
    const before = (await switchedOff()).length;
    const { hook, delivery } = await goneAfter(() =>
      putWebhook({ url: "https://hooks.example.com/new" }),
    );
    expect(hook).toMatchObject({ enabled: true, goneAt: null });
    expect(delivery).toMatchObject({ state: "pending", attempts: 1, responseStatus: 410 });
    expect(await switchedOff()).toHaveLength(before);
  });

  it("does not switch off a webhook that was switched on again meanwhile", async () => {
    const { hook } = await goneAfter(async () => {
      await putWebhook({ enabled: false });
      await putWebhook();
    });
    expect(hook).toMatchObject({ enabled: true, goneAt: null });
  });

  it("changes nothing about a webhook that an admin disabled meanwhile", async () => {
    const { hook, delivery } = await goneAfter(() => putWebhook({ enabled: false }));
    expect(hook).toMatchObject({ enabled: false, goneAt: null });
    expect(delivery).toMatchObject({ state: "pending" });
  });

  it("switches its webhook off once, even if the database's answer is lost after the commit", async () => {
    const before = (await switchedOff()).length;
    await api.database.faults({ kind: "cut-after-commit", sql: "webhook_switched_off" });
    const { hook } = await goneAfter(async () => {});
    expect(hook).toMatchObject({ enabled: false, goneAt: expect.any(String) });
    expect(await switchedOff()).toHaveLength(before + 1);
    expect(await api.database.waitingFaults()).toBe(0);
    await expectInvariantsHold(api.database);
  });

  it("gets what happened while its webhook was off when it is switched on again", async () => {
    await goneAfter(async () => {});
    const task = await api.givenTask();
    await pump();
    expect(await deliveries()).toHaveLength(1);
    expectDone(await putWebhook());
    await pump();
    const sent = (await deliveries()).map(({ data }) => JSON.stringify(data));
    expect(sent).toHaveLength(2);
    expect(sent[0]).toContain(task.id);

    // What happens while an admin has disabled it is not reported.
    await putWebhook({ enabled: false });
    await api.givenTask();
    await putWebhook();
    await pump();
    expect(await deliveries()).toHaveLength(2);
    await expectInvariantsHold(api.database);
  });
});

/** Begins an attempt, ends its lease, does something in between, and then lets the endpoint answer. */
async function endsLate(
  begin: (fetch: typeof globalThis.fetch) => Promise<unknown>,
  {
    endLease,
    between,
    status,
  }: Record<"endLease" | "between", () => Promise<unknown>> & { status: number },
): Promise<void> {
  const called = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Response>();
  const attempt = begin(() => {
    called.resolve();
    return answer.promise;
  });
  await called.promise;
  await endLease();
  await between();
  answer.resolve(new Response(null, { status }));
  await attempt;
}

describe("An attempt that ends after its lease", () => {
  const send = (id: string, fetch: typeof globalThis.fetch) =>
    consumed(api, [{ version: 1, tenantId: api.tenant.id, dispatchId: id }], { fetch });
  const answering = (status: number) => async () => new Response(null, { status });
  const endLease = () => timePasses(api.database, 60);

  it("does not revive a dispatch that was recalled", async () => {
    const endpoint = { endpoint: "https://checks.example.com/hook" };
    expectDone(await api.call("PUT", "/pipelines/quality_automation", { body: endpoint }));
    const id = await givenDispatch(api);
    const taskId = (await dispatches()).get(id)?.taskId;
    const between = async () => {
      const body = { content: {}, reason: "Start again" };
      expectDone(await api.call("POST", `/tasks/${taskId}/versions`, { body }), 201);
      expect((await dispatches()).get(id)?.state).toBe("recalled");
    };
    await endsLate((fetch) => send(id, fetch), { endLease, between, status: 500 });
    expect((await dispatches()).get(id)?.state).toBe("recalled");
    await expectInvariantsHold(api.database);
  });

  const endLeaseOfDelivery = () =>
    api.database.query(
      "owner",
      "update webhook_deliveries set lease_until = now(), next_attempt_at = now()",
    );

  it("does not switch off the webhook", async () => {
    await givenNewWebhook();
    await givenDeliveries(1);
    const between = () => sendAll(answering(500));
    await endsLate(sendAll, { endLease: endLeaseOfDelivery, between, status: 410 });
    expect(await webhook()).toMatchObject({ enabled: true, goneAt: null });
  });

  it("does not revive a message whose webhook was deleted", async () => {
    await putWebhook();
    await sendAll(answering(200));
    await givenDelivery();
    const between = async () => expectDone(await api.call("DELETE", "/webhooks/hook"));
    await endsLate(sendAll, { endLease: endLeaseOfDelivery, between, status: 500 });
    const [row] = await api.database.query(
      "owner",
      "select state, dead_reason from webhook_deliveries order by id desc limit 1",
    );
    expect(row).toEqual({ state: "dead", dead_reason: "webhook_deleted" });
  });
});

describe("A message to a webhook that comes again", () => {
  /** A message, and an endpoint that counts its calls. */
  async function givenMessage() {
    await givenNewWebhook();
    await givenDeliveries(1);
    const [delivery] = await deliveries();
    const message = { version: 1, tenantId: api.tenant.id, deliveryId: delivery?.id };
    let calls = 0;
    const send = (status: number, during: () => Promise<unknown> = async () => {}) => {
      const fetch = async () => {
        calls += 1;
        await during();
        return new Response(null, { status });
      };
      return consumed(api, [message], { queue: "stepledger-webhooks", fetch });
    };
    return { send, calls: () => calls };
  }
  const LATER = [{ retryAfterSeconds: expect.any(Number) }];

  it("is not posted while an attempt is running, or before the next one is due", async () => {
    const { send, calls } = await givenMessage();
    let meanwhile: unknown;
    await send(500, async () => (meanwhile = await send(200)));
    expect(meanwhile).toEqual(LATER);
    expect(await send(200)).toEqual(LATER);
    expect(calls()).toBe(1);
    await timePassesForWebhooks();
    expect(await send(200)).toEqual(["acknowledged"]);
    expect(calls()).toBe(2);
  });

  it("is not posted after it was delivered", async () => {
    const { send, calls } = await givenMessage();
    expect(await send(200)).toEqual(["acknowledged"]);
    expect(await send(200)).toEqual(["acknowledged"]);
    expect(calls()).toBe(1);
  });
});

const putWebhook = (parts: object = {}) =>
  api.call<WebhookRecord>("PUT", "/webhooks/hook", {
    body: { url: "https://hooks.example.com/in", events: ["task.label_changed"], ...parts },
  });

async function webhook(): Promise<WebhookRecord | undefined> {
  const listed = await api.call<{ data: WebhookRecord[] }>("GET", "/webhooks");
  return expectDone(listed).data.find(({ name }) => name === "hook");
}

const switchedOff = async () =>
  expectDone(
    await api.call<{ data: AdminEventRecord[] }>("GET", "/admin/events?type=webhook_switched_off"),
  ).data;

const deliveries = async () =>
  expectDone(
    await api.call<{ data: DeliveryRecord[] }>("GET", "/webhooks/hook/deliveries?limit=200"),
  ).data;

async function dispatches(): Promise<Map<string, DispatchRecord>> {
  const listed = await api.call<{ data: DispatchRecord[] }>("GET", "/dispatches?limit=200");
  return new Map(expectDone(listed).data.map((dispatch) => [dispatch.id, dispatch]));
}

/** Creates a webhook in place of the one that is there, so that it has no deliveries. */
async function givenNewWebhook(): Promise<void> {
  await putWebhook();
  expectDone(await api.call("DELETE", "/webhooks/hook"));
  await putWebhook();
}

/** Creates tasks, and the deliveries about them. */
async function givenDeliveries(count: number): Promise<void> {
  await api.givenTasks(count);
  await pump();
  expect(await deliveries()).toHaveLength(count);
}

/** Creates a task, and the delivery about it. */
async function givenDelivery(): Promise<void> {
  await api.givenTask();
  await pump();
}

/** Lets the pump write what is pending, once the transactions of other tests have ended. */
async function pump(): Promise<void> {
  const body = { version: 1, tenantId: api.tenant.id };
  await expect
    .poll(() => consumed(api, [body], { queue: "stepledger-webhooks" }), {
      interval: 20,
      timeout: 30_000,
    })
    .toEqual(["acknowledged"]);
}

/** Makes an attempt at each pending delivery that is due. */
async function sendAll(fetch: typeof globalThis.fetch): Promise<void> {
  const pending = (await deliveries()).filter(({ state }) => state === "pending");
  const messages = pending.map(({ id }) => ({
    version: 1,
    tenantId: api.tenant.id,
    deliveryId: id,
  }));
  await consumed(api, messages, { queue: "stepledger-webhooks", fetch });
}

const timePassesForWebhooks = () =>
  api.database.query(
    "owner",
    "update webhook_deliveries set next_attempt_at = next_attempt_at - interval '8 hours' where state = 'pending'",
  );
