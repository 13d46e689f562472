import { importJWK, SignJWT } from "jose";
import { describe, expect, inject, test, vi } from "vitest";
import { DatabaseUnavailable } from "../../src/db/connection/faults.ts";
import { mintKey } from "../../src/actions/keys/mint-key.ts";
import { KEY_CACHE_SECONDS, WRONG_KEY_SECONDS } from "../../src/routes/http/auth-api-key.ts";
import type { SignedIn } from "../../src/actions/people/sign-in.ts";
import { addressOf, type AuthFailure } from "../../src/routes/http/principal.ts";
import { rawToken, signToken, type TokenOptions } from "../support/tokens.ts";
import { keyOf, NOW, OTHER_TENANT, problemOf, SETTINGS, TENANT, testApp } from "./support.ts";

const PATH = "/v1/things/ext:a";
const bearer = (credential: string) => ({
  role: null,
  headers: { authorization: `Bearer ${credential}` },
});

const INVALID_TOKEN =
  'Bearer error="invalid_token", error_description="The API key or token is not valid"';

/** Of a key that does not expire, and whose use was noted. */
const LASTING = {
  personId: null,
  tenantKind: "customer",
  expiresAt: null,
  isUseDue: false,
} as const;

interface Seen {
  tenantId: string;
  actor: object;
}

describe("an API key", () => {
  test("identifies the tenant, the actor and the role", async () => {
    const response = await testApp().send("GET", PATH, { role: "reviewer" });
    expect(await response.json()).toMatchObject({
      tenantId: TENANT,
      actor: { id: "key-of-reviewer", name: "The reviewer", kind: "key", role: "reviewer" },
    });
  });

  test("with the service role acts as a service", async () => {
    const response = await testApp().send("GET", PATH, { role: "service" });
    expect(await response.json()).toMatchObject({ actor: { kind: "service", role: "service" } });
  });

  test("costs one round trip on a cold isolate and none while it is cached", async () => {
    const { send, keys } = testApp();
    const timings = [await send("GET", PATH), await send("GET", PATH)].map((response) =>
      response.headers.get("server-timing"),
    );
    expect(timings[0]).toContain('desc="1 round trip"');
    expect(timings[1]).toContain('desc="0 round trips"');
    expect(keys.lookups).toBe(1);
  });

  test("is looked up once if many calls with it arrive at a cold isolate", async () => {
    const found = { count: 0 };
    const digest = new Uint8Array(
      await crypto.subtle.digest("SHA-256", new TextEncoder().encode(keyOf("operator"))),
    );
    const { send } = testApp({
      settings: { guessLimiter: limiter(1) },
      findApiKey: async () => {
        found.count += 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
        return { id: "slow", name: "Slow", role: "operator", digest, ...LASTING };
      },
    });
    const calls = Array.from({ length: 50 }, async () => (await send("GET", PATH)).status);
    expect(new Set(await Promise.all(calls))).toEqual(new Set([200]));
    expect(found.count).toBe(1);
  });

  test("is rejected at most 30 seconds after it was revoked", async () => {
    let now = NOW;
    const { send, keys } = testApp({ now: () => now });
    expect((await send("GET", PATH)).status).toBe(200);
    keys.revoke("operator");
    now = new Date(NOW.getTime() + KEY_CACHE_SECONDS * 1000 - 1);
    expect((await send("GET", PATH)).status).toBe(200);
    now = new Date(NOW.getTime() + KEY_CACHE_SECONDS * 1000);
    expect((await send("GET", PATH)).status).toBe(401);
    expect(KEY_CACHE_SECONDS).toBeLessThanOrEqual(30);
  });

  test("that is wrong is looked up once in ten seconds, however often it is sent", async () => {
    let now = NOW;
    const { send, keys } = testApp({ now: () => now });
    const wrong = bearer(`${keyOf("operator")}x`);
    for (let call = 0; call < 5; call += 1) {
      expect((await send("GET", PATH, wrong)).status).toBe(401);
    }
    expect(keys.lookups).toBe(1);
    now = new Date(NOW.getTime() + WRONG_KEY_SECONDS * 1000);
    expect((await send("GET", PATH, wrong)).status).toBe(401);
    expect(keys.lookups).toBe(2);
    expect(WRONG_KEY_SECONDS).toBeLessThanOrEqual(10);
  });

  test("is rejected if the store returns a key with another digest", async () => {
    const digest = new Uint8Array(32);
    const key = {
      id: "k",
      name: "k",
      role: "admin",
      digest,
      personId: null,
      tenantKind: "customer",
      expiresAt: null,
      isUseDue: false,
    } as const;
    for (const found of [key, { ...key, digest: new Uint8Array() }]) {
      const { send } = testApp({ findApiKey: async () => found });
      expect((await send("GET", PATH)).status).toBe(401);
    }
  });

  test("of one tenant is rejected by another", async () => {
    const { send } = testApp();
    expect((await send("GET", PATH, bearer(keyOf("admin", OTHER_TENANT)))).status).toBe(401);
  });

  test("returns 503, not 401, if the key store is unavailable", async () => {
    const findApiKey = async () => {
      throw new DatabaseUnavailable("away");
    };
    expect((await testApp({ findApiKey }).send("GET", PATH)).status).toBe(503);
  });
});

describe("a token", () => {
  const { issuer, audience, jwksUrl } = inject("stack");
  const tokenIssuer = { issuer, audience, jwksUrl, tenantClaim: "tenant_id", roleClaim: "role" };
  const claims = { sub: "person-1", name: "Ada", tenant_id: TENANT, role: "reviewer" };
  const app = testApp({ settings: { tokenIssuer }, now: () => new Date() });
  const sendToken = async (options: Partial<TokenOptions>) =>
    app.send("GET", PATH, bearer(await signToken({ claims, ...options })));

  test.each(["RS256", "ES256", "EdDSA"] as const)(
    "signed with %s identifies a person",
    async (algorithm) => {
      const response = await sendToken({ algorithm });
      expect(await response.json<Seen>()).toMatchObject({
        tenantId: TENANT,
        actor: { id: "person-1", name: "Ada", kind: "person", role: "reviewer" },
      });
    },
  );

  test("with the service role acts as a service, named by its subject if it has no name", async () => {
    const response = await sendToken({
      claims: { sub: "bot", tenant_id: TENANT, role: "service" },
    });
    const actor = { id: "bot", name: "bot", kind: "service", role: "service" };
    expect(await response.json<Seen>()).toMatchObject({ actor });
  });

  test("of an unknown tenant is rejected, and who a subject is stays cached for 30 seconds", async () => {
    let now = new Date();
    let lookups = 0;
    let exists = false;
    const signIn = async (): Promise<SignedIn> => {
      lookups += 1;
      return exists
        ? { ok: true, person: null, tenantKind: "customer" }
        : { ok: false, reason: "token_tenant_unknown" };
    };
    const { send } = testApp({ settings: { tokenIssuer }, now: () => now, signIn });
    const token = bearer(await signToken({ claims }));
    expect((await send("GET", PATH, token)).status).toBe(401);
    exists = true;
    expect((await send("GET", PATH, token)).status).toBe(200);
    expect((await send("GET", PATH, token)).status).toBe(200);
    expect(lookups).toBe(2);
    now = new Date(now.getTime() + KEY_CACHE_SECONDS * 1000);
    exists = false;
    expect((await send("GET", PATH, token)).status).toBe(401);
    expect(lookups).toBe(3);
  });

  test("reads the tenant and the role from the configured claims", async () => {
    const renamed = { ...tokenIssuer, tenantClaim: "org", roleClaim: "grade" };
    const { send } = testApp({ settings: { tokenIssuer: renamed }, now: () => new Date() });
    const token = await signToken({ claims: { sub: "p", org: TENANT, grade: "viewer" } });
    expect((await send("GET", PATH, bearer(token))).status).toBe(200);
  });

  test.each<[string, AuthFailure, Partial<TokenOptions>]>([
    ["expired", "token_expired", { expires: "-1s" }],
    ["without an expiry", "token_without_expiry", { expires: null }],
    ["not valid yet", "token_not_yet_valid", { claims: { ...claims, nbf: 4_000_000_000 } }],
    ["signed with another key under a published kid", "token_signature", { isForged: true }],
    ["with an unpublished kid", "token_key_unknown", { header: { kid: "elsewhere" } }],
    ["with another audience", "token_audience", { claims: { ...claims, aud: "somebody-else" } }],
    ["of another issuer", "token_issuer", { claims: { ...claims, iss: "https://evil.test" } }],
    ["without a subject", "token_subject", { claims: { ...claims, sub: "" } }],
    ["without a tenant", "token_tenant_claim", { claims: { sub: "p", role: "admin" } }],
    [
      "with a tenant that is not an ID",
      "token_tenant_claim",
      { claims: { ...claims, tenant_id: "mine" } },
    ],
    ["with an unknown role", "token_role_claim", { claims: { ...claims, role: "root" } }],
    ["with a list of unknown roles", "token_role_claim", { claims: { ...claims, role: ["root"] } }],
    [
      "with control characters in its subject",
      "token_subject",
      { claims: { ...claims, sub: "a\r\nb" } },
    ],
    [
      "with invisible characters in its subject",
      "token_subject",
      { claims: { ...claims, sub: "person\u200b-1" } },
    ],
    [
      "whose header points to other keys",
      "token_signature",
      { isForged: true, header: { jku: `${jwksUrl}?evil` } },
    ],
  ])("%s is rejected, and only the log says why", async (_name, reason, options) => {
    app.log.length = 0;
    const response = await sendToken(options);
    expect(response.status).toBe(401);
    expect(app.log).toMatchObject([{ error: "unauthenticated", authFailure: reason }]);
    const said = `${await response.text()}${response.headers.get("www-authenticate")}`;
    expect(said).not.toContain(reason);
    expect(JSON.stringify(app.log)).not.toContain("person");
  });

  test.each(["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", undefined])(
    "of the type %s is accepted",
    async (typ) => {
      expect((await sendToken({ header: typ === undefined ? {} : { typ } })).status).toBe(200);
    },
  );

  test.each(["logout+jwt", "secevent+jwt", "dpop+jwt", "JWT ", "", "text/jwt"])(
    "of the type '%s' is rejected, although its issuer signed it",
    async (typ) => {
      app.log.length = 0;
      expect((await sendToken({ header: { typ } })).status).toBe(401);
      expect(app.log).toMatchObject([{ authFailure: "token_type" }]);
    },
  );

  test("may have a subject of 255 characters, the most that OpenID Connect allows", async () => {
    const sub = "s".repeat(255);
    expect((await sendToken({ claims: { ...claims, sub } })).status).toBe(200);
    expect((await sendToken({ claims: { ...claims, sub: `${sub}s` } })).status).toBe(401);
  });

  test("without a signature, or signed with the public key as an HMAC secret, is rejected", async () => {
    const { keys } = inject("stack");
    const exp = Math.floor(Date.now() / 1000) + 300;
    const honest = { iss: issuer, aud: audience, exp, ...claims };
    const kid = keys.publicRS256.kid;
    const none = rawToken({ alg: "none", kid }, honest);
    const secret = new TextEncoder().encode(JSON.stringify(keys.publicRS256));
    const hmac = await new SignJWT(honest)
      .setProtectedHeader({ alg: "HS256", ...(kid !== undefined && { kid }) })
      .sign(secret);
    for (const token of [none, `${none}x`, hmac, "a.b.c", "..", "e30.e30."]) {
      expect((await app.send("GET", PATH, bearer(token))).status).toBe(401);
    }
  });

  test("signed with a published key but a disallowed algorithm is rejected", async () => {
    const { alg: _, ...key } = inject("stack").keys.RS256;
    const { alg: __, ...published } = inject("stack").keys.publicRS256;
    const fetched = vi
      .spyOn(globalThis, "fetch")
      .mockImplementation(async () => Response.json({ keys: [published] }));
    const sign = async (alg: string) =>
      new SignJWT({ iss: issuer, aud: audience, ...claims })
        .setProtectedHeader({ alg, ...(key.kid !== undefined && { kid: key.kid }) })
        .setExpirationTime("5m")
        .sign(await importJWK(key, alg));
    const { send } = testApp({ settings: { tokenIssuer }, now: () => new Date() });
    expect((await send("GET", PATH, bearer(await sign("RS256")))).status).toBe(200);
    expect((await send("GET", PATH, bearer(await sign("PS256")))).status).toBe(401);
    fetched.mockRestore();
  });

  test("is rejected if no issuer is configured", async () => {
    const token = await signToken({ claims });
    expect((await testApp().send("GET", PATH, bearer(token))).status).toBe(401);
  });

  test("returns 503, not 401, if the issuer cannot be reached", async () => {
    const unreachable = { ...tokenIssuer, jwksUrl: `${jwksUrl}-that-is-not-there` };
    const { send, log } = testApp({
      settings: { tokenIssuer: unreachable },
      now: () => new Date(),
    });
    expect((await send("GET", PATH, bearer(await signToken({ claims })))).status).toBe(503);
    expect(log).toMatchObject([{ error: "unavailable", authFailure: "issuer_unreachable" }]);
  });
});

describe("an invalid credential", () => {
  const good = keyOf("operator");
  const credentials: [string, Record<string, string>][] = [
    ["no credential", {}],
    ["an empty credential", { authorization: "" }],
    ["another scheme", { authorization: `Basic ${good}` }],
    ["no scheme", { authorization: good }],
    ["two credentials", { authorization: `Bearer ${good} Bearer ${good}` }],
    ["a key in another header", { "x-api-key": good }],
    ["a cookie", { cookie: `session=${good}` }],
    ["a key with one byte changed", { authorization: `Bearer ${good.slice(0, -1)}x` }],
    ["a shorter key", { authorization: `Bearer ${good.slice(0, -1)}` }],
    ["a key without a secret", { authorization: `Bearer ${good.slice(0, 37)}` }],
    ["a key without a tenant", { authorization: "Bearer slg_nothing_secret" }],
    ["a key in capitals", { authorization: `Bearer ${good.toUpperCase()}` }],
    ["a very long credential", { authorization: `Bearer ${"a".repeat(9000)}` }],
    ["a token without claims", { authorization: "Bearer e30.e30.e30" }],
  ];

  test("gets the same response, byte for byte, whatever is wrong with it", async () => {
    const { send } = testApp();
    const answers = new Set<string>();
    for (const [description, headers] of credentials) {
      const sent = { ...headers, "x-request-id": "same" };
      const response = await send("GET", PATH, { role: null, headers: sent });
      expect(response.status).toBe(401);
      const isBearer = /^bearer/i.test(headers["authorization"] ?? "");
      const challenge = isBearer ? INVALID_TOKEN : "Bearer";
      expect(response.headers.get("www-authenticate"), description).toBe(challenge);
      answers.add(await response.text());
    }
    expect(answers.size).toBe(1);
    expect([...answers][0]).toContain('"error":"unauthenticated"');
  });

  test.each([
    ["credential_missing", {}],
    ["credential_missing", { authorization: `Basic ${good}` }],
    ["credential_malformed", { authorization: "Bearer" }],
    ["credential_malformed", { authorization: `Bearer ${good} ${good}` }],
    ["key_malformed", { authorization: "Bearer slg_nothing_secret" }],
    ["key_unknown", { authorization: `Bearer ${good}x` }],
    ["token_not_accepted", { authorization: "Bearer a.b.c" }],
  ] satisfies [AuthFailure, Record<string, string>][])(
    "is logged as %s, without the credential",
    async (reason, headers) => {
      const { send, log } = testApp();
      await send("GET", PATH, { role: null, headers });
      expect(log).toMatchObject([{ authFailure: reason }]);
      expect(JSON.stringify(log)).not.toContain("secret");
    },
  );

  test("does not include a valid key after a lowercase scheme", async () => {
    const headers = { authorization: `bearer ${good}` };
    expect((await testApp().send("GET", PATH, { role: null, headers })).status).toBe(200);
  });
});

/** A limiter that lets the first `max` calls of each bucket through. */
function limiter(max: number) {
  const counts = new Map<string, number>();
  const limit = async ({ key }: { key: string }) => {
    counts.set(key, (counts.get(key) ?? 0) + 1);
    return { success: (counts.get(key) ?? 0) <= max };
  };
  return { limit, buckets: () => [...counts.keys()] };
}

describe("a flood of guesses", () => {
  const MAX = 5;
  const from = (address: string, credential: string) => ({
    role: null,
    headers: { authorization: `Bearer ${credential}`, "cf-connecting-ip": address },
  });
  const guess = (index: number) => `${keyOf("operator")}${index}`;

  /** An app whose guesses are limited, in the middle of a flood from one address. */
  async function floodedApp(more: Parameters<typeof testApp>[0] = {}) {
    const guessLimiter = limiter(MAX);
    const app = testApp({
      ...more,
      settings: { rateLimiter: limiter(1000), guessLimiter, ...more?.settings },
    });
    const flood = async () => {
      const guesses = Array.from({ length: 50 }, (_, index) =>
        app.send("GET", PATH, from("192.0.2.1", guess(index))),
      );
      return (await Promise.all(guesses)).map(({ status }) => status);
    };
    return { ...app, flood };
  }

  test("asks the limiter before the store, so it costs few lookups", async () => {
    const { flood, keys } = await floodedApp();
    const statuses = await flood();
    expect(statuses.filter((status) => status === 401)).toHaveLength(MAX);
    expect(statuses.filter((status) => status === 429)).toHaveLength(50 - MAX);
    expect(keys.lookups).toBe(MAX);
    await flood();
    expect(keys.lookups).toBe(MAX);
  });

  test("does not lock out other addresses", async () => {
    const { flood, send } = await floodedApp();
    await flood();
    expect((await send("GET", PATH, from("192.0.2.2", keyOf("viewer")))).status).toBe(200);
  });

  test("does not lock out a key that was valid before, after the cache has forgotten it", async () => {
    let now = NOW;
    const { flood, send, keys } = await floodedApp({ now: () => now });
    expect((await send("GET", PATH, from("192.0.2.1", keyOf("viewer")))).status).toBe(200);
    await flood();
    now = new Date(NOW.getTime() + KEY_CACHE_SECONDS * 1000);
    const before = keys.lookups;
    expect((await send("GET", PATH, from("192.0.2.1", keyOf("viewer")))).status).toBe(200);
    expect(keys.lookups).toBe(before + 1);
  });

  test("does not lock out an issued key that this isolate never saw", async () => {
    const issued = mintKey(TENANT, SETTINGS.signingSecret);
    const bytes = new TextEncoder().encode(issued);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const { flood, send } = await floodedApp({
      findApiKey: async (_, wanted) =>
        wanted.join() === digest.join()
          ? { id: "issued", name: "Issued", role: "admin", digest, ...LASTING }
          : null,
    });
    await flood();
    expect((await send("GET", PATH, from("192.0.2.1", issued))).status).toBe(200);
    // The proof of another tenant, or of another secret, is no proof.
    const others = [
      mintKey(TENANT, "another secret of thirty-two chars"),
      mintKey(TENANT, null),
      mintKey(OTHER_TENANT, SETTINGS.signingSecret).replace(
        OTHER_TENANT.replaceAll("-", ""),
        TENANT.replaceAll("-", ""),
      ),
      issued.slice(0, -1),
      `${issued}A`,
    ];
    for (const other of others) {
      expect((await send("GET", PATH, from("192.0.2.1", other))).status).toBe(429);
    }
  });

  test("with one issued but revoked key costs one lookup", async () => {
    const revoked = mintKey(TENANT, SETTINGS.signingSecret);
    let lookups = 0;
    const { send } = await floodedApp({
      findApiKey: async () => {
        lookups += 1;
        return null;
      },
    });
    for (let call = 0; call < 50; call += 1) {
      expect((await send("GET", PATH, from("192.0.2.1", revoked))).status).toBe(401);
    }
    expect(lookups).toBe(1);
  });

  test("is let through by a limiter that fails", async () => {
    const failing = { limit: () => Promise.reject(new Error("The limiter is away")) };
    const settings = { rateLimiter: failing, guessLimiter: failing };
    const { send } = testApp({ settings });
    expect((await send("GET", PATH)).status).toBe(200);
    expect((await send("GET", PATH, bearer(guess(1)))).status).toBe(401);
  });

  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:DB8:1:2::6", "2001:db8:1:2"],
    ["2001:db8::6", "2001:db8:0:0"],
    ["::1", "0:0:0:0"],
  ])("from %s counts for %s", (address, bucket) => {
    expect(addressOf(new Headers({ "cf-connecting-ip": address }))).toBe(bucket);
  });
});

describe("the rate limit", () => {
  test("counts each key separately and returns Retry-After", async () => {
    const { send } = testApp({ settings: { rateLimiter: limiter(2) } });
    const statuses = [];
    for (let call = 0; call < 3; call += 1) statuses.push((await send("GET", PATH)).status);
    expect(statuses).toEqual([200, 200, 429]);
    const limited = await send("GET", PATH);
    expect(limited.headers.get("retry-after")).toBe("60");
    expect(await problemOf(limited)).toMatchObject({ error: "rate_limited", retry: "same" });
    expect((await send("GET", PATH, { role: "admin" })).status).toBe(200);
  });

  test("counts failed guesses in a separate bucket for each address", async () => {
    const rateLimiter = limiter(2);
    const { send } = testApp({ settings: { rateLimiter } });
    const guess = async (address: string) => {
      const headers = { authorization: "Bearer slg_guess", "cf-connecting-ip": address };
      return (await send("GET", PATH, { role: null, headers })).status;
    };
    const statuses = [];
    for (let call = 0; call < 4; call += 1) statuses.push(await guess("192.0.2.1"));
    expect(statuses).toEqual([401, 401, 429, 429]);
    expect(await guess("192.0.2.2")).toBe(401);
    expect((await send("GET", PATH)).status).toBe(200);
    expect(rateLimiter.buckets()).not.toContain(expect.stringContaining("slg_"));
  });

  test("does not apply to routes that need no credential", async () => {
    const { send } = testApp({ settings: { rateLimiter: limiter(0) } });
    expect((await send("GET", "/openapi.json", { role: null })).status).toBe(200);
  });
});
