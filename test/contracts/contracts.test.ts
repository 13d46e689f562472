import { beforeAll, describe, expect, it, test } from "vitest";
import * as z from "zod";
import { rawBody, type Contract } from "../../src/routes/http/contract.ts";
import { openApiDocument } from "../../src/routes/http/openapi.ts";
import { pathParameters } from "../../src/routes/http/paths.ts";
import { loadRoutes } from "../../src/routes/app/areas.ts";
import { freshApi, type TestApi } from "../support/api.ts";
import { expectDocumented } from "../support/documented.ts";
import { SAMPLES } from "../support/samples/samples.ts";
import { contractOf, routeNameOf } from "../support/samples/send-sample.ts";

const routes = await loadRoutes();

const contracts = routes.map(({ contract }) => contract);
const closed = contracts.filter(({ role }) => role !== "public");

/** Sends a message and stores nothing. A repeated call must send another message. */
const PING = "POST /v1/webhooks/{name}/ping";
/** Routes that store nothing, so an idempotency key would have no response to replay. */
const WRITES_NOTHING = [
  "POST /v1/bulk/preview",
  "POST /v1/bulk/operations/{operationId}/retry-plan",
  "POST /v1/tasks/lookup",
  PING,
];
/** Bulk routes, which are costly to repeat by mistake. */
const CHANGES_MANY = [
  "POST /v1/bulk/execute",
  "POST /v1/bulk/operations/{operationId}/retry-failed",
  "POST /v1/bulk/operations/{operationId}/revert",
];
/** Email addresses are for people, not for programs. */
const READ_BY_PEOPLE = ["GET /v1/people", "GET /v1/people/{personId}"];
/** Routes that show keys and endpoints, which only admins manage. */
const READ_BY_ADMINS = [
  "GET /v1/admin/events",
  "GET /v1/admin/events/export.csv",
  "GET /v1/admin/events/export.ndjson",
  "GET /v1/api-keys",
  "GET /v1/pipelines",
  "GET /v1/webhooks",
  "GET /v1/webhooks/{name}/deliveries",
];
/** Routes that create the named resource if it does not exist. */
const CREATES_NAMED = [
  "PUT /v1/people/{personId}",
  "PUT /v1/seed/objects/{path}",
  "PUT /v1/taxonomy/{code}",
  "PUT /v1/webhooks/{name}",
];

describe("the contracts", () => {
  it("have a sample for every route and no sample for an unknown route", () => {
    const sampled = new Set(SAMPLES.map(({ route }) => route));
    expect([...sampled].toSorted()).toEqual(closed.map(routeNameOf).toSorted());
  });

  it("have samples that state the effect of a repeat if their route writes", () => {
    const isRepeatable = ({ method, idempotency }: Contract) =>
      idempotency !== "none" || method === "PUT" || method === "DELETE";
    const writing = SAMPLES.filter((sample) => isRepeatable(contractOf(sample)));
    expect(SAMPLES.filter(({ repeat }) => repeat !== undefined)).toEqual(writing);
  });

  it("have unique operation IDs and routes", () => {
    const operationIds = contracts.map(({ operationId }) => operationId);
    expect(new Set(operationIds).size).toBe(contracts.length);
    expect(new Set(contracts.map(routeNameOf)).size).toBe(contracts.length);
  });

  test.each(contracts.map((contract) => [routeNameOf(contract), contract] as const))(
    "%s has a well-formed description",
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
    const isIdempotent = method === "PUT" || method === "DELETE" || WRITES_NOTHING.includes(route);
    const expected = CHANGES_MANY.includes(route) ? "required" : isIdempotent ? "none" : "optional";
    expect(idempotency).toBe(expected);
  });

  test.each(closed.filter(isRead).map((contract) => [routeNameOf(contract), contract] as const))(
    "%s is open to every reader and takes no body, idempotency key or If-Match",
    (route, { role, service, idempotency, concurrency, body }) => {
      const readers = READ_BY_ADMINS.includes(route) ? "admin" : "viewer";
      const isOpenToMachines = readers === "viewer" && !READ_BY_PEOPLE.includes(route);
      expect({ role, service }).toEqual({ role: readers, service: isOpenToMachines });
      expect({ idempotency, concurrency, body }).toEqual({
        idempotency: "none",
        concurrency: false,
        body: null,
      });
    },
  );

  test.each(closed.map((contract) => [routeNameOf(contract), contract] as const))(
    "%s lists not_found if the things that it names may be missing",
    (route, { path, params, errors }) => {
      // A name from an enum in the contract always exists.
      const isListed = (name: string) => params.shape[name] instanceof z.ZodEnum;
      const alwaysExists = pathParameters(path).every(isListed) || CREATES_NAMED.includes(route);
      expect(alwaysExists || errors.includes("not_found")).toBe(true);
    },
  );

  test.each(closed.map((contract) => [routeNameOf(contract), contract] as const))(
    "%s has samples with every ID that its contract accepts",
    (route, contract) => {
      const sampled = SAMPLES.filter((sample) => sample.route === route);
      const places = sampled.flatMap(({ names }) => Object.keys(names));
      expect(places).toEqual(expect.arrayContaining(idNames(contract)));
    },
  );

  it("reject unknown fields in every JSON body", () => {
    const bodies = contracts.flatMap(({ body, operationId }) =>
      body === null || body === rawBody ? [] : [{ operationId, body }],
    );
    const lax = bodies.filter(({ body }) => {
      const { error } = body.safeParse({ tenantId: "somebody else's" });
      return !rejectsUnknown(error?.issues ?? []);
    });
    expect(lax.map(({ operationId }) => operationId)).toEqual([]);
  });
});

/** Returns whether the issues include an unknown field. For a union, every alternative must have one. */
function rejectsUnknown(issues: readonly z.core.$ZodIssue[]): boolean {
  return issues.some((issue) =>
    issue.code === "invalid_union"
      ? issue.errors.length > 0 && issue.errors.every(rejectsUnknown)
      : issue.code === "unrecognized_keys",
  );
}

describe("without a credential", () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await freshApi();
  });

  test.each(closed.map((contract) => [routeNameOf(contract), contract] as const))(
    "%s is unauthenticated for any input",
    async (_, { method, path }) => {
      const url = path.replaceAll(/\{\w+\}/g, () => crypto.randomUUID());
      const response = await api.fetch(url, { method, headers: { "x-request-id": "anonymous" } });
      const other = await api.fetch("/v1/me", { headers: { "x-request-id": "anonymous" } });
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toBe("Bearer");
      expect(await response.text()).toBe(await other.text());
    },
  );

  it("every path answers a method that it does not have as the document says", async () => {
    for (const contract of contracts) {
      const url = contract.path.replaceAll(/\{\w+\}/g, () => crypto.randomUUID());
      const response = await api.fetch(url, { method: "PURGE" });
      expect(response.headers.get("allow")?.split(", ")).toContain(contract.method);
      const { status, headers } = response;
      expect(status).toBe(405);
      const text = await response.text();
      expectDocumented(contract, { status, headers, text, body: JSON.parse(text) });
    }
  });

  test.each(["/healthz", "/readyz", "/openapi.json", "/docs", "/docs/errors"])(
    "%s is public",
    async (path) => {
      expect((await api.fetch(path)).status).toBe(200);
    },
  );

  it("only the health checks are public contracts", () => {
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

/** Returns the names of the contract's parameters and fields that its OpenAPI document types as IDs. */
function idNames({ method, path }: Contract): string[] {
  const { parameters = [], requestBody } = operation.parse(paths[path]?.[method.toLowerCase()]);
  const inParameters = parameters.filter(({ schema }) => isId(schema)).map(({ name }) => name);
  return [...inParameters, ...idFields(requestBody?.content["application/json"]?.schema)];
}

const ID_SCHEMAS = ["Id", "TaskRef"].map((name) => `"#/components/schemas/${name}"`);

function isId(schema: unknown): boolean {
  return ID_SCHEMAS.some((name) => JSON.stringify(schema ?? null).includes(name));
}

/** Returns the fields of a schema, at any depth, that are an ID or a list of IDs. */
function idFields(schema: unknown): string[] {
  const referenced = reference.safeParse(schema);
  if (referenced.success) {
    const [name = ""] = referenced.data.$ref.split("/").slice(-1);
    return idFields(components.schemas[name]);
  }
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]: [string, unknown]) => {
    if (key !== "properties") return idFields(value);
    const fields = Object.entries(z.record(z.string(), z.unknown()).parse(value));
    return fields.flatMap(([name, field]) => (isOnlyId(field) ? [name] : idFields(field)));
  });
}

/** Returns whether the schema is an ID or a list of IDs, rather than an object that contains one. */
function isOnlyId(schema: unknown): boolean {
  return isId(schema) && idFields(schema).length === 0;
}
