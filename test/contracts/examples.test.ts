import { beforeAll, describe, expect, it, test } from "vitest";
import { loadRoutes } from "../../src/routes/app/areas.ts";
import { rawBody } from "../../src/routes/http/contract.ts";
import { openApiDocument } from "../../src/routes/http/openapi.ts";
import { freshApi, type TestApi } from "../support/api.ts";
import type { Sample } from "../support/samples/sample.ts";
import { SAMPLES } from "../support/samples/samples.ts";
import { contractOf, namesIn, routeNameOf, sendSample } from "../support/samples/send-sample.ts";
import { givenThings } from "../support/samples/things.ts";

/** The external ids that the examples of the first two routes create, and that all others name. */
const TASK = "gsm8k-0042";
const ORIGINAL = "gsm8k-0041";
const CREATING = ["POST /v1/tasks", "POST /v1/tasks/import"];

const contracts = (await loadRoutes()).map(({ contract }) => contract);
const bodied = contracts.filter(({ body }) => body !== null);

interface Document {
  paths: Record<
    string,
    Record<string, { requestBody?: { content: Record<string, { example?: unknown }> } }>
  >;
}
// The generator's own type does not say which optional members are present.
const { paths } = openApiDocument(contracts) as Document;

/** The examples of the document, by route. A route without one has `undefined`. */
const EXAMPLES: ReadonlyMap<string, unknown> = new Map(
  bodied.map((contract) => {
    const { requestBody } = paths[contract.path]?.[contract.method.toLowerCase()] ?? {};
    const [media] = Object.values(requestBody?.content ?? {});
    return [routeNameOf(contract), media?.example];
  }),
);

/** The first sample of a route, with the example as its body. What the sample names exists, but the example does not say so. */
function withExample(route: string): Sample {
  const sample = SAMPLES.find((one) => one.route === route) ?? expect.fail(`${route}: no sample`);
  const { body: _body, content: _content, ...rest } = sample;
  const example = EXAMPLES.get(route);
  const isRaw = contractOf(sample).body === rawBody;
  return { ...rest, ...(isRaw ? { content: String(example) } : { body: example }) };
}

/** The numbers in an answer that show that a part of the request did not succeed. */
const FAILURES =
  /"(refused|stale|failed|invalid|differs|conflict|not_found)":[1-9]|"(changed|requested|created)":0/;
/** Its sample's task has moved on, so it is stale. */
const CHANGES_NOTHING = "POST /v1/bulk/operations/{operationId}/retry-failed";

describe("the example of a request body", () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await freshApi();
  });

  it("is there for every route with a body", () => {
    const without = [...EXAMPLES].filter(([, example]) => example === undefined);
    expect(without.map(([route]) => route)).toEqual([]);
    expect(EXAMPLES.size).toBeGreaterThan(50);
  });

  it("names tasks by the external ids that the first examples create, and nothing by id", () => {
    for (const [route, example] of EXAMPLES) {
      const text = JSON.stringify(example ?? null);
      expect(text, route).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/);
      if (CREATING.includes(route)) continue;
      for (const [name] of text.matchAll(/gsm8k-\d+/g)) expect([TASK, ORIGINAL]).toContain(name);
    }
    const created = CREATING.map((route) => JSON.stringify(EXAMPLES.get(route)));
    for (const name of [TASK, ORIGINAL]) expect(created.join()).toContain(`"externalId":"${name}"`);
  });

  test.each([...EXAMPLES.keys()])("of %s succeeds as it is", async (route) => {
    const sample = withExample(route);
    const tenant = await api.givenTenant(contractOf(sample).demoOnly ? "demo" : "customer");
    const externalIds = CREATING.includes(route) ? {} : { task: TASK, original: ORIGINAL };
    const things = await givenThings(api, sample, tenant, externalIds);
    const answer = await sendSample(api, sample, namesIn(sample, things), { tenant });
    const { response, alternative } = contractOf(sample);
    expect([response.status, alternative?.status], answer.text).toContain(answer.status);
    if (route !== CHANGES_NOTHING) expect(answer.text).not.toMatch(FAILURES);
  });
});
