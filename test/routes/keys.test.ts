import { beforeAll, describe, expect, it, vi } from "vitest";
import type { CreatedKey } from "../../src/actions/keys/new-key.ts";
import type { Rotated } from "../../src/actions/keys/rotate-key.ts";
import { openDatabase } from "../../src/db/connection/client.ts";
import { type ApiKeyRecord, recordKeyUse } from "../../src/db/tenants/api-keys.ts";
import { ROLES } from "../../src/domain/actor.ts";
import {
  type CallOptions,
  expectDone,
  expectProblem,
  freshApi,
  type TestApi,
} from "../support/api.ts";
import { importedState } from "../support/imported-state.ts";

interface KeyPage {
  data: ApiKeyRecord[];
  nextCursor: string | null;
}
interface Me {
  tenant: { id: string; name: string };
  actor: { id: string; name: string; kind: string; role: string };
}

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const create = (body: object, options: CallOptions = {}) =>
  api.call<CreatedKey>("POST", "/api-keys", { body, ...options });
const meWith = (bearer: string | null) => api.call<Me>("GET", "/me", { bearer });

describe("Creating an API key", () => {
  it.each(ROLES)("returns a key with the role %s that works immediately", async (role) => {
    const answer = await create({ name: `A ${role}`, role });
    const created = expectDone(answer, 201);
    const tenantDigits = api.tenant.id.replaceAll("-", "");
    expect(created.key).toMatch(new RegExp(`^slg_${tenantDigits}_[A-Za-z0-9_-]{43}$`));
    expect(created).toMatchObject({
      name: `A ${role}`,
      role,
      lastFour: created.key?.slice(-4),
      revokedAt: null,
    });
    expect(answer.headers.get("location")).toBe(`/v1/api-keys/${created.id}`);
    const me = expectDone(await meWith(created.key));
    expect(me).toEqual({
      tenant: { id: api.tenant.id, name: "First tenant", kind: "customer" },
      actor: {
        id: created.id,
        name: `A ${role}`,
        kind: role === "service" ? "service" : "key",
        role,
      },
    });
  });

  it("stores only the key's digest", async () => {
    const created = expectDone(await create({ name: "Secret", role: "viewer" }), 201);
    const secret = created.key?.split("_").slice(2).join("_") ?? "";
    const stored = await api.database.query(
      "owner",
      "select row_to_json(k)::text as text from api_keys k union all select row_to_json(o)::text from operations o",
    );
    expect(stored.length).toBeGreaterThan(1);
    for (const { text } of stored) expect(text).not.toContain(secret);
  });

  it("returns the same API key without the key itself to a retry", async () => {
    const body = { name: "Repeated", role: "viewer" };
    const first = expectDone(await create(body, { idempotencyKey: "key-1" }), 201);
    const repeat = await create(body, { idempotencyKey: "key-1" });
    expect(repeat.headers.get("idempotency-replayed")).toBe("true");
    expect(expectDone(repeat, 201)).toEqual({ ...first, key: null });
    const other = await create({ name: "Other", role: "viewer" }, { idempotencyKey: "key-1" });
    expectProblem(other, "idempotency_key_reused", 422);
  });

  it("returns the key if the response of the database is lost after the commit", async () => {
    await api.database.faults({ kind: "cut-after-commit", sql: "insert into api_keys" });
    const created = expectDone(await create({ name: "Cut", role: "viewer" }), 201);
    expect((await meWith(created.key)).status).toBe(200);
    const rows = await api.database.query("owner", "select id from api_keys where name = 'Cut'");
    expect(rows).toEqual([{ id: created.id }]);
  });

  it.each(["viewer", "operator", "reviewer", "service"] as const)(
    "is forbidden for the role %s",
    async (as) => {
      const answer = await create({ name: "No", role: "viewer" }, { as });
      expect(expectProblem(answer, "forbidden", 403)["required"]).toBe("admin");
      expectProblem(await api.call("GET", "/api-keys", { as }), "forbidden", 403);
    },
  );

  it("rejects an unknown role", async () => {
    expectProblem(await create({ name: "No", role: "owner" }), "validation_failed", 400);
  });
});

describe("Listing API keys", () => {
  it("returns the tenant's keys newest first, paginated and without secrets", async () => {
    await create({ name: "Older", role: "viewer" });
    await create({ name: "Newer", role: "viewer" });
    const keys: ApiKeyRecord[] = [];
    let cursor: string | null = null;
    do {
      const more: string = cursor === null ? "" : `&cursor=${cursor}`;
      const page: KeyPage = expectDone(await api.call<KeyPage>("GET", `/api-keys?limit=3${more}`));
      keys.push(...page.data);
      cursor = page.nextCursor;
    } while (cursor !== null);
    const [row] = await api.database.query(
      "owner",
      "select count(*) as keys from api_keys where tenant_id = $1",
      [api.tenant.id],
    );
    expect(new Set(keys.map(({ id }) => id)).size).toBe(Number(row?.["keys"]));
    const names = keys.map(({ name }) => name);
    expect(names.indexOf("Newer")).toBeLessThan(names.indexOf("Older"));
    expect(Object.keys(keys[0] ?? {}).toSorted()).toEqual([
      "createdAt",
      "createdBy",
      "expiresAt",
      "id",
      "kind",
      "lastFour",
      "lastUsedAt",
      "name",
      "personId",
      "replaces",
      "revokedAt",
      "revokedBy",
      "role",
    ]);
  });

  it("takes one round trip", async () => {
    expect(await api.roundTripsOf(() => api.call("GET", "/api-keys"))).toBe(1);
    expect(await api.roundTripsOf(() => api.call("GET", "/me"))).toBe(1);
    expect(await api.roundTripsOf(() => create({ name: "Counted", role: "viewer" }))).toBe(1);
  });
});

describe("Revoking an API key", () => {
  const revoke = (id: string, options: CallOptions = {}) =>
    api.call<ApiKeyRecord & { effectiveWithinSeconds: number }>(
      "DELETE",
      `/api-keys/${id}`,
      options,
    );

  it("revokes it, and returns how long a cached key can still be accepted", async () => {
    const created = expectDone(await create({ name: "Short-lived", role: "viewer" }), 201);
    const revoked = expectDone(await revoke(created.id));
    expect(revoked).toMatchObject({ id: created.id, effectiveWithinSeconds: 30 });
    expect(revoked.revokedAt).not.toBeNull();
    // The key was never used, so it is not cached.
    expectProblem(await meWith(created.key), "unauthenticated", 401);
  });

  it("returns the first revocation if repeated", async () => {
    const { id } = expectDone(await create({ name: "Twice", role: "viewer" }), 201);
    const first = expectDone(await revoke(id));
    const second = expectDone(await revoke(id));
    expect(second).toEqual(first);
  });

  it("returns the same 404 for another tenant's key as for an unknown key", async () => {
    const theirs = expectDone(
      await create({ name: "Theirs", role: "viewer" }, { tenant: api.otherTenant }),
      201,
    );
    const headers = { "x-request-id": "same" };
    const unknown = await revoke(crypto.randomUUID(), { headers });
    expectProblem(unknown, "not_found", 404);
    const other = await revoke(theirs.id, { headers });
    expect(other.text).toBe(unknown.text);
    expect((await meWith(theirs.key)).status).toBe(200);
  });

  it("stores no operation if there was nothing to revoke", async () => {
    await revoke("0193aaaa-0000-7000-8000-00000000dead");
    const operations = await api.database.query(
      "owner",
      "select id from operations where route = 'revokeApiKey' and result is null",
    );
    expect(operations).toEqual([]);
  });
});

describe("An API key that expires", () => {
  const later = () => new Date(Date.now() + 3_600_000).toISOString();

  it("works until then, and is invalid afterwards", async () => {
    const expiresAt = later();
    const created = expectDone(
      await create({ name: "For an hour", role: "viewer", expiresAt }),
      201,
    );
    expect(Date.parse(created.expiresAt ?? "")).toBe(Date.parse(expiresAt));
    expect((await meWith(created.key)).status).toBe(200);
    // The clock of the database is what counts, so the key's end is moved instead.
    await endNow(created.id);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 31_000 });
    try {
      expectProblem(await meWith(created.key), "unauthenticated", 401);
    } finally {
      vi.useRealTimers();
    }
  });

  it("is not cached beyond its end", async () => {
    const expiresAt = new Date(Date.now() + 5000).toISOString();
    const created = expectDone(await create({ name: "Short", role: "viewer", expiresAt }), 201);
    expect((await meWith(created.key)).status).toBe(200);
    await endNow(created.id);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 6000 });
    try {
      expectProblem(await meWith(created.key), "unauthenticated", 401);
    } finally {
      vi.useRealTimers();
    }
  });

  it.each([
    ["in the past", "2020-01-01T00:00:00Z", "in_the_past"],
    ["in no time", "tomorrow", "invalid_format"],
    ["after the last year", "9999-12-31T23:59:59.999999Z", "too_late"],
  ])("cannot expire %s", async (_, expiresAt, code) => {
    const refused = await create({ name: "Never", role: "viewer", expiresAt });
    const { issues } = expectProblem(refused, "validation_failed", 400);
    expect(issues).toMatchObject([{ code }]);
  });
});

describe("The use of an API key", () => {
  const listed = async (id: string) => {
    const { data } = expectDone(await api.call<KeyPage>("GET", "/api-keys?limit=200"));
    return data.find((key) => key.id === id) ?? expect.fail("the key is not listed");
  };

  it("is noted once an hour, after the answer", async () => {
    const { id, key } = expectDone(await create({ name: "Used", role: "viewer" }), 201);
    expect((await listed(id)).lastUsedAt).toBeNull();
    const first = await meWith(key);
    expect(first.headers.get("server-timing")).toContain("2 round trips");
    const { lastUsedAt } = await listed(id);
    expect(lastUsedAt).not.toBeNull();

    const uses = () =>
      api.database.query("owner", "select last_used_at, xmin from api_key_uses where key_id = $1", [
        id,
      ]);
    const before = await uses();
    for (const seconds of [31, 62, 93]) {
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + seconds * 1000 });
      expect((await meWith(key)).status).toBe(200);
      vi.useRealTimers();
    }
    expect(await uses()).toEqual(before);
    // Another isolate, which read the key before this one noted its use.
    await recordKeyUse(openDatabase(api.database).forTenant(api.tenant.id), id);
    expect(await uses()).toEqual(before);

    await api.database.query(
      "owner",
      "update api_key_uses set last_used_at = now() - interval '2 hours' where key_id = $1",
      [id],
    );
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 200_000 });
    expect((await meWith(key)).status).toBe(200);
    vi.useRealTimers();
    expect(Date.parse((await listed(id)).lastUsedAt ?? "")).toBeGreaterThanOrEqual(
      Date.parse(lastUsedAt ?? ""),
    );
  });

  it("fails no call if it cannot be noted", async () => {
    const { id, key } = expectDone(await create({ name: "Unnoted", role: "viewer" }), 201);
    await api.database.faults({ kind: "sqlstate", code: "42501", sql: "into api_key_uses" });
    expect((await meWith(key)).status).toBe(200);
    expect((await listed(id)).lastUsedAt).toBeNull();
    await api.database.clearFaults();
  });
});

describe("Rotating an API key", () => {
  const rotate = (id: string, body: object = {}, options: CallOptions = {}) =>
    api.call<Rotated>("POST", `/api-keys/${id}/rotate`, { body, ...options });

  it("returns a key with the same name and role, and the old one works during the overlap", async () => {
    const old = expectDone(await create({ name: "Grid", role: "operator" }), 201);
    const answer = await rotate(old.id, { overlapSeconds: 3600 });
    const fresh = expectDone(answer, 201);
    expect(answer.headers.get("location")).toBe(`/v1/api-keys/${fresh.id}`);
    expect(fresh).toMatchObject({
      name: "Grid",
      role: "operator",
      kind: "machine",
      replaces: old.id,
      expiresAt: null,
    });
    expect(fresh.key).not.toBe(old.key);
    const overlapMs = Date.parse(fresh.overlapUntil) - Date.now();
    expect(Math.abs(overlapMs - 3_600_000)).toBeLessThan(60_000);
    for (const key of [old.key, fresh.key]) expect((await meWith(key)).status).toBe(200);
    const { data } = expectDone(await api.call<KeyPage>("GET", "/api-keys?limit=200"));
    expect(data.find(({ id }) => id === old.id)?.expiresAt).toBe(fresh.overlapUntil);
  });

  it("gives the new key the lifetime of the old one, unless told otherwise", async () => {
    const expiresAt = new Date(Date.now() + 7_200_000).toISOString();
    const old = expectDone(await create({ name: "Two hours", role: "viewer", expiresAt }), 201);
    const same = expectDone(await rotate(old.id), 201);
    expect(Math.abs(Date.parse(same.expiresAt ?? "") - Date.parse(expiresAt))).toBeLessThan(60_000);
    const never = expectDone(await rotate(old.id, { expiresAt: null }), 201);
    expect(never.expiresAt).toBeNull();
  });

  it("never moves the end of the old key to a later time", async () => {
    const old = expectDone(await create({ name: "Twice rotated", role: "viewer" }), 201);
    const first = expectDone(await rotate(old.id, { overlapSeconds: 600 }), 201);
    const second = expectDone(await rotate(old.id, { overlapSeconds: 86_400 }), 201);
    expect(second.overlapUntil).toBe(first.overlapUntil);
  });

  it("shows the key once, and a caller that lost the answer can rotate again", async () => {
    const old = expectDone(await create({ name: "Lost", role: "viewer" }), 201);
    const first = expectDone(await rotate(old.id, {}, { idempotencyKey: "rotate-1" }), 201);
    const repeat = await rotate(old.id, {}, { idempotencyKey: "rotate-1" });
    expect(repeat.headers.get("idempotency-replayed")).toBe("true");
    expect(expectDone(repeat, 201)).toEqual({ ...first, key: null });
    const again = expectDone(await rotate(old.id, {}, { idempotencyKey: "rotate-2" }), 201);
    for (const key of [old.key, first.key, again.key]) expect((await meWith(key)).status).toBe(200);
  });

  it("gives every successor the lifetime that the key was created with, however often it is rotated", async () => {
    const forever = expectDone(await create({ name: "Forever", role: "viewer" }), 201);
    for (let count = 0; count < 3; count += 1) {
      expect(expectDone(await rotate(forever.id), 201).expiresAt).toBeNull();
    }
    const inDays = new Date(Date.now() + 90 * 86_400_000).toISOString();
    const body = { name: "A quarter", role: "viewer", expiresAt: inDays };
    const quarter = expectDone(await create(body), 201);
    for (let count = 0; count < 3; count += 1) {
      const { expiresAt } = expectDone(await rotate(quarter.id, { overlapSeconds: 300 }), 201);
      expect(Math.abs(Date.parse(expiresAt ?? "") - Date.parse(inDays))).toBeLessThan(60_000);
    }
    // A successor that is rotated in turn has its own lifetime.
    const successor = expectDone(await rotate(forever.id), 201);
    const next = expectDone(await rotate(successor.id), 201);
    expect(next.expiresAt).toBeNull();
  });

  it("keeps the end that the first answer promised, also if two rotate at once", async () => {
    const old = expectDone(await create({ name: "Promised", role: "viewer" }), 201);
    const answers = await Promise.all(
      [86_400, 300, 3600].map((overlapSeconds) => rotate(old.id, { overlapSeconds })),
    );
    const rotated = answers.map((answer) => expectDone(answer, 201));
    expect(new Set(rotated.map(({ overlapUntil }) => overlapUntil)).size).toBe(1);
    for (const { key } of [old, ...rotated]) expect((await meWith(key)).status).toBe(200);
    const { data } = expectDone(await api.call<KeyPage>("GET", "/api-keys?limit=200"));
    expect(data.find(({ id }) => id === old.id)?.expiresAt).toBe(rotated[0]?.overlapUntil);
  });

  it("returns the key if the response of the database is lost after the commit", async () => {
    const old = expectDone(await create({ name: "Cut rotation", role: "viewer" }), 201);
    await api.database.faults({ kind: "cut-after-commit", sql: "into api_keys" });
    const fresh = expectDone(await rotate(old.id), 201);
    expect((await meWith(fresh.key)).status).toBe(200);
  });

  it("refuses a key that has ended, and does not know another tenant's", async () => {
    const old = expectDone(await create({ name: "Ended", role: "viewer" }), 201);
    await api.call("DELETE", `/api-keys/${old.id}`);
    expectProblem(await rotate(old.id), "key_ended", 409);
    const expired = expectDone(await create({ name: "Expired", role: "viewer" }), 201);
    await endNow(expired.id);
    expectProblem(await rotate(expired.id), "key_ended", 409);
    const theirs = expectDone(
      await create({ name: "Theirs", role: "viewer" }, { tenant: api.otherTenant }),
      201,
    );
    expectProblem(await rotate(theirs.id), "not_found", 404);
  });

  it.each([299, 2_592_001, 3600.5])("refuses an overlap of %s seconds", async (overlapSeconds) => {
    const { id } = expectDone(await create({ name: "Overlap", role: "viewer" }), 201);
    expectProblem(await rotate(id, { overlapSeconds }), "validation_failed", 400);
  });
});

describe("The last admin key", () => {
  /** A tenant whose only admin key is its first one. */
  const firstAdmin = async () => {
    const tenant = await api.givenTenant();
    const { data } = expectDone(await api.call<KeyPage>("GET", "/api-keys", { tenant }));
    const admin = data.find(({ role }) => role === "admin") ?? expect.fail("there is no admin key");
    const createAdmin = async (expiresAt: string | null = null) => {
      const body = { name: "Another admin", role: "admin", expiresAt };
      return expectDone(await create(body, { tenant }), 201);
    };
    const revoke = (id: string) => api.call("DELETE", `/api-keys/${id}`, { tenant });
    const rotate = (id: string, body: object) =>
      api.call<Rotated>("POST", `/api-keys/${id}/rotate`, { tenant, body });
    return { admin, createAdmin, revoke, rotate };
  };
  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();

  it("cannot be revoked", async () => {
    const { admin, createAdmin, revoke } = await firstAdmin();
    expectProblem(await revoke(admin.id), "last_admin_key", 409);
    const second = await createAdmin();
    expectDone(await revoke(second.id));
    expectProblem(await revoke(admin.id), "last_admin_key", 409);
  });

  it("cannot be revoked while the other admin keys end earlier", async () => {
    const { admin, createAdmin, revoke } = await firstAdmin();
    const short = await createAdmin(inDays(1));
    expectProblem(await revoke(admin.id), "last_admin_key", 409);
    const long = await createAdmin(inDays(30));
    expectDone(await revoke(short.id));
    expectProblem(await revoke(admin.id), "last_admin_key", 409);
    await createAdmin();
    expectDone(await revoke(long.id));
    expectDone(await revoke(admin.id));
  });

  it("can be rotated, and then its successor is the last one", async () => {
    const { admin, revoke, rotate } = await firstAdmin();
    const endsSoon = { expiresAt: inDays(1) };
    expectProblem(await rotate(admin.id, endsSoon), "last_admin_key", 409);
    const successor = expectDone(await rotate(admin.id, {}), 201);
    expectProblem(await revoke(successor.id), "last_admin_key", 409);
    expectDone(await revoke(admin.id));
  });
});

describe("A tenant's working keys", () => {
  it("are at most 100, but each of them can still be rotated", async () => {
    const tenant = await api.givenTenant();
    const own = Object.keys(tenant.keys).length;
    await api.database.transaction("owner", [
      {
        text: `insert into api_keys (tenant_id, id, name, role, digest, last_four, created_by, expires_at, revoked_at)
          select $1, gen_random_uuid(), 'Key ' || n, 'viewer', sha256(convert_to('capped ' || n, 'UTF8')), '0000', 'setup',
            case when n = 1 then now() - interval '1 day' end, case when n = 2 then now() end
          from generate_series(1, $2::integer) n`,
        values: [tenant.id, 100 - own + 2 - 1],
      },
      ...importedState(tenant.id),
    ]);
    const last = expectDone(await create({ name: "The last", role: "viewer" }, { tenant }), 201);
    const refused = await create({ name: "One too many", role: "viewer" }, { tenant });
    expect(expectProblem(refused, "too_many_keys", 409)["max"]).toBe(100);
    const rotated = await api.call("POST", `/api-keys/${last.id}/rotate`, { tenant, body: {} });
    expectDone(rotated, 201);
    // With those that a rotation has replaced, up to 200 keys work.
    await api.database.transaction("owner", [
      {
        text: `insert into api_keys (tenant_id, id, name, role, digest, last_four, created_by)
          select $1, gen_random_uuid(), 'Replaced ' || n, 'viewer', sha256(convert_to('replaced ' || n, 'UTF8')),
            '0000', 'setup'
          from generate_series(1, 99) n`,
        values: [tenant.id],
      },
      ...importedState(tenant.id),
    ]);
    const again = await api.call("POST", `/api-keys/${last.id}/rotate`, { tenant, body: {} });
    expect(expectProblem(again, "too_many_keys", 409)["max"]).toBe(200);
    expectDone(await api.call("DELETE", `/api-keys/${last.id}`, { tenant }));
    expectProblem(
      await create({ name: "Still", role: "viewer" }, { tenant }),
      "too_many_keys",
      409,
    );
  });
});

/** Moves the end of a key to now. */
async function endNow(id: string): Promise<void> {
  await api.database.query("owner", "update api_keys set expires_at = now() where id = $1", [id]);
}
