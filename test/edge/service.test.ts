import { describe, expect, test } from "vitest";
import { ERROR_CODES } from "../../src/routes/http/problem.ts";
import { loadRoutes } from "../../src/routes/app/areas.ts";
import { problemOf, testApp } from "./support.ts";

const routes = await loadRoutes();

describe("health", () => {
  test("the Worker answers for itself, database or not, to anybody", async () => {
    const isDatabaseReady = () => Promise.reject(new Error("nobody should ask"));
    const { send } = testApp({ routes, isDatabaseReady });
    const response = await send("GET", "/healthz", { role: null });
    expect([response.status, await response.json()]).toEqual([200, { status: "ok" }]);
  });

  test("it is ready while the database answers, and unavailable while it does not", async () => {
    const ready = testApp({ routes });
    expect((await ready.send("GET", "/readyz", { role: null })).status).toBe(200);
    const away = testApp({ routes, isDatabaseReady: async () => false });
    const response = await away.send("GET", "/readyz", { role: null });
    expect(response.status).toBe(503);
    expect(await problemOf(response)).toMatchObject({ error: "unavailable", retry: "same" });
  });
});

describe("documents", () => {
  test("the OpenAPI document is served to anybody", async () => {
    const response = await testApp({ routes }).send("GET", "/openapi.json", { role: null });
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toMatchObject({ openapi: "3.1.0" });
  });

  test("the reader comes from our own host, and only our own scripts run", async () => {
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

  test("every error code has its place on the page that problems point to", async () => {
    const page = await (await testApp({ routes }).send("GET", "/docs/errors")).text();
    for (const code of ERROR_CODES) expect(page).toContain(`<h2 id="${code}">`);
  });
});
