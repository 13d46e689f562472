import { describe, expect, test, vi } from "vitest";
import { DatabaseFault } from "../../src/db/connection/faults.ts";
import { reply } from "../../src/routes/http/call.ts";
import { logToConsole } from "../../src/routes/http/trace.ts";
import { keyOf, problemOf, routeThat, TENANT, testApp } from "./support.ts";

const PATH = "/v1/things/ext:a";

describe("the request id", () => {
  test.each(["a", "req-1", "A.b:c_d-9", "x".repeat(128)])("%s is kept", async (id) => {
    const { send, log } = testApp();
    const response = await send("GET", PATH, { headers: { "x-request-id": id } });
    expect(response.headers.get("x-request-id")).toBe(id);
    expect(log.at(-1)?.requestId).toBe(id);
  });

  test.each(["", "x".repeat(129), "with space", "a/b", "\u001b[31m", "<script>", 'a"b'])(
    "%j is replaced",
    async (id) => {
      const response = await testApp().send("GET", PATH, { headers: { "x-request-id": id } });
      expect(response.headers.get("x-request-id")).toMatch(
        /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/,
      );
    },
  );

  test("is the instance of a problem and is passed to the route", async () => {
    const headers = { "x-request-id": "req-1" };
    const unknown = await testApp().send("GET", "/v1/nothing", { headers });
    expect(await problemOf(unknown)).toMatchObject({ instance: "req-1" });
    const route = routeThat(async ({ requestId }) => reply(requestId));
    const known = await testApp({ routes: [route] }).send("POST", "/v1/anything", { headers });
    expect(await known.json()).toBe("req-1");
  });
});

describe("the headers of every response", () => {
  test.each([
    ["GET", PATH],
    ["GET", "/v1/nothing"],
    ["POST", "/v1/things"],
    ["GET", "/openapi.json"],
    ["DELETE", PATH],
    ["GET", "/docs"],
  ])("forbid storing, sniffing and framing %s %s", async (method, path) => {
    const { headers } = await testApp().send(method, path);
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(headers.has("x-request-id")).toBe(true);
    expect(headers.get("server-timing")).toMatch(/^db;desc="\d+ round trips?";dur=\d+\.\d$/);
  });

  test("count the route's own database round trips in Server-Timing", async () => {
    const route = routeThat(async ({ database }) => {
      database.roundTrips += 2;
      database.durationMs += 12.34;
      return reply(null);
    });
    const { send } = testApp({ routes: [route] });
    await send("POST", "/v1/anything");
    const { headers } = await send("POST", "/v1/anything");
    expect(headers.get("server-timing")).toBe('db;desc="2 round trips";dur=12.3');
  });
});

describe("CORS", () => {
  const origin = "https://panel.example";
  const preflight = {
    origin,
    "access-control-request-method": "PATCH",
    "access-control-request-headers": "authorization,if-match",
  };

  test("lets a listed origin read the response and its special headers", async () => {
    const { send } = testApp({ settings: { corsOrigins: [origin] } });
    const { headers } = await send("GET", PATH, { headers: { origin } });
    expect(headers.get("access-control-allow-origin")).toBe(origin);
    expect(headers.get("access-control-expose-headers")?.split(",")).toEqual([
      "X-Unified-Sort-Truncated",
      "X-Request-Id",
      "ETag",
      "Idempotency-Replayed",
      "Retry-After",
      "Server-Timing",
    ]);
    expect(headers.get("access-control-allow-credentials")).toBeNull();
    expect(headers.get("vary")).toContain("Origin");
  });

  test("answers a preflight from a listed origin without a credential", async () => {
    const { send } = testApp({ settings: { corsOrigins: [origin] } });
    const response = await send("OPTIONS", PATH, { role: null, headers: preflight });
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-methods")).toContain("PATCH");
    const allowed = response.headers.get("access-control-allow-headers") ?? "";
    expect(allowed.split(",")).toEqual(
      expect.arrayContaining(["Authorization", "Idempotency-Key", "If-Match", "Last-Event-ID"]),
    );
  });

  test("gives no permission to an unlisted origin, or to any if none is listed", async () => {
    const listed = testApp({ settings: { corsOrigins: [origin] } });
    for (const { send } of [listed, testApp()]) {
      const evil = { ...preflight, origin: "https://evil.example" };
      for (const method of ["GET", "OPTIONS"]) {
        const { headers } = await send(method, PATH, { headers: evil });
        expect(headers.get("access-control-allow-origin")).toBeNull();
      }
    }
  });

  test("lets a listed origin read errors too", async () => {
    const { send } = testApp({ settings: { corsOrigins: [origin] } });
    const response = await send("GET", PATH, { role: null, headers: { origin } });
    expect(response.status).toBe(401);
    expect(response.headers.get("access-control-allow-origin")).toBe(origin);
  });
});

describe("the log", () => {
  test("has one line per request with its actor, operation, outcome and cost", async () => {
    const { send, log } = testApp();
    await send("GET", PATH, { headers: { "x-request-id": "req-1" } });
    expect(log).toEqual([
      {
        level: "info",
        message: "request",
        requestId: "req-1",
        operation: "readThing",
        method: "GET",
        status: 200,
        error: null,
        replayed: false,
        tenantId: TENANT,
        actorId: "key-of-operator",
        actorKind: "key",
        role: "operator",
        ms: expect.any(Number),
        roundTrips: 1,
      },
    ]);
  });

  test("contains the error code of a refusal", async () => {
    const { send, log } = testApp();
    await send("GET", "/v1/nothing");
    expect(log.at(-1)).toMatchObject({ level: "info", error: "not_found", operation: null });
  });

  test("contains a defect's stack frames, SQLSTATE and constraint but not its message", async () => {
    const driver = new Error('invalid input syntax: "canary-1"\nparams: canary-2\n    at canary-3');
    const fault = new DatabaseFault("23514", "tasks_priority");
    const defects = [driver, new Error("wrapped canary-4", { cause: driver }), fault];
    for (const defect of defects) {
      const { send, log } = testApp({ routes: [routeThat(() => Promise.reject(defect))] });
      const response = await send("POST", "/v1/anything");
      expect(log).toHaveLength(2);
      expect(log[0]).toMatchObject({ level: "error", message: "defect", operation: "doAnything" });
      expect(JSON.stringify(log) + (await response.text())).not.toContain("canary");
      if (defect === fault) {
        expect(log[0]).toMatchObject({ sqlState: "23514", constraint: "tasks_priority" });
      }
      expect(log[0]?.["frames"]).not.toEqual([]);
    }
  });

  test("contains no credential, query, path parameter or body", async () => {
    const { send, sendJson, log } = testApp();
    await send("GET", "/v1/things/ext:canary?cursor=canary&canary=canary");
    await sendJson("POST", "/v1/things", { title: "canary", canary: "canary" });
    const headers = { authorization: `Bearer ${keyOf("operator")}-canary` };
    await send("GET", PATH, { role: null, headers });
    expect(log).toHaveLength(3);
    expect(JSON.stringify(log)).not.toMatch(/canary|secret/);
  });

  test("escapes control characters, so that an entry stays on one line", () => {
    const print = vi.spyOn(console, "log").mockReturnValue();
    logToConsole({ level: "info", message: "request", requestId: "a\r\nb\u001b[31m" });
    const line = '{"level":"info","message":"request","requestId":"a\\r\\nb\\u001b[31m"}';
    expect(print.mock.calls).toEqual([[line]]);
    print.mockRestore();
  });
});
