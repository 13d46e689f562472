import { beforeAll, describe, expect, it, test } from "vitest";
import * as z from "zod";
import { rawBody, type Contract } from "../../src/routes/http/contract.ts";
import { openApiDocument } from "../../src/routes/http/openapi.ts";
import { pathParameters } from "../../src/routes/http/paths.ts";
import { loadRoutes } from "../../src/routes/app/areas.ts";
import { freshApi, type TestApi } from "../support/api.ts";
import { SAMPLES } from "../support/samples/samples.ts";
import { contractOf, routeNameOf } from "../support/samples/send-sample.ts";

const routes = await loadRoutes();

const contracts = routes.map(({ contract }) => contract);
const closed = contracts.filter(({ role }) => role !== "public");

/** It sends a message and keeps nothing: a second one is wanted as much as the first. */
const PING = "POST /v1/webhooks/{name}/ping";
/** They answer from what is there and keep nothing, so that a key would have nothing to find. */
const WRITES_NOTHING = ["POST /v1/bulk/preview", "POST /v1/tasks/lookup", PING];
/** Repeating it by mistake would be dear. */
const CHANGES_MUCH = [
  "POST /v1/bulk/execute",
  "POST /v1/bulk/operations/{operationId}/retry-failed",
  "POST /v1/bulk/operations/{operationId}/revert",
];
/** Who holds which key, and who is called where, is for those who say so. */
const READ_BY_ADMINS = [
  "GET /v1/api-keys",
  "GET /v1/pipelines",
  "GET /v1/webhooks",
  "GET /v1/webhooks/{name}/deliveries",
];
/** What it names it makes where it is not there. */
const MAKES_WHAT_IT_NAMES = ["PUT /v1/webhooks/{name}"];

describe("the contract list", () => {
  it("has a sample for every route, and no sample for a route that is not there", () => {
    const sampled = new Set(SAMPLES.map(({ route }) => route));
    expect([...sampled].toSorted()).toEqual(closed.map(routeNameOf).toSorted());
  });

  it("says of every sample what a repeat does, if its route writes", () => {
    const isRepeatable = ({ method, idempotency }: Contract) =>
      idempotency !== "none" || method === "PUT" || method === "DELETE";
    const writing = SAMPLES.filter((sample) => isRepeatable(contractOf(sample)));
    expect(SAMPLES.filter(({ repeat }) => repeat !== undefined)).toEqual(writing);
  });

  it("names every operation and every route once", () => {
    const operationIds = contracts.map(({ operationId }) => operationId);
    expect(new Set(operationIds).size).toBe(contracts.length);
    expect(new Set(contracts.map(routeNameOf)).size).toBe(contracts.length);
  });

  test.each(contracts.map((contract) => [routeNameOf(contract), contract] as const))(
    "%s can be understood from its contract",
    (_, { operationId, summary, tags, response }) => {
      expect(operationId).toMatch(/^[a-z][A-Za-z]+$/);
      expect(summary).toMatch(/^[A-Z].{5,80}[^.]$/);
      expect(tags[0]).toMatch(/^[A-Z]/);
      expect(response.description).toMatch(/\.$/);
    },
  );

  test.each(
    contracts.filter(isWrite).map((contract) => [routeNameOf(contract), contract] as const),
  )("%s can be repeated safely", (route, { method, idempotency }) => {
    const byItself = method === "PUT" || method === "DELETE" || WRITES_NOTHING.includes(route);
    const expected = CHANGES_MUCH.includes(route) ? "required" : byItself ? "none" : "optional";
    expect(idempotency).toBe(expected);
  });

  test.each(closed.filter(isRead).map((contract) => [routeNameOf(contract), contract] as const))(
    "%s is open to all who may read, and changes nothing",
    (route, { role, service, idempotency, concurrency, body }) => {
      const readers = READ_BY_ADMINS.includes(route)
        ? { role: "admin", service: false }
        : { role: "viewer", service: true };
      expect({ role, service }).toEqual(readers);
      expect({ idempotency, concurrency, body }).toEqual({
        idempotency: "none",
        concurrency: false,
        body: null,
      });
    },
  );

  test.each(closed.map((contract) => [routeNameOf(contract), contract] as const))(
    "%s says that what it names may not be there",
    (route, { path, params, errors }) => {
      // What is one of a few names that the contract lists is always there.
      const isListed = (name: string) => params.shape[name] instanceof z.ZodEnum;
      const isAlwaysThere =
        pathParameters(path).every(isListed) || MAKES_WHAT_IT_NAMES.includes(route);
      expect(isAlwaysThere || errors.includes("not_found")).toBe(true);
    },
  );

  test.each(closed.map((contract) => [routeNameOf(contract), contract] as const))(
    "%s is asked with every id that its contract takes",
    (route, contract) => {
      const sampled = SAMPLES.filter((sample) => sample.route === route);
      const places = sampled.flatMap(({ names }) => Object.keys(names));
      expect(places).toEqual(expect.arrayContaining(idsTaken(contract)));
    },
  );

  it("takes no JSON that lets an unknown field through", () => {
    const bodies = contracts.flatMap(({ body, operationId }) =>
      body === null || body === rawBody ? [] : [{ operationId, body }],
    );
    const lax = bodies.filter(({ body }) => {
      const { error } = body.safeParse({ tenantId: "somebody else's" });
      return !refusesUnknown(error?.issues ?? []);
    });
    expect(lax.map(({ operationId }) => operationId)).toEqual([]);
  });
});

/** Whether an unknown field is among the faults, in every alternative where a body has several. */
function refusesUnknown(issues: readonly z.core.$ZodIssue[]): boolean {
  return issues.some((issue) =>
    issue.code === "invalid_union"
      ? issue.errors.length > 0 && issue.errors.every(refusesUnknown)
      : issue.code === "unrecognized_keys",
  );
}

describe("without a credential", () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await freshApi();
  });

  test.each(closed.map((contract) => [routeNameOf(contract), contract] as const))(
    "%s is unauthenticated, whatever it is asked",
    async (_, { method, path }) => {
      const asked = path.replaceAll(/\{\w+\}/g, () => crypto.randomUUID());
      const response = await api.fetch(asked, { method, headers: { "x-request-id": "anybody" } });
      const nowhere = await api.fetch("/v1/me", { headers: { "x-request-id": "anybody" } });
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toBe("Bearer");
      expect(await response.text()).toBe(await nowhere.text());
    },
  );

  test.each(["/healthz", "/readyz", "/openapi.json", "/docs", "/docs/errors"])(
    "%s is open to anybody",
    async (path) => {
      expect((await api.fetch(path)).status).toBe(200);
    },
  );

  it("nothing but the health of the service is public", () => {
    const open = contracts.filter(({ role }) => role === "public");
    expect(open.map(routeNameOf)).toEqual(["GET /healthz", "GET /readyz"]);
  });
});

function isRead({ method }: Contract): boolean {
  return method === "GET";
}

function isWrite(contract: Contract): boolean {
  return !isRead(contract);
}

const reference = z.object({ $ref: z.string() });
const operation = z.object({
  parameters: z.array(z.object({ name: z.string(), schema: z.unknown() })).optional(),
  requestBody: z
    .object({
      content: z.object({ "application/json": z.object({ schema: z.unknown() }).optional() }),
    })
    .optional(),
});
const documented = z.object({
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
});
const { paths, components } = documented.parse(openApiDocument(contracts));

/** The parameters and fields of a contract that name a thing by its id, as its document tells. */
function idsTaken({ method, path }: Contract): string[] {
  const { parameters = [], requestBody } = operation.parse(paths[path]?.[method.toLowerCase()]);
  const inParameters = parameters.filter(({ schema }) => isId(schema)).map(({ name }) => name);
  return [...inParameters, ...idFields(requestBody?.content["application/json"]?.schema)];
}

const ID_SCHEMAS = ["Id", "TaskRef"].map((name) => `"#/components/schemas/${name}"`);

function isId(schema: unknown): boolean {
  return ID_SCHEMAS.some((name) => JSON.stringify(schema ?? null).includes(name));
}

/** The fields of an object schema, at any depth, that hold an id or a list of them. */
function idFields(schema: unknown): string[] {
  const followed = reference.safeParse(schema);
  if (followed.success) {
    const [name = ""] = followed.data.$ref.split("/").slice(-1);
    return idFields(components.schemas[name]);
  }
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]: [string, unknown]) => {
    if (key !== "properties") return idFields(value);
    const fields = Object.entries(z.record(z.string(), z.unknown()).parse(value));
    return fields.flatMap(([name, field]) => (isOnlyId(field) ? [name] : idFields(field)));
  });
}

/** An id, or a list of ids: not an object that holds one further down. */
function isOnlyId(schema: unknown): boolean {
  return isId(schema) && idFields(schema).length === 0;
}
