import { SignJWT } from "jose";
import { beforeAll, describe, expect, inject, it, test } from "vitest";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import { expectDone, freshApi, type TestApi } from "../support/api.ts";
import { contentsOf } from "../support/contents.ts";
import { rawToken, signToken } from "../support/tokens.ts";
import { type Expected, expectProblem, expectRefused, logged, send } from "./support.ts";

const LIMIT = 600;
const limiter = countingLimiter(LIMIT);

let api: TestApi;
beforeAll(async () => {
  api = await freshApi({ RATE_LIMITER: limiter });
});

/** Like the platform's limiter, allows `limit` calls per bucket and period. The test ends the period. */
function countingLimiter(limit: number) {
  const counts = new Map<string, number>();
  return {
    limit: async ({ key }: { key: string }) => {
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      return { success: count <= limit };
    },
    endPeriod: () => counts.clear(),
  };
}

const NOT_FOUND: Expected = { status: 404, error: "not_found" };
const UNAUTHENTICATED: Expected = { status: 401, error: "unauthenticated" };
const INVALID_TOKEN =
  'Bearer error="invalid_token", error_description="The API key or token is not valid"';

describe("another tenant's task", () => {
  const SAME_REQUEST_ID = { "x-request-id": "the-same" };

  test.each([
    ["GET", "/tasks/{task}", undefined],
    ["PATCH", "/tasks/{task}", { title: "Mine now" }],
    ["GET", "/steps/{step}", undefined],
    ["PATCH", "/steps/{step}", { status: "running" }],
    ["GET", "/tasks/{task}/events", undefined],
  ])("gets the same response as an unknown task from %s %s", async (method, path, body) => {
    const theirs = await api.givenTask({ tenant: api.otherTenant });
    const sendCall = (task: string, step: string) => {
      const named = path.replace("{task}", task).replace("{step}", step);
      return expectRefused(
        api,
        () => api.call(method, named, { headers: SAME_REQUEST_ID, ...(body && { body }) }),
        NOT_FOUND,
      );
    };
    const foreign = await sendCall(theirs.id, theirs.currentStep.id);
    const unknown = await sendCall(crypto.randomUUID(), crypto.randomUUID());
    expect(foreign.text).toBe(unknown.text);
  });

  test.each([
    ["/notes", { text: "I was here" }, "admin"],
    ["/reviews", { kind: "expert", outcome: "passed" }, "admin"],
    ["/versions", { content: {}, reason: "Better" }, "admin"],
    ["/worker-runs", { type: "PAYMENT" }, "service"],
  ] as const)("rejects writes at %s", async (path, body, as) => {
    const theirs = await api.givenTask({ tenant: api.otherTenant });
    await expectRefused(
      api,
      () => api.call("POST", `/tasks/${theirs.id}${path}`, { as, body }),
      NOT_FOUND,
    );
  });

  it("is the only one refused among 499 own tasks, just like an unknown one", async () => {
    const start = { kind: "output_generation", status: "queued", reason: "Made elsewhere" };
    const tasks = Array.from({ length: 499 }, (_, index) => ({ title: `Task ${index}`, start }));
    const imported = await api.call<{ items: { id: string }[] }>("POST", "/tasks/import", {
      body: { tasks },
    });
    const ours = expectDone(imported).items.map(({ id }) => id);
    const theirs = await api.givenTask({
      tenant: api.otherTenant,
      at: { kind: "output_generation", status: "queued" },
    });
    const before = await contentsOf(api.database, api.otherTenant.id);

    const unknown = crypto.randomUUID();
    const executed = await api.call<{ counts: object; items: { taskId: string }[] }>(
      "POST",
      "/bulk/execute",
      {
        idempotencyKey: "theirs-among-ours",
        body: {
          taskIds: [theirs.id, ...ours, unknown],
          targetStatus: "REJECTED",
          reason: "Out of scope",
        },
      },
    );
    const { counts, items } = expectDone(executed);
    expect(counts).toMatchObject({ requested: 501, changed: 499, refused: 2 });
    const refusedAs = (taskId: string) => ({
      taskId,
      outcome: "refused",
      code: "not_found",
      from: null,
      to: "REJECTED",
      allowed: [],
    });
    expect([items.at(0), items.at(-1)]).toEqual([refusedAs(theirs.id), refusedAs(unknown)]);
    expect(await contentsOf(api.database, api.otherTenant.id)).toEqual(before);
  });
});

describe("a role without permission", () => {
  it("is forbidden a bulk change before its body is read, and the log identifies the caller", async () => {
    const lines = await logged(() =>
      expectRefused(
        api,
        () => api.call("POST", "/bulk/execute", { as: "viewer", body: "not even JSON" }),
        { status: 403, error: "forbidden", required: "reviewer" },
      ),
    );
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      expect.objectContaining({
        level: "warn",
        operation: "executeBulk",
        status: 403,
        error: "forbidden",
        tenantId: api.tenant.id,
        actorKind: "key",
        role: "viewer",
      }),
    ]);
  });
});

describe("a token", () => {
  const me = (authorization: string) =>
    send(api, "GET", "/me", {
      bearer: null,
      headers: { authorization, "x-request-id": "the-same" },
    });
  const claims = () => ({ sub: "writer-1", tenant_id: api.tenant.id, role: "operator" });
  const bearer = async (options: Partial<Parameters<typeof signToken>[0]> = {}) =>
    `Bearer ${await signToken({ claims: claims(), ...options })}`;

  it("of the issuer identifies its subject", async () => {
    for (const algorithm of ["RS256", "ES256", "EdDSA"] as const) {
      const answer = await me(await bearer({ algorithm }));
      expect(answer.body, answer.text).toMatchObject({
        tenant: { id: api.tenant.id },
        actor: { id: "writer-1", kind: "person", role: "operator" },
      });
    }
  });

  it("that is invalid in any way gets the same response as a missing one", async () => {
    const { keys, issuer, audience } = inject("stack");
    const honest = { iss: issuer, aud: audience, exp: Math.floor(Date.now() / 1000) + 60 };
    const { kid = "" } = keys.publicRS256;
    const hmac = (secret: string) =>
      new SignJWT({ ...honest, ...claims() })
        .setProtectedHeader({ alg: "HS256", kid })
        .sign(new TextEncoder().encode(secret));
    const [head = "", payload = "", signature = ""] = (await bearer()).split(".");
    const tampered = btoa(JSON.stringify({ ...honest, ...claims(), role: "admin" }));

    const invalid: Record<string, string> = {
      "unsigned (alg none)": `Bearer ${rawToken({ alg: "none" }, { ...honest, ...claims() })}`,
      "unsigned under a published kid": `Bearer ${rawToken({ alg: "none", kid }, { ...honest, ...claims() })}`,
      "signed with the public key as a secret": `Bearer ${await hmac(JSON.stringify(keys.publicRS256))}`,
      "signed with the modulus as a secret": `Bearer ${await hmac(keys.publicRS256.n ?? "")}`,
      "signed by a stranger under a published kid": await bearer({ isForged: true }),
      "that links to another key (jku)": await bearer({
        isForged: true,
        header: { jku: "https://stranger.test/keys.json" },
      }),
      "that contains its own key (jwk)": await bearer({
        isForged: true,
        header: { jwk: { ...keys.stranger } },
      }),
      "with an unknown kid": await bearer({ header: { kid: "another" } }),
      "with a kid that is a path": await bearer({ header: { kid: "../../etc/passwd" } }),
      "with a role that was changed after signing": [head, tampered, signature].join("."),
      "without its signature": [head, payload, ""].join("."),
      expired: await bearer({ expires: "-1m" }),
      "that never expires": await bearer({ expires: null }),
      "for another audience": await bearer({ claims: { ...claims(), aud: "another" } }),
      "of another issuer": await bearer({ claims: { ...claims(), iss: "https://stranger.test" } }),
      "not valid yet": await bearer({ claims: { ...claims(), nbf: honest.exp } }),
      "without a subject": await bearer({ claims: { tenant_id: api.tenant.id, role: "operator" } }),
      "without a tenant": await bearer({ claims: { sub: "writer-1", role: "operator" } }),
      "with an unknown role": await bearer({ claims: { ...claims(), role: "root" } }),
      "under another scheme": (await bearer()).replace("Bearer", "Token"),
      "without a scheme": (await bearer()).replace("Bearer ", ""),
      "as a password": `Basic ${btoa(`writer-1:${api.tenant.keys.admin}`)}`,
      twice: `${await bearer()} ${await bearer()}`,
      "that is too long": `Bearer ${"a".repeat(9000)}`,
    };
    const withoutToken = await send(api, "GET", "/me", {
      bearer: null,
      headers: { "x-request-id": "the-same" },
    });
    for (const [description, authorization] of Object.entries(invalid)) {
      const answer = await me(authorization);
      expect(answer.text, description).toBe(withoutToken.text);
      expectProblem(answer, UNAUTHENTICATED);
      const isBearer = authorization.startsWith("Bearer ");
      const challenge = isBearer ? INVALID_TOKEN : "Bearer";
      expect(answer.headers.get("www-authenticate"), description).toBe(challenge);
    }
  });
});

describe("an API key", () => {
  const me = (bearer: string, headers: Record<string, string> = {}) =>
    send(api, "GET", "/me", { bearer, headers: { "x-request-id": "the-same", ...headers } });
  const withoutTime = (header: string | null) => header?.replace(/dur=.*/, "dur=");

  it("that is invalid in any way gets the same response after the same number of round trips", async () => {
    const { viewer } = api.tenant.keys;
    const [, , secret = ""] = viewer.split("_");
    const other = api.otherTenant.id.replaceAll("-", "");
    const invalid = [
      viewer.slice(0, -1) + (viewer.endsWith("0") ? "1" : "0"),
      viewer.slice(0, -1),
      `${viewer}0`,
      `slg_${other}_${secret}`,
      `slg_${crypto.randomUUID().replaceAll("-", "")}_${secret}`,
    ];
    const answers = [];
    for (const key of invalid) answers.push(await me(key));
    for (const answer of answers) {
      expectProblem(answer, UNAUTHENTICATED);
      expect(answer.text).toBe(answers[0]?.text);
      const timing = withoutTime(answer.headers.get("server-timing"));
      expect(timing).toBe(withoutTime(answers[0]?.headers.get("server-timing") ?? null));
    }
    for (const malformed of ["slg_", "slg__", `slg_${secret}`, viewer.toUpperCase()]) {
      expect((await me(malformed)).text).toBe(answers[0]?.text);
    }
  });

  it("cannot be guessed in a thousand attempts, which the rate limit stops", async () => {
    limiter.endPeriod();
    const address = { "cf-connecting-ip": "192.0.2.7" };
    const { admin } = api.tenant.keys;
    const guess = (index: number) => me(`${admin.slice(0, -4)}${index.toString(36)}`, address);
    const statuses: number[] = [];
    for (let start = 0; start < 1000; start += 50) {
      const guesses = Array.from({ length: 50 }, (_, index) => guess(start + index));
      statuses.push(...(await Promise.all(guesses)).map(({ status }) => status));
    }
    const count = (status: number) => statuses.filter((each) => each === status).length;
    expect([count(401), count(429)]).toEqual([LIMIT, 1000 - LIMIT]);

    const limited = await guess(1000);
    expectProblem(limited, { status: 429, error: "rate_limited" });
    expect(limited.headers.get("retry-after")).toBe("60");
    // Guesses do not block a valid key from the same address, or guesses from another address.
    expect((await me(admin, address)).status).toBe(200);
    expect((await me(`${admin}0`, { "cf-connecting-ip": "192.0.2.8" })).status).toBe(401);
  });

  it("is not looked up for 10,000 different guesses, and no flood of them locks out a valid key", async () => {
    const GUESSES = 30;
    const own = await freshApi({
      RATE_LIMITER: countingLimiter(LIMIT),
      GUESS_LIMITER: countingLimiter(GUESSES),
    });
    const headers = { "cf-connecting-ip": "192.0.2.7" };
    const call = async (bearer: string) =>
      (await own.call("GET", "/me", { bearer, headers })).status;
    const created = await own.call<{ key: string }>("POST", "/api-keys", {
      body: { name: "Never used before the flood", role: "viewer" },
    });
    const { key } = expectDone(created, 201);
    // The keys of a test have no proof, so this counts as a guess until it is looked up.
    expect(await call(own.tenant.keys.operator)).toBe(200);

    await own.database.resetRoundTrips();
    const { admin } = own.tenant.keys;
    const counts = new Map<number, number>();
    for (let start = 0; start < 10_000; start += 100) {
      const guesses = Array.from({ length: 100 }, (_, index) => call(`${admin}${start + index}`));
      for (const status of await Promise.all(guesses)) {
        counts.set(status, (counts.get(status) ?? 0) + 1);
      }
    }
    expect(counts).toEqual(
      new Map([
        [401, GUESSES - 1],
        [429, 10_000 - GUESSES + 1],
      ]),
    );
    expect(await own.database.roundTrips()).toBe(GUESSES - 1);

    // From the address of the flood: a key that this isolate never saw, and one that it knows.
    expect(await call(key)).toBe(200);
    expect(await call(own.tenant.keys.operator)).toBe(200);
  });

  it("is limited to a number of calls per minute over all routes", async () => {
    limiter.endPeriod();
    const { operator, reviewer } = api.tenant.keys;
    const calls = Array.from({ length: LIMIT }, () => me(operator));
    const statuses = new Set((await Promise.all(calls)).map(({ status }) => status));
    expect(statuses).toEqual(new Set([200]));

    const body = { title: "One too many" };
    const limited = await expectRefused(
      api,
      () => api.call("POST", "/tasks", { as: "operator", body }),
      { status: 429, error: "rate_limited" },
    );
    expect(limited.headers.get("retry-after")).toBe("60");
    expect((await me(reviewer)).status).toBe(200);
    limiter.endPeriod();
    expect((await me(operator)).status).toBe(200);
  });
});

describe("headers with another tenant, actor or address", () => {
  const forged = () => ({
    "x-tenant-id": api.otherTenant.id,
    "x-user-id": "somebody-else",
    "x-role": "admin",
    "x-forwarded-for": "127.0.0.1",
    "x-real-ip": "127.0.0.1",
    "cf-connecting-ip": "127.0.0.1",
    forwarded: "for=127.0.0.1",
    "x-http-method-override": "DELETE",
    "x-original-url": "/v1/api-keys",
  });

  it("do not change the actor in the event or the log", async () => {
    const task = await api.givenTask();
    const path = `/steps/${task.currentStep.id}`;
    const options = { as: "operator", body: { status: "running" }, headers: forged() } as const;
    let key = "";
    const lines = await logged(async () => {
      const moved = await api.call<{ events: { actor: { id: string } }[] }>("PATCH", path, options);
      const [event] = expectDone(moved).events;
      expect(event?.actor).toMatchObject({ name: "first operator key", role: "operator" });
      key = event?.actor.id ?? "";
    });
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
      { tenantId: api.tenant.id, actorId: key, role: "operator" },
    ]);
    expect(lines.join("\n")).not.toContain("somebody-else");
  });

  it("give no access that the credential does not have", async () => {
    const theirs = await api.givenTask({ tenant: api.otherTenant });
    const read = () => api.call<TaskView>("GET", `/tasks/${theirs.id}`, { headers: forged() });
    await expectRefused(api, read, NOT_FOUND);
    const anonymous = await send(api, "GET", "/me", { bearer: null, headers: forged() });
    expectProblem(anonymous, UNAUTHENTICATED);
    const viewer = await send(api, "POST", "/tasks", {
      bearer: api.tenant.keys.viewer,
      headers: forged(),
    });
    expectProblem(viewer, { status: 403, error: "forbidden", required: "operator" });
  });
});
