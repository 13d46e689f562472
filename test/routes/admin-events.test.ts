import { beforeAll, describe, expect, it } from "vitest";
import type { CreatedKey } from "../../src/actions/keys/new-key.ts";
import type { AdminEventRecord } from "../../src/db/administration/admin-events.ts";
import type { AdminEventType } from "../../src/domain/admin-events.ts";
import {
  type CallOptions,
  expectDone,
  expectProblem,
  freshApi,
  type Tenant,
  textOf,
  type TestApi,
} from "../support/api.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";

interface EventPage {
  data: AdminEventRecord[];
  nextCursor: string | null;
}

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const listed = async (query = "", tenant: Tenant = api.tenant): Promise<AdminEventRecord[]> => {
  const path = `/admin/events?limit=200${query}`;
  return expectDone(await api.call<EventPage>("GET", path, { tenant })).data;
};

/** Sends administrative calls, and returns the events that they appended, oldest first. */
async function eventsOf(run: () => Promise<unknown>, tenant?: Tenant): Promise<AdminEventRecord[]> {
  const [newest] = await listed("", tenant);
  await run();
  const events = await listed("", tenant);
  return events.filter(({ seq }) => seq > (newest?.seq ?? 0)).toReversed();
}

const HOOK = "https://hooks.example.com/stepledger";
const createKey = async (body: object = {}, options: CallOptions = {}) =>
  expectDone(
    await api.call<CreatedKey>("POST", "/api-keys", {
      body: { name: "A key", role: "viewer", ...body },
      ...options,
    }),
    201,
  );
const putPipeline = (body: object) =>
  api.call<{ secret: string }>("PUT", "/pipelines/payment", { body });
const putWebhook = (name: string, body: object = {}) =>
  api.call<{ secret: string }>("PUT", `/webhooks/${name}`, {
    body: { url: HOOK, events: ["bulk.finished"], ...body },
  });

const putDomain = (code: string, body: object = {}) =>
  api.call("PUT", `/taxonomy/${code}`, { body: { label: "A domain", level: "domain", ...body } });

/** One administrative write of each kind: what precedes it, the call, and the event that it appends. */
interface Write {
  what: string;
  type: AdminEventType;
  subject: { kind: string; id: string };
  prepare?: () => Promise<unknown>;
  method: string;
  path: () => string;
  body?: object;
  payload: object;
}
let keyId = "";
let deliveryId = "";
let personId = "";
const preparePerson = async () => {
  personId = crypto.randomUUID();
  const body = { name: "Ada" };
  expectDone(await api.call("PUT", `/people/${personId}`, { body }), 201);
};
const prepareKey = async () => {
  keyId = (await createKey()).id;
};
const WRITES: readonly Write[] = [
  {
    what: "creating an API key",
    type: "key_created",
    subject: { kind: "key", id: "the new one" },
    method: "POST",
    path: () => "/api-keys",
    body: { name: "Audited", role: "operator", expiresAt: "2999-01-01T00:00:00Z" },
    payload: {
      before: null,
      after: {
        name: "Audited",
        role: "operator",
        kind: "machine",
        expiresAt: "2999-01-01T00:00:00.000000Z",
      },
    },
  },
  {
    what: "rotating an API key",
    type: "key_rotated",
    subject: { kind: "key", id: "the key" },
    prepare: prepareKey,
    method: "POST",
    path: () => `/api-keys/${keyId}/rotate`,
    body: { overlapSeconds: 600 },
    payload: {
      before: { expiresAt: null },
      after: { expiresAt: expect.any(String) },
      successor: { name: "A key", role: "viewer", expiresAt: null },
    },
  },
  {
    what: "revoking an API key",
    type: "key_revoked",
    subject: { kind: "key", id: "the key" },
    prepare: prepareKey,
    method: "DELETE",
    path: () => `/api-keys/${keyId}`,
    payload: { before: { revokedAt: null }, after: { revokedAt: expect.any(String) } },
  },
  {
    what: "entering a person",
    type: "person_created",
    subject: { kind: "person", id: "the person" },
    prepare: async () => {
      personId = crypto.randomUUID();
    },
    method: "PUT",
    path: () => `/people/${personId}`,
    body: { name: "Ada", role: "reviewer" },
    payload: { before: null, after: { name: "Ada", role: "reviewer", active: true } },
  },
  {
    what: "changing a person",
    type: "person_changed",
    subject: { kind: "person", id: "the person" },
    prepare: preparePerson,
    method: "PUT",
    path: () => `/people/${personId}`,
    body: { name: "Ada L.", subject: "ada" },
    payload: { before: { name: "Ada", subject: null }, after: { name: "Ada L.", subject: "ada" } },
  },
  {
    what: "deactivating a person",
    type: "person_deactivated",
    subject: { kind: "person", id: "the person" },
    prepare: preparePerson,
    method: "PUT",
    path: () => `/people/${personId}`,
    body: { name: "Ada", active: false },
    payload: { before: { active: true }, after: { active: false } },
  },
  {
    what: "configuring a pipeline",
    type: "pipeline_changed",
    subject: { kind: "pipeline", id: "payment" },
    prepare: () => putPipeline({ endpoint: "https://old.example.com/pay" }),
    method: "PUT",
    path: () => "/pipelines/payment",
    body: { endpoint: "https://pay.example.com/hook", timeoutSeconds: 5 },
    payload: {
      before: { endpoint: "https://old.example.com/pay", timeoutSeconds: 10 },
      after: { endpoint: "https://pay.example.com/hook", timeoutSeconds: 5 },
      secretRotated: false,
    },
  },
  {
    what: "providing a pipeline's secret",
    type: "pipeline_secret_rotated",
    subject: { kind: "pipeline", id: "payment" },
    prepare: () => putPipeline({ endpoint: null }),
    method: "PUT",
    path: () => "/pipelines/payment",
    body: { endpoint: null, secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" },
    payload: { before: { endpoint: null }, after: { endpoint: null }, secretRotated: true },
  },
  {
    what: "rotating a pipeline's secret",
    type: "pipeline_secret_rotated",
    subject: { kind: "pipeline", id: "output_generation" },
    method: "POST",
    path: () => "/pipelines/output_generation/rotate",
    body: {},
    payload: { before: null, after: { endpoint: null } },
  },
  {
    what: "adding to the taxonomy",
    type: "taxonomy_created",
    subject: { kind: "taxonomy", id: "history" },
    method: "PUT",
    path: () => "/taxonomy/history",
    body: { label: "History", level: "domain" },
    payload: { before: null, after: { label: "History", level: "domain", position: 0 } },
  },
  {
    what: "renaming an entry of the taxonomy",
    type: "taxonomy_changed",
    subject: { kind: "taxonomy", id: "arts" },
    prepare: () => putDomain("arts", { label: "Art" }),
    method: "PUT",
    path: () => "/taxonomy/arts",
    body: { label: "Arts", level: "domain" },
    payload: { before: { label: "Art" }, after: { label: "Arts", parentCode: null } },
  },
  {
    what: "archiving an entry of the taxonomy",
    type: "taxonomy_archived",
    subject: { kind: "taxonomy", id: "alchemy" },
    prepare: () => putDomain("alchemy"),
    method: "PUT",
    path: () => "/taxonomy/alchemy",
    body: { label: "A domain", level: "domain", archived: true },
    payload: { before: { archivedAt: null }, after: { archivedAt: expect.any(String) } },
  },
  {
    what: "restoring an entry of the taxonomy",
    type: "taxonomy_restored",
    subject: { kind: "taxonomy", id: "latin" },
    prepare: () => putDomain("latin", { archived: true }),
    method: "PUT",
    path: () => "/taxonomy/latin",
    body: { label: "A domain", level: "domain" },
    payload: { before: { archivedAt: expect.any(String) }, after: { archivedAt: null } },
  },
  {
    what: "creating a webhook",
    type: "webhook_created",
    subject: { kind: "webhook", id: "fresh" },
    method: "PUT",
    path: () => "/webhooks/fresh",
    body: { url: HOOK, events: ["bulk.finished"] },
    payload: { before: null, after: { url: HOOK, events: ["bulk.finished"], enabled: true } },
  },
  {
    what: "updating a webhook",
    type: "webhook_changed",
    subject: { kind: "webhook", id: "changed" },
    prepare: () => putWebhook("changed"),
    method: "PUT",
    path: () => "/webhooks/changed",
    body: { url: HOOK, events: ["dispatch.dead"], enabled: false },
    payload: {
      before: { events: ["bulk.finished"], enabled: true },
      after: { events: ["dispatch.dead"], enabled: false },
    },
  },
  {
    what: "rotating a webhook's secret",
    type: "webhook_secret_rotated",
    subject: { kind: "webhook", id: "rotated" },
    prepare: () => putWebhook("rotated"),
    method: "POST",
    path: () => "/webhooks/rotated/rotate",
    body: {},
    payload: { before: { url: HOOK }, after: { url: HOOK } },
  },
  {
    what: "deleting a webhook",
    type: "webhook_deleted",
    subject: { kind: "webhook", id: "deleted" },
    prepare: () => putWebhook("deleted"),
    method: "DELETE",
    path: () => "/webhooks/deleted",
    payload: { before: { enabled: true, deletedAt: null }, after: { enabled: false } },
  },
  {
    what: "retrying a webhook's delivery",
    type: "webhook_delivery_retried",
    subject: { kind: "webhook", id: "retried" },
    prepare: async () => {
      await putWebhook("retried");
      deliveryId = crypto.randomUUID();
      await api.database.query(
        "owner",
        `insert into webhook_deliveries (tenant_id, id, webhook_id, webhook_name, event, source, data, state)
         select tenant_id, $1::uuid, id, name, 'bulk.finished', $1, '{}', 'dead' from webhooks where name = 'retried'`,
        [deliveryId],
      );
    },
    method: "POST",
    path: () => `/webhooks/retried/deliveries/${deliveryId}/retry`,
    body: {},
    payload: { stateBefore: "dead" },
  },
];

describe("An administrative write", () => {
  it.each(WRITES.map((write) => [write.what, write] as const))(
    "appends one event: %s",
    async (_, { type, subject, prepare, method, path, body, payload }) => {
      await prepare?.();
      const why = "Agreed with the team";
      const target = body === undefined ? `${path()}?reason=${encodeURIComponent(why)}` : path();
      const sent = body === undefined ? {} : { body: { ...body, reason: why } };
      const events = await eventsOf(async () => {
        const answer = await api.call(method, target, {
          ...sent,
          headers: { "x-request-id": "the-request" },
        });
        expect(answer.status, answer.text).toBeLessThan(300);
      });
      expect(events).toMatchObject([
        {
          type,
          subject: { kind: subject.kind, id: expect.any(String) },
          actor: { name: "first admin key", kind: "key", role: "admin" },
          reason: why,
          requestId: "the-request",
          payload,
        },
      ]);
      const [event] = events;
      if (!subject.id.startsWith("the ")) expect(event?.subject.id).toBe(subject.id);
      if (subject.id === "the key") expect(event?.subject.id).toBe(keyId);
      if (subject.id === "the person") expect(event?.subject.id).toBe(personId);
      await expectInvariantsHold(api.database);
    },
  );

  it.each(
    WRITES.filter(({ method }) => method === "POST").map((write) => [write.what, write] as const),
  )(
    "appends no event if it is repeated under its idempotency key: %s",
    async (_, { prepare, method, path, body }) => {
      await prepare?.();
      const idempotencyKey = crypto.randomUUID();
      const events = await eventsOf(async () => {
        for (const isReplayed of [null, "true"]) {
          const answer = await api.call(method, path(), { body, idempotencyKey });
          expect(answer.headers.get("idempotency-replayed")).toBe(isReplayed);
        }
      });
      expect(events).toHaveLength(1);
    },
  );

  it("appends no event if it changes nothing", async () => {
    const { id } = await createKey();
    const revoke = () => api.call("DELETE", `/api-keys/${id}`);
    const remove = () => api.call("DELETE", "/webhooks/unchanged");
    expectDone(await revoke());
    expectDone(await putPipeline({ endpoint: null, timeoutSeconds: 7 }));
    expectDone(await putWebhook("unchanged"), 201);
    const same = await eventsOf(async () => {
      expectDone(await revoke());
      expectDone(await putPipeline({ endpoint: null, timeoutSeconds: 7 }));
      expectDone(await putWebhook("unchanged"));
    });
    expect(same).toEqual([]);
    expectDone(await remove());
    expect(await eventsOf(remove)).toEqual([]);
    const unknown = await eventsOf(async () => {
      expectProblem(await api.call("DELETE", "/webhooks/nobody"), "not_found", 404);
      expectProblem(await api.call("DELETE", `/api-keys/${crypto.randomUUID()}`), "not_found", 404);
    });
    expect(unknown).toEqual([]);
  });

  it("appends its event once if the response of the database is lost after the commit", async () => {
    const events = await eventsOf(async () => {
      await api.database.faults({ kind: "cut-after-commit", sql: "insert into admin_events" });
      await createKey();
    });
    expect(events).toHaveLength(1);
  });

  it("keeps every secret out of the events", async () => {
    const { key } = await createKey();
    const provided = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0";
    const pipeline = expectDone(await putPipeline({ endpoint: null, secret: provided }));
    const hook = expectDone(await putWebhook("secretive"), 201);
    expect(pipeline.secret).toBeNull();
    const stored = await api.database.query(
      "owner",
      "select row_to_json(e)::text as text from admin_events e",
    );
    const texts = stored.map(({ text }) => String(text));
    const pieces = [key, provided, hook.secret].flatMap(piecesOf);
    expect(pieces.filter((piece) => texts.some((text) => text.includes(piece)))).toEqual([]);
    for (const text of texts) expect(text).not.toMatch(/whsec|digest/);
  });
});

describe("GET /v1/admin/events", () => {
  it("returns the events newest first, page by page, with the tenant's creation last", async () => {
    const all = await listed();
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, index) => all.length - index));
    const paged: AdminEventRecord[] = [];
    let cursor = "";
    do {
      const path = `/admin/events?limit=7${cursor}`;
      const page: EventPage = expectDone(await api.call<EventPage>("GET", path));
      paged.push(...page.data);
      cursor = page.nextCursor === null ? "" : `&cursor=${page.nextCursor}`;
    } while (cursor !== "");
    expect(paged).toEqual(all);
    expect(all.at(-1)).toMatchObject({
      seq: 1,
      subject: { kind: "tenant", id: api.tenant.id },
      payload: { before: null, after: { name: "First tenant" } },
    });
  });

  it("filters by type, subject, actor and time", async () => {
    const [one, two] = [await createKey({ name: "One" }), await createKey({ name: "Two" })];
    await api.call("DELETE", `/api-keys/${one.id}`);
    const ofOne = await listed(`&subjectKind=key&subjectId=${one.id}`);
    expect(ofOne.map(({ type }) => type)).toEqual(["key_revoked", "key_created"]);
    const [revoked, created] = ofOne;
    const types = await listed("&type=key_revoked");
    expect(types.length).toBeGreaterThan(0);
    expect(new Set(types.map(({ type }) => type))).toEqual(new Set(["key_revoked"]));
    const actorId = created?.actor.id ?? "";
    expect((await listed(`&actorId=${actorId}`)).length).toBeGreaterThan(3);
    expect(await listed("&actorId=nobody")).toEqual([]);
    const since = await listed(`&createdAfter=${created?.at}&createdBefore=${revoked?.at}`);
    expect(since.map(({ subject }) => subject.id)).toEqual([two.id]);
    expect((await listed("&subjectKind=tenant")).map(({ type }) => type)).toEqual([
      "state_imported",
    ]);
  });

  it("binds a cursor to its filters", async () => {
    const { nextCursor } = expectDone(await api.call<EventPage>("GET", "/admin/events?limit=1"));
    const moved = await api.call(
      "GET",
      `/admin/events?limit=1&type=key_created&cursor=${nextCursor}`,
    );
    expectProblem(moved, "invalid_cursor", 400);
  });

  it("shows no event of another tenant", async () => {
    await createKey({ name: "Of the other" }, { tenant: api.otherTenant });
    const theirs = await listed("", api.otherTenant);
    const mine = await listed();
    expect(theirs.length).toBeGreaterThan(0);
    expect(mine.map(({ hash }) => hash)).not.toContain(theirs[0]?.hash);
    expect(JSON.stringify(mine)).not.toContain(api.otherTenant.id);
  });

  it("has events whose hashes anyone can recompute", async () => {
    const events = (await listed()).toReversed();
    let hash = "0".repeat(64);
    for (const event of events) {
      expect(event.prevHash).toBe(hash);
      hash = await sha256Hex(hash, event.canonical);
      expect(event.hash).toBe(hash);
      const [mark, tenantId, seq, type] = JSON.parse(event.canonical) as unknown[];
      expect([mark, tenantId, seq, type]).toEqual(["sl1a", api.tenant.id, event.seq, event.type]);
    }
  });

  it("can be exported, oldest first", async () => {
    const headers = { authorization: `Bearer ${api.tenant.keys.admin}` };
    const ndjson = await textOf(await api.fetch("/v1/admin/events/export.ndjson", { headers }));
    const events = ndjson
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
    expect(events).toEqual((await listed()).toReversed());
    const csv = await textOf(
      await api.fetch("/v1/admin/events/export.csv?type=key_revoked", { headers }),
    );
    const revoked = await listed("&type=key_revoked");
    expect(csv.trimEnd().split("\r\n")).toHaveLength(1 + revoked.length);
  });
});

/** The hash of an event, as a client computes it. */
async function sha256Hex(prevHash: string, canonical: string): Promise<string> {
  const before = Uint8Array.from(prevHash.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const text = new TextEncoder().encode(canonical);
  const bytes = new Uint8Array([...before, ...text]);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Every 12 successive characters of the secret part of a key or secret. Shorter pieces prove no leak: events show the
 * last 4 characters of each key. The secret part of a key can itself contain underscores.
 */
function piecesOf(secret: string | null): string[] {
  const [, part = expect.fail("This is no secret")] =
    /^(?:slg_[\da-f]{32}|whsec)_(.{32,})$/.exec(secret ?? "") ?? [];
  return Array.from({ length: part.length - 11 }, (_, start) => part.slice(start, start + 12));
}
