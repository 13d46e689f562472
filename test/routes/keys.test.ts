import { beforeAll, describe, expect, it } from "vitest";
import type { CreatedKey } from "../../src/actions/keys/create-key.ts";
import type { ApiKeyRecord } from "../../src/db/tenants/api-keys.ts";
import { ROLES } from "../../src/domain/actor.ts";
import {
  type CallOptions,
  expectDone,
  expectProblem,
  freshApi,
  type TestApi,
} from "../support/api.ts";

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
      tenant: { id: api.tenant.id, name: "First tenant" },
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
      "id",
      "lastFour",
      "name",
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
