import { describe, expect, test } from "vitest";
import { ERROR_CODES } from "../../src/routes/http/problem.ts";
import { loadRoutes } from "../../src/routes/app/areas.ts";
import { problemOf, testApp } from "./support.ts";

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
