import { sql } from "drizzle-orm";
import { beforeAll, beforeEach, describe, expect, it, test, vi } from "vitest";
import { openDatabase } from "../../../src/db/connection/client.ts";
import type { DeliveryRecord } from "../../../src/db/webhooks/webhook-deliveries.ts";
import { enqueueDeliveries } from "../../../src/db/webhooks/webhook-outbox.ts";
import type { WebhookRecord } from "../../../src/db/webhooks/webhooks.ts";
import { ENDPOINT_LENGTH_MAX } from "../../../src/outbound/endpoint-rules.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";
import { FORBIDDEN_ENDPOINTS } from "../../support/forbidden-endpoints.ts";
import { countingQueue } from "../../support/queues.ts";

const queue = countingQueue();
let api: TestApi;
beforeAll(async () => {
  api = await freshApi({ OWN_HOSTS: "stepledger.example.com", WEBHOOK_QUEUE: queue });
});

let hook: string;
beforeEach(() => {
  hook = `hook-${crypto.randomUUID()}`;
});

type WithSecret = WebhookRecord & { secret: string | null };

const SETTINGS = { url: "https://hooks.example.com/in", events: ["task.label_changed"] };
const put = (body: object = SETTINGS, name = hook) =>
  api.call<WithSecret>("PUT", `/webhooks/${name}`, { body });
const list = async () =>
  expectDone(await api.call<{ data: WebhookRecord[] }>("GET", "/webhooks?limit=200")).data;

describe("a webhook is put under its name", () => {
  it("and shows its secret once", async () => {
    const made = expectDone(await put(), 201);
    expect(made).toEqual({
      name: hook,
      ...SETTINGS,
      enabled: true,
      secret: expect.stringMatching(/^whsec_[A-Za-z\d+/]{43}=$/),
      previousSecretUntil: null,
      createdAt: expect.any(String),
      updatedAt: made.createdAt,
    });
    const changed = expectDone(await put({ ...SETTINGS, enabled: false }));
    expect(changed).toMatchObject({ secret: null, enabled: false, createdAt: made.createdAt });
    const { secret: _, ...shown } = changed;
    expect((await list()).find(({ name }) => name === hook)).toEqual(shown);
  });

  it("also where the first try's answer was lost", async () => {
    await api.database.faults({ kind: "cut-after-commit", sql: "insert into webhooks" });
    const { secret } = expectDone(await put(), 201);
    expect(secret).toMatch(/^whsec_/);
  });

  it("with each event once, in one order", async () => {
    const events = ["dispatch.dead", "task.attention", "dispatch.dead"];
    const made = expectDone(await put({ ...SETTINGS, events }), 201);
    expect(made.events).toEqual(["task.attention", "dispatch.dead"]);
  });

  it("and listed by it, page by page", async () => {
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
  test.each(FORBIDDEN_ENDPOINTS.filter(isShort))(
    "but not to be called at %s",
    async (url, detail) => {
      const answer = await put({ ...SETTINGS, url });
      expect(expectProblem(answer, "url_not_allowed", 400).detail).toBe(detail);
      expect((await list()).map(({ name }) => name)).not.toContain(hook);
    },
  );

  it("but not to call the host that it was put at", async () => {
    const url = "https://stepledger.test/v1/tasks";
    expectProblem(await put({ ...SETTINGS, url }), "url_not_allowed", 400);
  });

  test.each([
    ["no event", { ...SETTINGS, events: [] }],
    ["an unknown event", { ...SETTINGS, events: ["task.deleted"] }],
    ["the event of a ping", { ...SETTINGS, events: ["webhook.ping"] }],
    ["no address", { events: SETTINGS.events }],
    ["too long an address", { ...SETTINGS, url: `https://example.com/${"x".repeat(2000)}` }],
    ["a secret of its own", { ...SETTINGS, secret: "whsec_c2VjcmV0" }],
  ])("but not with %s", async (_, body) => {
    expectProblem(await put(body), "validation_failed", 400);
  });

  test.each(["-hook", "Hook", "a.b", "h".repeat(65), "hook%20"])(
    "but not under %s",
    async (name) => {
      expectProblem(await put(SETTINGS, name), "validation_failed", 400);
    },
  );
});

describe("a secret", () => {
  it("is another one after a rotation, and a repeat does not show it", async () => {
    const { secret } = expectDone(await put(), 201);
    const rotate = () =>
      api.call<WithSecret>("POST", `/webhooks/${hook}/rotate`, { idempotencyKey: hook });
    const rotated = expectDone(await rotate());
    expect(rotated.secret).toMatch(/^whsec_/);
    expect(rotated.secret).not.toBe(secret);
    expect(rotated.previousSecretUntil).not.toBeNull();
    const repeated = await rotate();
    expect(expectDone(repeated)).toEqual({ ...rotated, secret: null });
    expect(repeated.headers.get("idempotency-replayed")).toBe("true");
  });

  it("is in no other answer, no log, and no row but its own", async () => {
    const lines: string[] = [];
    const log = vi.spyOn(console, "log").mockImplementation((...line) => {
      lines.push(JSON.stringify(line));
    });
    const made = expectDone(await put(), 201).secret ?? "";
    const rotated = expectDone(await api.call<WithSecret>("POST", `/webhooks/${hook}/rotate`));
    // Refused by the database: what is logged of that must not hold what was bound.
    await api.database.faults({
      kind: "sqlstate",
      code: "22000",
      sql: "update webhooks w set secret",
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
    const told = [...answers.map(({ text }) => text), ...lines, operations?.["text"]].join();
    expect(lines.length).toBeGreaterThan(5);
    for (const secret of [made, rotated.secret ?? ""]) {
      const base64 = secret.slice("whsec_".length);
      const hex = Array.from(atob(base64), (char) =>
        char.charCodeAt(0).toString(16).padStart(2, "0"),
      ).join("");
      expect(told).not.toContain(base64);
      expect(told).not.toContain(hex);
    }
  });
});

describe("what a webhook was told", () => {
  const deliveriesOf = async (query: string) =>
    expectDone(
      await api.call<{ data: DeliveryRecord[] }>("GET", `/webhooks/${hook}/deliveries${query}`),
    ).data;

  /** Deliveries of each event in each state, the newest last. */
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

  it("is listed newest first, by state and by event", async () => {
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

  it("can be sent again, whatever became of it", async () => {
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

  it("is not to be had under the name of another one", async () => {
    await givenDeliveries();
    const [first] = await deliveriesOf("");
    const other = `other-${hook}`;
    await put(SETTINGS, other);
    const path = `/webhooks/${other}/deliveries/${first?.id}/retry`;
    expectProblem(await api.call("POST", path), "not_found", 404);
  });
});

describe("what a statement tells webhooks of", () => {
  const tell = async (sources: readonly string[]) => {
    const database = openDatabase({
      databaseUrl: api.database.databaseUrl,
      fetchEndpoint: api.database.fetchEndpoint,
    }).forTenant(api.tenant.id);
    const rows = sql`select value as source, json_build_object('dispatchId', value) as data
      from json_array_elements_text(${JSON.stringify(sources)})`;
    const [told] = await database.writeIdempotently<{ count: number }>(
      sql`with told as (${enqueueDeliveries(api.tenant.id, "dispatch.dead", rows)})
        select count(*)::integer as count from told`,
    );
    return told?.count;
  };

  it("is written once, for each that is enabled and listens, and for no other tenant's", async () => {
    await api.database.query("superuser", "delete from webhooks");
    const listening = { ...SETTINGS, events: ["dispatch.dead", "bulk.finished"] };
    await put(listening);
    await put(listening, `second-${hook}`);
    await put({ ...listening, enabled: false }, `disabled-${hook}`);
    await put(SETTINGS, `other-${hook}`);
    await api.call("PUT", `/webhooks/${hook}`, { body: listening, tenant: api.otherTenant });
    expect(await tell(["one", "two"])).toBe(4);
    expect(await tell(["two", "three"])).toBe(2);
    const told = await api.database.query(
      "superuser",
      `select w.tenant_id, webhook_name, source, data, state from webhook_deliveries d
        join webhooks w on w.id = webhook_id order by 2, 3`,
    );
    expect(told).toEqual(
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

describe("a write", () => {
  it("wakes the consumer where a webhook listens to tasks, and only there", async () => {
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
    expect(await sentBy(), "unsure of its first try").toEqual([
      { version: 1, tenantId: api.tenant.id },
    ]);
  });
});
