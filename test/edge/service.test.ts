import { describe, expect, test } from "vitest";
import { ERROR_CODES } from "../../src/routes/http/problem.ts";
import { loadRoutes } from "../../src/routes/app/areas.ts";
import { READINESS_SECONDS } from "../../src/routes/http/readiness.ts";
import { NOW, problemOf, testApp } from "./support.ts";

const routes = await loadRoutes();

describe("the health checks", () => {
  test("report the Worker healthy without a credential or a database", async () => {
    const isDatabaseReady = () => Promise.reject(new Error("Unexpected readiness check"));
    const { send } = testApp({ routes, isDatabaseReady });
    const response = await send("GET", "/healthz", { role: null });
    expect([response.status, await response.json()]).toEqual([200, { status: "ok" }]);
  });

  test("report the Worker ready only while the database responds", async () => {
    const ready = testApp({ routes });
    expect((await ready.send("GET", "/readyz", { role: null })).status).toBe(200);
    const unavailable = testApp({ routes, isDatabaseReady: async () => false });
    const response = await unavailable.send("GET", "/readyz", { role: null });
    expect(response.status).toBe(503);
    expect(await problemOf(response)).toMatchObject({ error: "unavailable", retry: "same" });
  });
});

describe("the readiness of the service", () => {
  /** An app whose database takes a while to answer, with a clock and a count of the checks. */
  function slowApp(isReady: () => boolean) {
    const checks = { count: 0, now: NOW };
    const app = testApp({
      routes,
      now: () => checks.now,
      isDatabaseReady: async () => {
        checks.count += 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
        return isReady();
      },
    });
    const readiness = async () => (await app.send("GET", "/readyz", { role: null })).status;
    return { checks, readiness };
  }

  test("is checked once for all calls at the same time, and again after a few seconds", async () => {
    let isReady = true;
    const { checks, readiness } = slowApp(() => isReady);
    expect(new Set(await Promise.all(Array.from({ length: 50 }, readiness)))).toEqual(
      new Set([200]),
    );
    expect(checks.count).toBe(1);
    isReady = false;
    expect(await readiness()).toBe(200);
    checks.now = new Date(NOW.getTime() + READINESS_SECONDS * 1000);
    expect(new Set(await Promise.all(Array.from({ length: 50 }, readiness)))).toEqual(
      new Set([503]),
    );
    expect(checks.count).toBe(2);
    expect(READINESS_SECONDS).toBeLessThanOrEqual(5);
  });
});

describe("the documentation", () => {
  test("serves the OpenAPI document without a credential", async () => {
    const response = await testApp({ routes }).send("GET", "/openapi.json", { role: null });
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toMatchObject({ openapi: "3.1.0" });
  });

  test("loads the API reference from this host and runs only its own scripts", async () => {
    const response = await testApp({ routes }).send("GET", "/docs", { role: null });
    const page = await response.text();
    const policy = response.headers.get("content-security-policy") ?? "";
    const [, nonce = ""] = /script-src 'self' 'nonce-([\w-]+)';/.exec(policy) ?? [];
    expect(nonce.length).toBeGreaterThan(20);
    const scripts = [...page.matchAll(/<script\b[^>]*>/g)].map(([tag]) => tag);
    expect(scripts).toHaveLength(2);
    for (const tag of scripts) expect(tag).toContain(`nonce="${nonce}"`);
    expect(page).toContain('src="/assets/api-reference.js"');
    expect(page).not.toMatch(/https?:\/\//);
  });

  test("has an anchor for every error code on the page that problems link to", async () => {
    const page = await (await testApp({ routes }).send("GET", "/docs/errors")).text();
    for (const code of ERROR_CODES) expect(page).toContain(`<h2 id="${code}">`);
  });
});
