import { afterAll, beforeAll, expect, test } from "vitest";
import { PLACES } from "../../src/routes/app/places.ts";
import { startTestWorkerd, type TestWorkerd } from "../support/node/workerd.ts";

// What the built Worker loads only when it is needed, loaded where it will run: in workerd, without Node's own modules.

let workerd: TestWorkerd;

beforeAll(async () => {
  workerd = await startTestWorkerd();
});

afterAll(() => workerd.stop());

const ANY_ID = "0193aaaa-0000-7000-8000-00000000000a";

test.each([...Map.groupBy(PLACES, ({ area }) => area)])(
  "the routes of %s are there with their first request",
  async (_area, places) => {
    const { method, path } = places.find((place) => place.method === "GET") ?? places[0] ?? {};
    const named = String(path).replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      /number|other/.test(name) ? "1" : ANY_ID,
    );
    const answer = await workerd.fetch(named, {
      method: String(method),
      ...(method !== "GET" && { body: "{}" }),
    });
    await answer.body?.cancel();
    // Found, not found, or refused for what is missing: a file that fails to load is a defect, and so 500.
    expect([200, 400, 404, 409]).toContain(answer.status);
  },
);

test("the documents are there, and what reads tokens", async () => {
  for (const path of ["/docs", "/docs/errors", "/openapi.json"]) {
    const page = await workerd.fetch(path);
    expect([path, page.status]).toEqual([path, 200]);
    expect(await page.text()).toContain("Stepledger");
  }
  const refused = await workerd.fetch("/v1/me", { headers: { authorization: "Bearer e30.e30.x" } });
  expect(refused.status).toBe(401);
});

test("what the clock asks for is there", async () => {
  await workerd.scheduled("*/15 * * * *");
  await workerd.scheduled("17 3 * * *");
  const healthy = await workerd.fetch("/healthz");
  expect(healthy.status).toBe(200);
});
