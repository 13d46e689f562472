import { beforeAll, describe, expect, it } from "vitest";
import type { CreatedKey } from "../../../src/actions/keys/create-key.ts";
import type { ApiKeyRecord } from "../../../src/db/tenants/api-keys.ts";
import { ROLES } from "../../../src/domain/actor.ts";
import {
  type CallOptions,
  expectDone,
  expectProblem,
  freshApi,
  type TestApi,
} from "../../support/api.ts";

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

const make = (body: object, options: CallOptions = {}) =>
  api.call<CreatedKey>("POST", "/api-keys", { body, ...options });
const meWith = (bearer: string | null) => api.call<Me>("GET", "/me", { bearer });

describe("Making a key", () => {
  it.each(ROLES)("gives a key of the role %s that works at once", async (role) => {
    const answer = await make({ name: `A ${role}`, role });
    const made = expectDone(answer, 201);
    const tenantDigits = api.tenant.id.replaceAll("-", "");
    expect(made.key).toMatch(new RegExp(`^slg_${tenantDigits}_[A-Za-z0-9_-]{43}$`));
    expect(made).toMatchObject({
      name: `A ${role}`,
      role,
      lastFour: made.key?.slice(-4),
      revokedAt: null,
    });
    expect(answer.headers.get("location")).toBe(`/v1/api-keys/${made.id}`);
    const me = expectDone(await meWith(made.key));
    expect(me).toEqual({
      tenant: { id: api.tenant.id, name: "First tenant" },
      actor: {
        id: made.id,
        name: `A ${role}`,
        kind: role === "service" ? "service" : "key",
        role,
      },
    });
  });

  it("keeps the digest alone: the key stands in no table", async () => {
    const made = expectDone(await make({ name: "Secret", role: "viewer" }), 201);
    const secret = made.key?.split("_").slice(2).join("_") ?? "";
    const stored = await api.database.query(
      "owner",
      "select row_to_json(k)::text as text from api_keys k union all select row_to_json(o)::text from operations o",
    );
    expect(stored.length).toBeGreaterThan(1);
    for (const { text } of stored) expect(text).not.toContain(secret);
  });

  it("tells a repeat which key it was, but not the key", async () => {
    const body = { name: "Repeated", role: "viewer" };
    const first = expectDone(await make(body, { idempotencyKey: "key-1" }), 201);
    const repeat = await make(body, { idempotencyKey: "key-1" });
    expect(repeat.headers.get("idempotency-replayed")).toBe("true");
    expect(expectDone(repeat, 201)).toEqual({ ...first, key: null });
    const other = await make({ name: "Other", role: "viewer" }, { idempotencyKey: "key-1" });
    expectProblem(other, "idempotency_key_reused", 422);
  });

  it("still shows the key when its own first try was cut off after the commit", async () => {
    await api.database.faults({ kind: "cut-after-commit", sql: "insert into api_keys" });
    const made = expectDone(await make({ name: "Cut", role: "viewer" }), 201);
    expect((await meWith(made.key)).status).toBe(200);
    const rows = await api.database.query("owner", "select id from api_keys where name = 'Cut'");
    expect(rows).toEqual([{ id: made.id }]);
  });

  it.each(["viewer", "operator", "reviewer", "service"] as const)(
    "is not for the role %s",
    async (as) => {
      const answer = await make({ name: "No", role: "viewer" }, { as });
      expect(expectProblem(answer, "forbidden", 403)["required"]).toBe("admin");
      expectProblem(await api.call("GET", "/api-keys", { as }), "forbidden", 403);
    },
  );

  it("refuses a role that there is not", async () => {
    expectProblem(await make({ name: "No", role: "owner" }), "validation_failed", 400);
  });
});

describe("Listing keys", () => {
  it("shows the tenant's own, newest first and page by page, without anything secret", async () => {
    await make({ name: "Older", role: "viewer" });
    await make({ name: "Newer", role: "viewer" });
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
    expect(await api.roundTripsOf(() => make({ name: "Counted", role: "viewer" }))).toBe(1);
  });
});

describe("Revoking a key", () => {
  const revoke = (id: string, options: CallOptions = {}) =>
    api.call<ApiKeyRecord & { effectiveWithinSeconds: number }>(
      "DELETE",
      `/api-keys/${id}`,
      options,
    );

  it("ends it, and says how long a warm isolate may still take it", async () => {
    const made = expectDone(await make({ name: "Short-lived", role: "viewer" }), 201);
    const revoked = expectDone(await revoke(made.id));
    expect(revoked).toMatchObject({ id: made.id, effectiveWithinSeconds: 30 });
    expect(revoked.revokedAt).not.toBeNull();
    // Never used before, so no isolate remembers it.
    expectProblem(await meWith(made.key), "unauthenticated", 401);
  });

  it("is done once: the first time stands", async () => {
    const { id } = expectDone(await make({ name: "Twice", role: "viewer" }), 201);
    const first = expectDone(await revoke(id));
    const second = expectDone(await revoke(id));
    expect(second).toEqual(first);
  });

  it("finds no key of another tenant, and says so as for an unknown one", async () => {
    const theirs = expectDone(
      await make({ name: "Theirs", role: "viewer" }, { tenant: api.otherTenant }),
      201,
    );
    const headers = { "x-request-id": "same" };
    const unknown = await revoke(crypto.randomUUID(), { headers });
    expectProblem(unknown, "not_found", 404);
    const other = await revoke(theirs.id, { headers });
    expect(other.text).toBe(unknown.text);
    expect((await meWith(theirs.key)).status).toBe(200);
  });

  it("leaves no operation behind where there was nothing to revoke", async () => {
    await revoke("0193aaaa-0000-7000-8000-00000000dead");
    const left = await api.database.query(
      "owner",
      "select id from operations where route = 'revokeApiKey' and result is null",
    );
    expect(left).toEqual([]);
  });
});
