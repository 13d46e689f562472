import { afterAll, beforeAll, expect, test } from "vitest";
import { PLACES } from "../../src/routes/app/places.ts";
import { startTestWorkerd, type TestWorkerd } from "../support/node/workerd.ts";

// Loads the lazily imported modules of the built Worker in workerd, which has none of Node's modules.

let workerd: TestWorkerd;

beforeAll(async () => {
  workerd = await startTestWorkerd();
});

afterAll(() => workerd.stop());

const ANY_ID = "0193aaaa-0000-7000-8000-00000000000a";

test.each([...Map.groupBy(PLACES, ({ area }) => area)])(
  "the routes of %s load on their first request",
  async (_area, places) => {
    const { method, path } = places.find((place) => place.method === "GET") ?? places[0] ?? {};
    const url = String(path).replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      /number|other/.test(name) ? "1" : ANY_ID,
    );
    const answer = await workerd.fetch(url, {
      method: String(method),
      ...(method !== "GET" && { body: "{}" }),
    });
    await answer.body?.cancel();
    // A module that fails to load returns 500. The other statuses depend on the input.
    expect([200, 400, 403, 404, 409]).toContain(answer.status);
  },
);

test("the documentation and the token verification load", async () => {
  for (const path of ["/docs", "/docs/errors", "/openapi.json"]) {
    const page = await workerd.fetch(path);
    expect([path, page.status]).toEqual([path, 200]);
    expect(await page.text()).toContain("Stepledger");
  }
  const refused = await workerd.fetch("/v1/me", { headers: { authorization: "Bearer e30.e30.x" } });
  expect(refused.status).toBe(401);
});

test("the scheduled jobs load", async () => {
  await workerd.scheduled("*/15 * * * *");
  await workerd.scheduled("17 3 * * *");
  const healthy = await workerd.fetch("/healthz");
  expect(healthy.status).toBe(200);
});
