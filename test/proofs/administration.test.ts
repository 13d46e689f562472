import { afterEach, beforeAll, describe, expect, it, test, vi } from "vitest";
import type { CreatedKey } from "../../src/actions/keys/new-key.ts";
import type { AdminEventRecord } from "../../src/db/administration/admin-events.ts";
import type { ApiKeyRecord } from "../../src/db/tenants/api-keys.ts";
import {
  type Answer,
  expectDone,
  expectProblem,
  freshApi,
  type Tenant,
  textOf,
  type TestApi,
} from "../support/api.ts";
import { ON_WRITE } from "../support/database.ts";
import { importedState } from "../support/imported-state.ts";
import { brokenInvariants, expectInvariantsHold } from "../support/model/invariants.ts";
import { openTransaction, untilBlocked } from "../support/model/locks.ts";
import { silenceLog } from "../support/model/quiet.ts";
import { signToken } from "../support/tokens.ts";

silenceLog();

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const PAY = "https://pay.example.com/hook";

/** Creates an admin key and uses it, so that the Worker has it in its cache. */
async function givenCachedAdmin(tenant: Tenant): Promise<CreatedKey & { key: string }> {
  const body = { name: "Second admin", role: "admin" };
  const created = expectDone(
    await api.call<CreatedKey>("POST", "/api-keys", { tenant, body }),
    201,
  );
  const key = created.key ?? expect.fail("the key is not shown");
  expectDone(await api.call("GET", "/me", { bearer: key }));
  return { ...created, key };
}

const revoke = (tenant: Tenant, id: string, bearer = tenant.keys.admin) =>
  api.call("DELETE", `/api-keys/${id}`, { bearer });

/** Moves the time that code measures, so that a call seems to take long. */
function passSeconds(seconds: number): void {
  const now = performance.now.bind(performance);
  vi.spyOn(performance, "now").mockImplementation(() => now() + seconds * 1000);
}

/** The administrative calls of each kind, by an admin with this key. */
const calls = (bearer: string, victim: string) =>
  ({
    "create an admin key": () =>
      api.call("POST", "/api-keys", { bearer, body: { name: "Back door", role: "admin" } }),
    "rotate a key": () => api.call("POST", `/api-keys/${victim}/rotate`, { bearer, body: {} }),
    "revoke a key": () => api.call("DELETE", `/api-keys/${victim}`, { bearer }),
    "repoint the payment pipeline": () =>
      api.call("PUT", "/pipelines/payment", { bearer, body: { endpoint: PAY } }),
    "rotate a pipeline's secret": () =>
      api.call("POST", "/pipelines/payment/rotate", { bearer, body: {} }),
    "create a webhook": () =>
      api.call("PUT", "/webhooks/back-door", {
        bearer,
        body: { url: PAY, events: ["bulk.finished"] },
      }),
    "rotate a webhook's secret": () =>
      api.call("POST", "/webhooks/hook/rotate", { bearer, body: {} }),
    "retry a delivery": () =>
      api.call("POST", `/webhooks/hook/deliveries/${crypto.randomUUID()}/retry`, {
        bearer,
        body: {},
      }),
    "delete a webhook": () => api.call("DELETE", "/webhooks/hook", { bearer }),
    "add to the taxonomy": () =>
      api.call("PUT", "/taxonomy/intruder", { bearer, body: { label: "In", level: "domain" } }),
    "create a person who may administer": () =>
      api.call("PUT", `/people/${crypto.randomUUID()}`, {
        bearer,
        body: { name: "Back door", subject: "mallory", role: "admin" },
      }),
  }) satisfies Record<string, () => Promise<Answer>>;

describe("a key that has ended but is still cached", () => {
  const stateOf = (tenant: Tenant) =>
    api.database.query(
      "owner",
      `select (select count(*) from admin_events where tenant_id = $1) as events,
        (select count(*) from api_keys where tenant_id = $1) as keys,
        (select count(*) from people where tenant_id = $1) as people,
        (select count(*) from taxonomy where tenant_id = $1) as taxonomy,
        (select json_agg(p order by p.name) from pipelines p where tenant_id = $1) as pipelines,
        (select json_agg(w.url order by w.name) from webhooks w where tenant_id = $1) as webhooks,
        (select count(*) from operations where tenant_id = $1) as operations`,
      [tenant.id],
    );

  test.each(["revoked", "expired"])("administers nothing once it is %s", async (ending) => {
    const tenant = await api.givenTenant();
    const hook = { url: PAY, events: ["bulk.finished"] };
    expectDone(await api.call("PUT", "/webhooks/hook", { tenant, body: hook }), 201);
    const admin = await givenCachedAdmin(tenant);
    const victim = expectDone(
      await api.call<CreatedKey>("POST", "/api-keys", {
        tenant,
        body: { name: "V", role: "viewer" },
      }),
      201,
    );
    if (ending === "revoked") expectDone(await revoke(tenant, admin.id));
    else {
      const end = "update api_keys set expires_at = now() where id = $1";
      await api.database.query("owner", end, [admin.id]);
    }

    // The cache still admits it to reads, for up to thirty seconds.
    expect((await api.call("GET", "/me", { bearer: admin.key })).status).toBe(200);
    const before = await stateOf(tenant);
    for (const [what, call] of Object.entries(calls(admin.key, victim.id))) {
      const answer = await call();
      expect(answer.status, what).toBe(401);
      const { error, detail } = expectProblem(answer, "unauthenticated", 401);
      expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer error="invalid_token"/);
      const unknown = await api.call("GET", "/me", { bearer: `${admin.key}x` });
      expect({ error, detail }).toEqual({ error: unknown.body.error, detail: unknown.body.detail });
    }
    expect(await stateOf(tenant)).toEqual(before);
    await api.database.transaction("owner", importedState(tenant.id));
  });

  it("does not get the answer to its earlier calls, which may show a secret", async () => {
    const tenant = await api.givenTenant();
    const hook = { url: PAY, events: ["bulk.finished"] };
    expectDone(await api.call("PUT", "/webhooks/hook", { tenant, body: hook }), 201);
    const admin = await givenCachedAdmin(tenant);
    const rotate = () =>
      api.call("POST", "/webhooks/hook/rotate", {
        bearer: admin.key,
        body: {},
        idempotencyKey: "one-rotation",
      });
    const rotated = expectDone(await rotate());
    expect(rotated["secret"]).toEqual(expect.stringMatching(/^whsec_/));
    expectDone(await revoke(tenant, admin.id));
    expectProblem(await rotate(), "unauthenticated", 401);
  });

  it("gets its answer if it revokes itself and the database's answer is lost", async () => {
    const tenant = await api.givenTenant();
    const admin = await givenCachedAdmin(tenant);
    await api.database.faults({ ...ON_WRITE, kind: "cut-after-commit" });
    const revoked = expectDone(await revoke(tenant, admin.id, admin.key));
    expect(revoked).toMatchObject({ id: admin.id, revokedBy: admin.id });
    expectProblem(await revoke(tenant, admin.id, admin.key), "unauthenticated", 401);
  });

  it("has no effect when its revocation commits while its write waits", async () => {
    const tenant = await api.givenTenant();
    const admin = await givenCachedAdmin(tenant);
    const revocation = await openTransaction(
      api.database,
      [{ text: "select from admin_heads where tenant_id = $1 for update", values: [tenant.id] }],
      [
        {
          text: "update api_keys set revoked_at = now(), revoked_by = 'x' where id = $1",
          values: [admin.id],
        },
      ],
    );
    const body = { name: "Back door", role: "admin" };
    const writing = api.call("POST", "/api-keys", { bearer: admin.key, body });
    await untilBlocked(api.database);
    await revocation.end();
    expectProblem(await writing, "unauthenticated", 401);
    const made = "select from api_keys where tenant_id = $1 and name = 'Back door'";
    expect(await api.database.query("owner", made, [tenant.id])).toEqual([]);
    await api.database.transaction("owner", importedState(tenant.id));
  });

  it("has no effect when it is revoked past the lock of administration while its write waits", async () => {
    const tenant = await api.givenTenant();
    const admin = await givenCachedAdmin(tenant);
    const revocation = await openTransaction(api.database, [
      {
        text: "update api_keys set revoked_at = now(), revoked_by = 'x' where id = $1",
        values: [admin.id],
      },
    ]);
    const body = { name: "Back door", role: "viewer" };
    const writing = api.call("POST", "/api-keys", { bearer: admin.key, body });
    await Promise.race([writing, untilBlocked(api.database)]);
    await revocation.end();
    expectProblem(await writing, "unauthenticated", 401);
    await api.database.transaction("owner", importedState(tenant.id));
  });

  test.each(Array.from({ length: 64 }, (_, attempt) => attempt))(
    "has no effect after its revocation, however the two calls meet (%i)",
    async (attempt) => {
      const tenant = attempt % 2 === 0 ? api.tenant : api.otherTenant;
      const admin = await givenCachedAdmin(tenant);
      const writes = [
        () =>
          api.call("PUT", "/pipelines/payment", {
            bearer: admin.key,
            body: { endpoint: `${PAY}/${admin.id}` },
          }),
        () =>
          api.call("POST", "/api-keys", {
            bearer: admin.key,
            body: { name: "Raced", role: "viewer" },
          }),
      ].map((write) => write());
      const [revoked, ...written] = await Promise.all([revoke(tenant, admin.id), ...writes]);
      expectDone(revoked);
      for (const { status } of written) expect([200, 201, 401]).toContain(status);
      const events = await api.database.query(
        "owner",
        `select count(*) as done, count(*) filter (where e.seq > r.seq) as late
         from admin_events e join admin_events r
           on r.tenant_id = e.tenant_id and r.type = 'key_revoked' and r.subject_id = $1
         where e.actor_id = $1`,
        [admin.id],
      );
      const done = written.filter(({ status }) => status < 300).length;
      expect(events).toEqual([{ done: String(done), late: "0" }]);
      // Raced keys must not add up to the maximum.
      const raced = await api.database.query(
        "owner",
        "select id from api_keys where tenant_id = $1 and name = 'Raced' and revoked_at is null",
        [tenant.id],
      );
      for (const { id } of raced) await revoke(tenant, id ?? "");
    },
  );

  it("is still whole history", () => expectInvariantsHold(api.database));
});

describe("an administrative write that waits for another one", () => {
  it("reads what that one committed, and locks nothing before", async () => {
    const id = crypto.randomUUID();
    const path = `/people/${id}`;
    expectDone(await api.call("PUT", path, { body: { name: "Ada" } }), 201);
    const other = await openTransaction(
      api.database,
      [
        {
          text: "select from admin_heads where tenant_id = $1 for update",
          values: [api.tenant.id],
        },
      ],
      [
        { text: "select from people where id = $1 for update nowait", values: [id] },
        { text: "update people set name = 'Ada L.' where id = $1", values: [id] },
        ...importedState(api.tenant.id),
      ],
    );
    const writing = api.call("PUT", path, { body: { name: "Ada Lovelace" } });
    await untilBlocked(api.database);
    await other.end();
    expectDone(await writing);
    const events = await api.call<{ data: AdminEventRecord[] }>("GET", "/admin/events?limit=1");
    expect(expectDone(events).data).toMatchObject([
      { payload: { before: { name: "Ada L." }, after: { name: "Ada Lovelace" } } },
    ]);
  });
});

describe("the last admin key", () => {
  test.each(Array.from({ length: 16 }, (_, attempt) => attempt))(
    "is left when two admins revoke each other at the same time (%i)",
    async () => {
      const tenant = await api.givenTenant();
      const second = await givenCachedAdmin(tenant);
      const { data } = expectDone(
        await api.call<{ data: ApiKeyRecord[] }>("GET", "/api-keys", { tenant }),
      );
      const first = data.find(({ role, id }) => role === "admin" && id !== second.id);
      const answers = await Promise.all([
        revoke(tenant, first?.id ?? "", second.key),
        revoke(tenant, second.id),
      ]);
      expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([
        200, 401,
      ]);
      const left = await api.database.query(
        "owner",
        "select id from api_keys where tenant_id = $1 and role = 'admin' and revoked_at is null",
        [tenant.id],
      );
      expect(left).toHaveLength(1);
    },
  );
});

describe("a call that takes long", () => {
  /** Reads a stream to its end. */
  const openStream = async (bearer: string, path: string) => {
    const response = await api.fetch(path, { headers: { authorization: `Bearer ${bearer}` } });
    expect(response.status).toBe(200);
    // The runtime's type of a body does not say that it has bytes.
    const body = response.body as ReadableStream<Uint8Array> | null;
    return body?.getReader() ?? expect.fail("there is no body");
  };
  const rest = async (reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> => {
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text;
      text += new TextDecoder().decode(value);
    }
  };
  const lastMessage = (text: string) => text.trimEnd().split("\n\n").at(-1);
  const ENDED =
    'event: problem\ndata: {"error":"unauthenticated","detail":"The credential has ended."}';

  it("ends: an event stream, after its key was revoked", async () => {
    const tenant = await api.givenTenant();
    const admin = await givenCachedAdmin(tenant);
    const stream = await openStream(admin.key, "/v1/events/stream?after=now");
    await stream.read();
    expectDone(await revoke(tenant, admin.id));
    passSeconds(15);
    expect(lastMessage(await rest(stream))).toBe(ENDED);
    // What the stream found out ends the cache, too.
    expectProblem(await api.call("GET", "/me", { bearer: admin.key }), "unauthenticated", 401);
  });

  it("goes on: an event stream of a key that works", async () => {
    const tenant = await api.givenTenant();
    const admin = await givenCachedAdmin(tenant);
    const stream = await openStream(admin.key, "/v1/events/stream?after=now&wait=20");
    passSeconds(15);
    await api.givenTask({ tenant });
    let text = "";
    while (!text.includes("task_created")) {
      const { done, value } = await stream.read();
      if (done) expect.fail(`The stream has ended: ${text}`);
      text += new TextDecoder().decode(value);
    }
    expect(text).not.toContain("problem");
    await stream.cancel();
  });

  it("ends: an event stream, after its token has expired", async () => {
    const token = await signToken({
      claims: { sub: "someone", tenant_id: api.tenant.id, role: "viewer" },
      expires: "5m",
    });
    const stream = await openStream(token, "/v1/events/stream?after=now");
    await stream.read();
    passSeconds(15);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 301_000 });
    expect(lastMessage(await rest(stream))).toBe(ENDED);
  });

  it("ends: a call that waits for events", async () => {
    const tenant = await api.givenTenant();
    const admin = await givenCachedAdmin(tenant);
    const waiting = api.call("GET", "/events?after=now&wait=30", { bearer: admin.key });
    expectDone(await revoke(tenant, admin.id));
    passSeconds(15);
    expectProblem(await waiting, "unauthenticated", 401);
  });

  it("breaks off: an export", async () => {
    const tenant = await api.givenTenant();
    const admin = await givenCachedAdmin(tenant);
    for (let imports = 0; imports < 5; imports += 1) await api.givenTasks(500, tenant);
    const stream = await openStream(admin.key, "/v1/tasks/export.ndjson");
    expectDone(await revoke(tenant, admin.id));
    passSeconds(15);
    await expect(rest(stream)).rejects.toThrow("no longer admitted");
    const whole = await api.fetch("/v1/tasks/export.ndjson", {
      headers: { authorization: `Bearer ${tenant.keys.viewer}` },
    });
    expect((await textOf(whole)).trimEnd().split("\n")).toHaveLength(2500);
  });
});

describe("if the database's clock steps back", () => {
  it("no event of administration is older than the one before it", async () => {
    const tenant = await api.givenTenant();
    const path = `/people/${crypto.randomUUID()}`;
    expectDone(await api.call("PUT", path, { tenant, body: { name: "Ada" } }), 201);
    await api.database.transaction("superuser", [
      { text: "set local session_replication_role = replica" },
      {
        text: "update admin_heads set at = at + interval '1 hour' where tenant_id = $1",
        values: [tenant.id],
      },
    ]);
    expectDone(await api.call("PUT", path, { tenant, body: { name: "Grace" } }));
    const [head] = await api.database.query(
      "owner",
      `select h.at > now() + interval '30 minutes' and h.at = e.at as "isLater"
       from admin_heads h join admin_events e on e.tenant_id = h.tenant_id and e.seq = h.seq
       where h.tenant_id = $1`,
      [tenant.id],
    );
    expect(head).toEqual({ isLater: "t" });
  });
});

describe("an event that is forged past the application", () => {
  it("cannot choose its place, and its subject is still compared", async () => {
    const tenant = await api.givenTenant();
    await api.database.transaction("application", [
      { text: "select set_config('app.tenant_id', $1, true)", values: [tenant.id] },
      {
        text: `insert into admin_events (tenant_id, type, subject_kind, subject_id, actor_id, actor_name, actor_kind,
            actor_role, payload, operation_id, request_id)
          select tenant_id, 'pipeline_changed', 'pipeline', 'payment', actor_id, actor_name, actor_kind, actor_role,
            '{"before": null, "after": {"name": "payment"}}', operation_id, request_id
          from admin_events limit 1`,
      },
    ]);
    const broken = await brokenInvariants(api.database);
    expect(broken.map(({ name }) => name)).toEqual(["administered-rows-equal-their-newest-event"]);
  });
});
