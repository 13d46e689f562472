import * as z from "zod";
import { describe, expect, test } from "vitest";
import { DatabaseFault, DatabaseUnavailable } from "../../src/db/connection/faults.ts";
import { ROLES, type Role } from "../../src/domain/actor.ts";
import { reply } from "../../src/routes/http/call.ts";
import { defineContract } from "../../src/routes/http/contract.ts";
import { createHandler } from "../../src/routes/http/create-handler.ts";
import { echoRoutes, NOW, problemOf, routeThat, TENANT, testApp } from "./support.ts";

const ID = "01932d4a-7c3e-7b11-9a42-5d0c9e6f1a20";

describe("the required role", () => {
  const calls: [string, string, Role[]][] = [
    ["GET", "/v1/things/ext:a", ["viewer", "operator", "reviewer", "admin", "service"]],
    ["GET", "/v1/things/count", ["viewer", "operator", "reviewer", "admin"]],
    ["POST", "/v1/things", ["operator", "reviewer", "admin"]],
    ["PATCH", "/v1/things/ext:a", ["reviewer", "admin"]],
    ["POST", "/v1/things/reports", ["service"]],
  ];
  test.each(calls)("of %s %s admits only %j", async (method, path, permitted) => {
    const { send, sendJson } = testApp();
    const admitted: Role[] = [];
    for (const role of ROLES) {
      const response =
        method === "POST"
          ? await sendJson(method, path, { title: "a" }, { role })
          : await send(method, path, { role });
      if (response.status < 300) admitted.push(role);
      else expect(await problemOf(response)).toMatchObject({ error: "forbidden", status: 403 });
    }
    expect(admitted).toEqual(permitted);
  });

  test("is checked before the input and named in the response", async () => {
    const { sendJson, log } = testApp();
    const response = await sendJson("PATCH", "/v1/things/no-id", "{bad", { role: "viewer" });
    expect(await problemOf(response)).toMatchObject({ error: "forbidden", required: "reviewer" });
    expect(log.at(-1)).toMatchObject({ level: "warn", error: "forbidden", status: 403 });
  });

  test("can be refused by the route itself if it depends on the task", async () => {
    const refusal = {
      code: "forbidden",
      required: "reviewer",
      detail: "This takes a reviewer.",
    } as const;
    const { send } = testApp({ routes: [routeThat(async () => ({ ok: false, refusal }))] });
    const response = await send("POST", "/v1/anything");
    expect(await problemOf(response)).toMatchObject({ detail: "This takes a reviewer." });
  });
});

describe("a route's call", () => {
  test("contains the credential's tenant and actor, the parsed input and its own operation", async () => {
    const { sendJson } = testApp();
    const response = await sendJson("POST", "/v1/things", { title: "a" });
    expect(response.status).toBe(201);
    expect(response.headers.get("location")).toBe("/v1/things/1");
    expect(await response.json()).toEqual({
      tenantId: TENANT,
      actor: { id: "key-of-operator", name: "The operator", kind: "key", role: "operator" },
      operation: {
        id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
        actorId: "key-of-operator",
        route: "createThing",
        key: null,
        fingerprint: "",
      },
      ifMatch: null,
      input: { params: {}, query: {}, body: { title: "a" } },
    });
  });

  test("ignores a tenant, an actor or a role in headers", async () => {
    const { sendJson } = testApp();
    const forged = {
      "x-tenant-id": "0193aaaa-0000-7000-8000-00000000beef",
      "x-user-id": "root",
      "x-role": "admin",
      "x-forwarded-for": "127.0.0.1",
      "cf-connecting-ip": "127.0.0.1",
    };
    const response = await sendJson("POST", "/v1/things", { title: "a" }, { headers: forged });
    expect(await response.json()).toMatchObject({
      tenantId: TENANT,
      actor: { id: "key-of-operator" },
    });
  });

  test("uses the app's clock", async () => {
    const route = routeThat(async ({ now }) => reply(now.toISOString()));
    const response = await testApp({ routes: [route] }).send("POST", "/v1/anything");
    expect(await response.json()).toBe(NOW.toISOString());
  });
});

describe("the path", () => {
  test.each([
    [ID, { id: ID }],
    [ID.toUpperCase(), { id: ID }],
    ["ext:gsm8k-42", { externalId: "gsm8k-42" }],
    ["ext:a%2Fb%20%25%C3%BC", { externalId: "a/b %ü" }],
    [`ext:${"x".repeat(200)}`, { externalId: "x".repeat(200) }],
  ])("identifies a task as %s", async (name, taskId) => {
    const response = await testApp().send("GET", `/v1/things/${name}`);
    expect(await response.json()).toMatchObject({ input: { params: { taskId } } });
  });

  test.each([
    "42",
    `${ID}0`,
    "ext:",
    `ext:${"x".repeat(201)}`,
    "ext:a%00b",
    "ext:a%0Ab",
    "ext:%1B[31m",
    "%ff",
  ])("cannot identify a task as %s", async (name) => {
    const response = await testApp().send("GET", `/v1/things/${name}`);
    const { error, issues } = await problemOf(response);
    expect([error, issues?.[0]?.path]).toEqual(["validation_failed", ["taskId"]]);
  });

  test("matches fixed segments before parameters, in whatever order the routes are listed", async () => {
    for (const routes of [echoRoutes, echoRoutes.toReversed()]) {
      const response = await testApp({ routes }).send("GET", "/v1/things/count");
      expect(await response.json()).toEqual({ count: 3 });
    }
  });

  test.each([
    "/",
    "/v1",
    "/v1/nothing",
    "/v1/things/",
    "/v2/things",
    "/v1/things/a/b",
    "/v1//things",
  ])("%s is not_found with or without a credential", async (path) => {
    const { send } = testApp();
    for (const role of [null, "admin"] as const) {
      const response = await send("GET", path, { role });
      expect(response.status).toBe(404);
      expect(await problemOf(response)).toMatchObject({ error: "not_found" });
    }
  });

  test.each([
    ["DELETE", "/v1/things", "POST"],
    ["PUT", "/v1/things/ext:a", "GET, HEAD, PATCH"],
    ["POST", "/openapi.json", "GET, HEAD"],
    ["OPTIONS", "/v1/things", "POST"],
  ])("%s %s is method_not_allowed with Allow: %s", async (method, path, allow) => {
    const response = await testApp().send(method, path);
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe(allow);
    expect(await problemOf(response)).toMatchObject({ error: "method_not_allowed" });
  });

  test("returns the same headers for HEAD as for GET, without the body", async () => {
    const response = await testApp().send("HEAD", "/v1/things/ext:a");
    expect(response.status).toBe(200);
    expect(response.headers.get("etag")).toBe('"7"');
    expect(await response.text()).toBe("");
  });
});

describe("the query", () => {
  test("has a default limit of 50", async () => {
    const response = await testApp().send("GET", "/v1/things/ext:a");
    expect(await response.json()).toMatchObject({ input: { query: { limit: 50 } } });
  });

  test("accepts what the contract declares, with list parameters repeated", async () => {
    const query = "limit=200&sort=-title&label=A&label=B&cursor=a%20b+c";
    const response = await testApp().send("GET", `/v1/things/ext:a?${query}`);
    const expected = { limit: 200, sort: "-title", label: ["A", "B"], cursor: "a b c" };
    expect(await response.json()).toMatchObject({ input: { query: expected } });
  });

  test.each([
    ["limit=1e9", "limit"],
    ["limit=-1", "limit"],
    ["limit=0", "limit"],
    ["limit=201", "limit"],
    ["limit=abc", "limit"],
    ["limit=", "limit"],
    ["limit=10.5", "limit"],
    ["limit=%2010", "limit"],
    ["limit=10&limit=10", "limit"],
    ["sort=status;drop", "sort"],
    ["sort=__proto__", "sort"],
    ["sort=title&sort=-title", "sort"],
    ["label=C", "label"],
    ["unknown=1", "unknown"],
    ["__proto__=1", "__proto__"],
    ["constructor=1", "constructor"],
    ["limit[]=1", "limit[]"],
    ["Limit=1", "Limit"],
    ["=1", ""],
    ["cursor=%00", "cursor"],
    ["cursor=%ff", "cursor"],
    ["cursor=%", "cursor"],
  ])("%s is rejected with the parameter's name", async (query, parameter) => {
    const response = await testApp().send("GET", `/v1/things/ext:a?${query}`);
    expect(response.status).toBe(400);
    const { error, issues } = await problemOf(response);
    expect(error).toBe("validation_failed");
    expect(issues?.[0]?.path[0]).toBe(parameter);
  });

  test("must be empty for a route without parameters", async () => {
    const response = await testApp().send("GET", "/v1/things/count?limit=1");
    expect(await problemOf(response)).toMatchObject({ issues: [{ code: "unrecognized_keys" }] });
  });
});

describe("If-Match", () => {
  const move = (etag: string) =>
    testApp().send("PATCH", "/v1/things/ext:a", {
      role: "reviewer",
      headers: { "if-match": etag },
    });

  test("passes the event seq of a strong entity tag to the route", async () => {
    expect(await (await move('"42"')).json()).toMatchObject({ ifMatch: 42 });
  });

  test.each(['W/"3"', '"abc"', "3", "*", '"3","4"', '""', '"-1"', '"1e3"', `"${"9".repeat(20)}"`])(
    "%s is rejected",
    async (etag) => {
      const response = await move(etag);
      expect(response.status).toBe(400);
      expect(await problemOf(response)).toMatchObject({
        error: "validation_failed",
        issues: [{ path: ["If-Match"], code: "invalid_etag" }],
      });
    },
  );
});

describe("If-None-Match", () => {
  const read = (etag: string) =>
    testApp().send("GET", "/v1/things/ext:a", { headers: { "if-none-match": etag } });

  test.each(['"7"', 'W/"7"', '"1", "7"', "*"])("%s matches and returns 304", async (etag) => {
    const response = await read(etag);
    expect(response.status).toBe(304);
    expect(response.headers.get("etag")).toBe('"7"');
    expect(await response.text()).toBe("");
  });

  test.each(['"6"', "7", "", '"77"'])("%j does not match and returns 200", async (etag) => {
    expect((await read(etag)).status).toBe(200);
  });
});

describe("Idempotency-Key", () => {
  interface Echo {
    operation: { id: string; key: string; fingerprint: string };
  }
  const create = async (key: string, body: unknown) => {
    const headers = { "idempotency-key": key };
    const response = await testApp().sendJson("POST", "/v1/things", body, { headers });
    return { response, operation: (await response.json<Echo>()).operation };
  };

  test("is passed with a fingerprint of the request that ignores the order of members", async () => {
    const one = await create("key-1", { title: "a", metadata: { x: 1, y: { b: 2, a: 1 } } });
    const same = await create("key-1", '{"metadata":{"y":{"a":1,"b":2},"x":1}, "title":"a"}');
    const other = await create("key-1", { title: "a", metadata: { x: 1, y: { b: 2, a: 2 } } });
    expect(one.operation.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(same.operation.fingerprint).toBe(one.operation.fingerprint);
    expect(other.operation.fingerprint).not.toBe(one.operation.fingerprint);
    expect(same.operation.id).not.toBe(one.operation.id);
  });

  test("sets Idempotency-Replayed on a replay but not on the first response", async () => {
    const first = await create("fresh", { title: "a" });
    expect(first.response.headers.has("idempotency-replayed")).toBe(false);
    const replay = await create("replayed", { title: "a" });
    expect(replay.response.headers.get("idempotency-replayed")).toBe("true");
  });

  test.each(["a".repeat(256), "", "with space", "tab\there", "del\u007f"])(
    "%j is rejected",
    async (key) => {
      const { sendJson } = testApp();
      const headers = { "idempotency-key": key };
      const response = await sendJson("POST", "/v1/things", { title: "a" }, { headers });
      expect(response.status).toBe(400);
      expect(await problemOf(response)).toMatchObject({
        error: "validation_failed",
        issues: [{ path: ["Idempotency-Key"] }],
      });
    },
  );

  test("may have 255 characters", async () => {
    expect((await create("k".repeat(255), { title: "a" })).response.status).toBe(201);
  });

  test("is required for bulk changes", async () => {
    const { sendJson } = testApp();
    const response = await sendJson(
      "POST",
      "/v1/things/many",
      { ids: ["a"] },
      { role: "reviewer" },
    );
    expect(response.status).toBe(400);
    expect(await problemOf(response)).toMatchObject({ error: "idempotency_key_required" });
  });
});

describe("a route's response", () => {
  test("has neither body nor content type if it is 204", async () => {
    const response = await testApp().send("POST", "/v1/things/reports", { role: "service" });
    expect(response.status).toBe(204);
    expect(response.headers.has("content-type")).toBe(false);
  });

  test("has the alternative's status and shape if the route chooses it", async () => {
    const contract = defineContract({
      operationId: "maybeLater",
      method: "POST",
      path: "/later",
      summary: "Does it now or later",
      tags: ["Things"],
      role: "operator",
      query: z.strictObject({ later: z.enum(["true", "false"]) }),
      response: {
        status: 200,
        description: "Done.",
        schema: z.strictObject({ done: z.literal(true) }),
      },
      alternative: {
        status: 202,
        description: "Queued.",
        schema: z.strictObject({ queued: z.literal(true) }),
        headers: ["Location"],
      },
    });
    const route = createHandler(contract, async (_call, { query }) =>
      query.later === "true"
        ? reply({ queued: true as const }, { status: 202, headers: { location: "/v1/x" } })
        : reply({ done: true as const }),
    );
    const { send } = testApp({ routes: [route] });
    const now = await send("POST", "/v1/later?later=false");
    expect([now.status, await now.json()]).toEqual([200, { done: true }]);
    const later = await send("POST", "/v1/later?later=true");
    expect([later.status, await later.json()]).toEqual([202, { queued: true }]);
    expect(later.headers.get("location")).toBe("/v1/x");
  });

  test("is unavailable with Retry-After if the database cannot be reached", async () => {
    const route = routeThat(async () => {
      throw new DatabaseUnavailable("connect ECONNREFUSED postgres://secret");
    });
    const response = await testApp({ routes: [route] }).send("POST", "/v1/anything");
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(await response.text()).not.toContain("secret");
  });

  test("is internal for a defect and discloses only the request ID", async () => {
    const route = routeThat(async () => {
      throw new DatabaseFault("22P02", "tasks_title_check");
    });
    const headers = { "x-request-id": "my-request" };
    const response = await testApp({ routes: [route] }).send("POST", "/v1/anything", { headers });
    expect(response.status).toBe(500);
    const body = await response.text();
    expect(JSON.parse(body)).toMatchObject({ error: "internal", instance: "my-request" });
    expect(body).not.toMatch(/22P02|tasks_title_check/);
  });

  test("is the same, byte for byte, for every unknown ID", async () => {
    const detail = `No task ${ID} in tenant ${TENANT}`;
    const refusal = { code: "not_found", detail } as const;
    const { send } = testApp({ routes: [routeThat(async () => ({ ok: false, refusal }))] });
    const respond = async () => {
      const response = await send("POST", "/v1/anything", { headers: { "x-request-id": "same" } });
      return [response.status, [...response.headers], await response.text()];
    };
    await respond(); // Server-Timing shows the key's only lookup in this first response.
    expect(await respond()).toEqual(await respond());
    expect(JSON.stringify(await respond())).not.toContain(ID);
  });
});

describe("a response that its contract does not describe", () => {
  const contract = defineContract({
    operationId: "promise",
    method: "POST",
    path: "/promise",
    summary: "Promises",
    tags: ["Things"],
    role: "operator",
    response: { status: 200, description: "Kept.", schema: z.strictObject({ kept: z.boolean() }) },
  });
  const kept = { kept: true, secretly: "more" };
  const broken = createHandler(contract, async () => reply(kept));
  const undeclared = createHandler(contract, async () => ({
    ok: false,
    refusal: { code: "conflict", detail: "It exists.", existing: { id: ID } },
  }));

  test("is a defect in tests, whether by its shape or by its error code", async () => {
    for (const route of [broken, undeclared]) {
      expect((await testApp({ routes: [route] }).send("POST", "/v1/promise")).status).toBe(500);
    }
  });

  test("is sent as it is in production", async () => {
    const settings = { environment: "production" as const };
    const shape = await testApp({ routes: [broken], settings }).send("POST", "/v1/promise");
    expect(shape.status).toBe(200);
    const code = await testApp({ routes: [undeclared], settings }).send("POST", "/v1/promise");
    expect(code.status).toBe(409);
  });
});
