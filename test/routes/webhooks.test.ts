import { sql } from "drizzle-orm";
import { beforeAll, beforeEach, describe, expect, it, test, vi } from "vitest";
import { openDatabase } from "../../src/db/connection/client.ts";
import type { DeliveryRecord } from "../../src/db/webhooks/webhook-deliveries.ts";
import { enqueueDeliveries } from "../../src/db/webhooks/webhook-outbox.ts";
import type { WebhookRecord } from "../../src/db/webhooks/webhooks.ts";
import { ENDPOINT_LENGTH_MAX } from "../../src/outbound/endpoint-rules.ts";
import type { AdminEventRecord } from "../../src/db/administration/admin-events.ts";
import {
  type CallOptions,
  expectDone,
  expectProblem,
  freshApi,
  type TestApi,
} from "../support/api.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { FORBIDDEN_ENDPOINTS } from "../support/forbidden-endpoints.ts";
import { openTransaction, untilBlocked } from "../support/model/locks.ts";
import { countingQueue } from "../support/queues.ts";

const queue = countingQueue();
let api: TestApi;
beforeAll(async () => {
  api = await freshApi({ OWN_HOSTS: "stepledger.example.com", WEBHOOK_QUEUE: queue });
});

let hook: string;
beforeEach(() => {
  hook = `hook-${crypto.randomUUID()}`;
});

interface BatchResult {
  matched: number;
  changed: number;
  refused: { reason: string; count: number; examples: string[] }[];
  nextAfter: string | null;
}

type WithSecret = WebhookRecord & { secret: string | null };

const SETTINGS = { url: "https://hooks.example.com/in", events: ["task.label_changed"] };
const put = (body: object = SETTINGS, name = hook) =>
  api.call<WithSecret>("PUT", `/webhooks/${name}`, { body });
const list = async () =>
  expectDone(await api.call<{ data: WebhookRecord[] }>("GET", "/webhooks?limit=200")).data;

describe("Creating or updating a webhook", () => {
  it("returns the secret only when it creates the webhook", async () => {
    const created = expectDone(await put(), 201);
    expect(created).toEqual({
      name: hook,
      ...SETTINGS,
      enabled: true,
      goneAt: null,
      secret: expect.stringMatching(/^whsec_[A-Za-z\d+/]{43}=$/),
      previousSecretUntil: null,
      createdAt: expect.any(String),
      updatedAt: created.createdAt,
    });
    const updated = expectDone(await put({ ...SETTINGS, enabled: false }));
    expect(updated).toMatchObject({ secret: null, enabled: false, createdAt: created.createdAt });
    const { secret: _, ...settings } = updated;
    expect((await list()).find(({ name }) => name === hook)).toEqual(settings);
  });

  it("returns the secret if the response of the database is lost after the commit", async () => {
    await api.database.faults({ kind: "cut-after-commit", sql: "insert into webhooks" });
    const { secret } = expectDone(await put(), 201);
    expect(secret).toMatch(/^whsec_/);
  });

  it("removes duplicate events and sorts them", async () => {
    const events = ["dispatch.dead", "task.attention", "dispatch.dead"];
    const created = expectDone(await put({ ...SETTINGS, events }), 201);
    expect(created.events).toEqual(["task.attention", "dispatch.dead"]);
  });

  it("adds it to the list, which is ordered by name and paginated", async () => {
    for (const letter of ["b", "a", "c"]) await put(SETTINGS, `${letter}-${hook}`);
    const names = (await list()).map(({ name }) => name);
    expect(names).toEqual(names.toSorted());
    const paged: string[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const more: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page: { data: WebhookRecord[]; nextCursor: string | null } = expectDone(
        await api.call("GET", `/webhooks?limit=2${more}`),
      );
      paged.push(...page.data.map(({ name }) => name));
      cursor = page.nextCursor;
    }
    expect(paged).toEqual(names);
  });

  const isShort = ([url]: (typeof FORBIDDEN_ENDPOINTS)[number]) =>
    url.length <= ENDPOINT_LENGTH_MAX;
  test.each(FORBIDDEN_ENDPOINTS.filter(isShort))("rejects the URL %s: %s", async (url, detail) => {
    const answer = await put({ ...SETTINGS, url });
    expect(expectProblem(answer, "url_not_allowed", 400).detail).toBe(detail);
    expect((await list()).map(({ name }) => name)).not.toContain(hook);
  });

  it("rejects the host of the request", async () => {
    const url = "https://stepledger.test/v1/tasks";
    expectProblem(await put({ ...SETTINGS, url }), "url_not_allowed", 400);
  });

  test.each([
    ["no events", { ...SETTINGS, events: [] }],
    ["an unknown event", { ...SETTINGS, events: ["task.deleted"] }],
    ["the event of a ping", { ...SETTINGS, events: ["webhook.ping"] }],
    ["no URL", { events: SETTINGS.events }],
    ["a URL that is too long", { ...SETTINGS, url: `https://example.com/${"x".repeat(2000)}` }],
    ["a secret", { ...SETTINGS, secret: "whsec_c2VjcmV0" }],
  ])("rejects %s", async (_, body) => {
    expectProblem(await put(body), "validation_failed", 400);
  });

  test.each(["-hook", "Hook", "a.b", "h".repeat(65), "hook%20"])(
    "rejects the name %s",
    async (name) => {
      expectProblem(await put(SETTINGS, name), "validation_failed", 400);
    },
  );
});

describe("A webhook's secret", () => {
  it("changes with a rotation, and is returned to a retry of the same call", async () => {
    const { secret } = expectDone(await put(), 201);
    const rotate = () =>
      api.call<WithSecret>("POST", `/webhooks/${hook}/rotate`, { idempotencyKey: hook });
    const rotated = expectDone(await rotate());
    expect(rotated.secret).toMatch(/^whsec_/);
    expect(rotated.secret).not.toBe(secret);
    expect(rotated.previousSecretUntil).not.toBeNull();
    const repeated = await rotate();
    expect(expectDone(repeated)).toEqual(rotated);
    expect(repeated.headers.get("idempotency-replayed")).toBe("true");
  });

  it("is in no other response, no log line, and no operation", async () => {
    const lines: string[] = [];
    const log = vi.spyOn(console, "log").mockImplementation((...line) => {
      lines.push(JSON.stringify(line));
    });
    const created = expectDone(await put(), 201).secret ?? "";
    const rotated = expectDone(await api.call<WithSecret>("POST", `/webhooks/${hook}/rotate`));
    // The database rejects the statement, and the log line must not contain its parameters.
    await api.database.faults({
      kind: "sqlstate",
      code: "22000",
      sql: "update webhooks w set",
    });
    expect((await api.call("POST", `/webhooks/${hook}/rotate`)).status).toBe(500);
    const answers = [
      await put({ ...SETTINGS, enabled: false }),
      await api.call("GET", "/webhooks?limit=200"),
      await api.call("GET", `/webhooks/${hook}/deliveries`),
      await api.call("POST", `/webhooks/${hook}/ping`),
      await api.call("DELETE", `/webhooks/${hook}`),
    ];
    log.mockRestore();
    const [operations] = await api.database.query(
      "superuser",
      "select string_agg(o::text, ' ') as text from operations o",
    );
    const output = [...answers.map(({ text }) => text), ...lines, operations?.["text"]].join();
    expect(lines.length).toBeGreaterThan(5);
    for (const secret of [created, rotated.secret ?? ""]) {
      const base64 = secret.slice("whsec_".length);
      const hex = Array.from(atob(base64), (char) =>
        char.charCodeAt(0).toString(16).padStart(2, "0"),
      ).join("");
      expect(output).not.toContain(base64);
      expect(output).not.toContain(hex);
    }
  });
});

describe("A webhook's deliveries", () => {
  const deliveriesOf = async (query: string) =>
    expectDone(
      await api.call<{ data: DeliveryRecord[] }>("GET", `/webhooks/${hook}/deliveries${query}`),
    ).data;

  /** Inserts a delivery of each event in each state. */
  async function givenDeliveries(): Promise<void> {
    await put();
    await api.database.query(
      "owner",
      `insert into webhook_deliveries (tenant_id, id, webhook_id, webhook_name, event, source, data, state, delivered_at)
      select tenant_id, new_id(), id, name, event, state, '{"operationId": 1}', state,
        case when state = 'delivered' then now() end
      from webhooks, unnest(array['bulk.finished', 'dispatch.dead']) event,
        unnest(array['pending', 'delivered', 'dead']) state
      where name = $1`,
      [hook],
    );
  }

  it("are listed newest first, and filtered by state and event", async () => {
    await givenDeliveries();
    const all = await deliveriesOf("");
    expect(all).toHaveLength(6);
    expect(all.map(({ id }) => id)).toEqual(
      all
        .map(({ id }) => id)
        .toSorted()
        .toReversed(),
    );
    expect((await deliveriesOf("?state=dead")).map(({ event }) => event).toSorted()).toEqual([
      "bulk.finished",
      "dispatch.dead",
    ]);
    expect(await deliveriesOf("?state=dead&event=bulk.finished")).toMatchObject([
      { state: "dead", event: "bulk.finished", data: { operationId: 1 }, nextAttemptAt: null },
    ]);
    expectProblem(
      await api.call("GET", `/webhooks/${hook}/deliveries?state=sent`),
      "validation_failed",
      400,
    );
  });

  it("can be retried in every state", async () => {
    await givenDeliveries();
    for (const { id, state } of await deliveriesOf("?event=bulk.finished")) {
      queue.sent.length = 0;
      const path = `/webhooks/${hook}/deliveries/${id}/retry`;
      const send = () => api.call<DeliveryRecord>("POST", path, { idempotencyKey: `${id}-again` });
      const again = expectDone(await send());
      expect(again, state).toMatchObject({ id, state: "pending", attempts: 0, deliveredAt: null });
      expect(queue.sent).toEqual([{ version: 1, tenantId: api.tenant.id }]);
      const repeated = await send();
      expect(expectDone(repeated)).toEqual(again);
      expect(repeated.headers.get("idempotency-replayed")).toBe("true");
    }
  });

  it("that have ended stay as they are when their webhook is enabled or deleted", async () => {
    await givenDeliveries();
    const ended = () =>
      api.database.query(
        "owner",
        "select * from webhook_deliveries where webhook_name = $1 and source <> 'pending' order by id",
        [hook],
      );
    const before = await ended();
    expect(before).toHaveLength(4);
    await put({ ...SETTINGS, enabled: false });
    await put();
    expect(await ended()).toEqual(before);
    expectDone(await api.call("DELETE", `/webhooks/${hook}`));
    expect(await ended()).toEqual(before);
  });

  describe("that match a filter", () => {
    const resend = (body: object, options: CallOptions = {}) =>
      api.call<BatchResult>("POST", `/webhooks/${hook}/deliveries/retry`, { body, ...options });
    const states = async () =>
      (await deliveriesOf("?limit=200")).map(({ id, state, attempts }) => ({
        id,
        state,
        attempts,
      }));
    const eventsOf = async () =>
      expectDone(
        await api.call<{ data: AdminEventRecord[] }>(
          "GET",
          `/admin/events?type=webhook_deliveries_retried&subjectId=${hook}`,
        ),
      ).data;

    it("are sent again together: by default the dead ones, with one event of administration", async () => {
      await givenDeliveries();
      const preview = expectDone(await resend({ dryRun: true }));
      const left = { refused: [], nextAfter: null };
      expect(preview).toEqual({ dryRun: true, matched: 2, examined: 2, changed: 2, ...left });
      expect((await deliveriesOf("?state=dead")).length).toBe(2);
      expect(await eventsOf()).toEqual([]);

      queue.sent.length = 0;
      const options = { idempotencyKey: hook };
      const done = await resend({ reason: "It was down" }, options);
      expect(expectDone(done)).toEqual({ ...preview, dryRun: false });
      expect(queue.sent).toEqual([{ version: 1, tenantId: api.tenant.id }]);
      expect(await deliveriesOf("?state=dead")).toEqual([]);
      expect((await deliveriesOf("?state=delivered")).length).toBe(2);
      expect(await eventsOf()).toMatchObject([
        { reason: "It was down", payload: { filter: { state: "dead" }, count: 2 } },
      ]);
      const repeated = await resend({ reason: "It was down" }, options);
      expect(expectDone(repeated)).toEqual(done.body);
      expect(repeated.headers.get("idempotency-replayed")).toBe("true");
      expect(expectDone(await resend({}))).toMatchObject({ matched: 0, changed: 0 });
      expect(await eventsOf()).toHaveLength(1);
      await expectInvariantsHold(api.database);
    });

    it("are found by state, event, response, and time", async () => {
      await givenDeliveries();
      await api.database.query(
        "owner",
        `update webhook_deliveries set response_status = case event when 'bulk.finished' then 404 else 500 end,
          created_at = case state when 'dead' then timestamptz '2026-01-02T00:00:00Z' else created_at end
        where webhook_name = $1`,
        [hook],
      );
      const count = async (filter: object) =>
        expectDone(await resend({ filter, dryRun: true })).matched;
      expect(await count({ state: "delivered" })).toBe(2);
      expect(await count({ event: "bulk.finished" })).toBe(1);
      expect(await count({ responseStatus: 404 })).toBe(1);
      expect(await count({ responseStatus: 410 })).toBe(0);
      const day = "2026-01-02T00:00:00Z";
      expect(
        await count({
          createdAfter: "2026-01-01T00:00:00Z",
          createdBefore: "2026-01-03T00:00:00Z",
        }),
      ).toBe(2);
      // Both bounds are exclusive.
      expect(await count({ createdAfter: day })).toBe(0);
      expect(await count({ createdBefore: day })).toBe(0);
      expect(
        (await deliveriesOf("?state=dead&responseStatus=404&createdBefore=2026-01-03T00:00:00Z"))
          .length,
      ).toBe(1);
      for (const filter of [
        { responseStatus: 99 },
        { state: "sent" },
        { createdAfter: "x" },
        { id: 1 },
      ]) {
        expectProblem(await resend({ filter }), "validation_failed", 400);
      }
      for (const body of [{ limit: 0 }, { limit: 1001 }, { after: "x" }, { ids: [] }]) {
        expectProblem(await resend(body), "validation_failed", 400);
      }
    });

    it("that wait for their first attempt, or are being sent, are left as they are and counted", async () => {
      await givenDeliveries();
      await api.database.query(
        "owner",
        `update webhook_deliveries set attempts = 3, lease_until = now() + interval '1 minute', lease_owner = new_id()
        where webhook_name = $1 and state = 'pending' and event = 'bulk.finished'`,
        [hook],
      );
      const before = await states();
      const pending = before.filter(({ state }) => state === "pending");
      const [sending] = pending.filter(({ attempts }) => attempts === 3);
      const [waiting] = pending.filter(({ attempts }) => attempts === 0);
      const result = expectDone(await resend({ filter: { state: "pending" } }));
      expect(result).toMatchObject({
        matched: 2,
        changed: 0,
        refused: [
          { reason: "being_sent", count: 1, examples: [sending?.id] },
          { reason: "waiting", count: 1, examples: [waiting?.id] },
        ],
      });
      expect(await states()).toEqual(before);
      expect(await eventsOf()).toEqual([]);
    });

    it("that begin to be sent at the same moment are counted as being sent", async () => {
      await givenDeliveries();
      const one = "webhook_name = $1 and state = 'pending' and event = 'bulk.finished'";
      const failed = `update webhook_deliveries set attempts = 1 where ${one}`;
      await api.database.query("owner", failed, [hook]);
      const sending = await openTransaction(api.database, [
        {
          text: `update webhook_deliveries set attempts = 2, lease_owner = new_id(),
              lease_until = now() + interval '1 minute' where ${one}`,
          values: [hook],
        },
      ]);
      const resending = resend({ filter: { state: "pending", event: "bulk.finished" } });
      await untilBlocked(api.database);
      await sending.end();
      expect(expectDone(await resending)).toMatchObject({
        changed: 0,
        refused: [{ reason: "being_sent", count: 1 }],
      });
    });

    it("are sent part by part, the oldest first", async () => {
      await put();
      await api.database.query(
        "owner",
        `insert into webhook_deliveries (tenant_id, id, webhook_id, webhook_name, event, source, data, state)
        select tenant_id, new_id(), id, name, 'bulk.finished', number::text, '{}', 'dead'
        from webhooks, generate_series(1, 5) number where name = $1`,
        [hook],
      );
      const ids = (await states()).map(({ id }) => id).toReversed();
      const parts: BatchResult[] = [];
      for (let after: string | undefined; ;) {
        const part = expectDone(await resend({ limit: 2, after }));
        parts.push(part);
        if (part.nextAfter === null) break;
        after = part.nextAfter;
      }
      expect(parts.map(({ matched, changed }) => [matched, changed])).toEqual([
        [5, 2],
        [3, 2],
        [1, 1],
      ]);
      expect(parts.map(({ nextAfter }) => nextAfter)).toEqual([ids[1], ids[3], null]);
    });

    it("take one round trip, however many there are", async () => {
      await givenDeliveries();
      await api.call("GET", "/registry");
      await api.database.resetRoundTrips();
      expectDone(await resend({}));
      expect(await api.database.roundTrips()).toBe(1);
    });

    it("are sent once by a call whose answer is lost in the database", async () => {
      await givenDeliveries();
      await api.database.faults({ kind: "cut-after-commit", sql: "webhook_deliveries_retried" });
      expect(expectDone(await resend({}))).toMatchObject({ changed: 2 });
      expect(await eventsOf()).toHaveLength(1);
    });

    it("of an unknown webhook return 404", async () => {
      for (const dryRun of [true, false]) {
        expectProblem(await resend({ dryRun }), "not_found", 404);
      }
    });
  });

  it("return 404 under the name of another webhook", async () => {
    await givenDeliveries();
    const [first] = await deliveriesOf("");
    const other = `other-${hook}`;
    await put(SETTINGS, other);
    const path = `/webhooks/${other}/deliveries/${first?.id}/retry`;
    expectProblem(await api.call("POST", path), "not_found", 404);
  });
});

describe("A statement that writes deliveries", () => {
  const deliver = async (sources: readonly string[]) => {
    const database = openDatabase({
      databaseUrl: api.database.databaseUrl,
      fetchEndpoint: api.database.fetchEndpoint,
    }).forTenant(api.tenant.id);
    const rows = sql`select value as source, json_build_object('dispatchId', value) as data
      from json_array_elements_text(${JSON.stringify(sources)})`;
    const [written] = await database.writeIdempotently<{ count: number }>(
      sql`with written as (${enqueueDeliveries(api.tenant.id, "dispatch.dead", rows)})
        select count(*)::integer as count from written`,
    );
    return written?.count;
  };

  it("writes each once for every enabled webhook of the tenant that subscribes to the event", async () => {
    await api.database.query("superuser", "delete from webhooks");
    const subscribed = { ...SETTINGS, events: ["dispatch.dead", "bulk.finished"] };
    await put(subscribed);
    await put(subscribed, `second-${hook}`);
    await put({ ...subscribed, enabled: false }, `disabled-${hook}`);
    await put(SETTINGS, `other-${hook}`);
    await api.call("PUT", `/webhooks/${hook}`, { body: subscribed, tenant: api.otherTenant });
    expect(await deliver(["one", "two"])).toBe(4);
    expect(await deliver(["two", "three"])).toBe(2);
    const deliveries = await api.database.query(
      "superuser",
      `select w.tenant_id, webhook_name, source, data, state from webhook_deliveries d
        join webhooks w on w.id = webhook_id order by 2, 3`,
    );
    expect(deliveries).toEqual(
      [hook, `second-${hook}`].flatMap((name) =>
        ["one", "three", "two"].map((source) => ({
          tenant_id: api.tenant.id,
          webhook_name: name,
          source,
          data: `{"dispatchId" : "${source}"}`,
          state: "pending",
        })),
      ),
    );
  });
});

describe("A write", () => {
  it("enqueues a message only if an enabled webhook subscribes to events of tasks", async () => {
    await api.database.query("superuser", "delete from webhooks");
    const task = await api.givenTask();
    const sentBy = async () => {
      queue.sent.length = 0;
      await api.call("POST", `/tasks/${task.id}/notes`, { body: { text: "A note" } });
      return queue.sent;
    };
    expect(await sentBy()).toEqual([]);
    await put({ ...SETTINGS, events: ["bulk.finished", "dispatch.dead"] });
    expect(await sentBy()).toEqual([]);
    await put({ ...SETTINGS, enabled: false });
    expect(await sentBy()).toEqual([]);
    await put();
    expect(await sentBy()).toEqual([{ version: 1, tenantId: api.tenant.id }]);
    await api.database.faults({ kind: "cut-after-commit", sql: "insert into step_events" });
    expect(await sentBy(), "the outcome of the first attempt is unknown").toEqual([
      { version: 1, tenantId: api.tenant.id },
    ]);
  });
});
