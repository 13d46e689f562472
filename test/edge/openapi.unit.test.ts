import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { defineContract, errorsOf } from "../../src/routes/http/contract.ts";
import { openApiDocument } from "../../src/routes/http/openapi.ts";
import { type ErrorCode, PROBLEMS, problemResponse } from "../../src/routes/http/problem.ts";
import { loadRoutes } from "../../src/routes/app/areas.ts";
import { MESSAGES } from "../../src/routes/shapes/messages.ts";
import { FAULTS } from "../support/faults.ts";
import { echoRoutes } from "./support.ts";

const routes = await loadRoutes();

interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  security: unknown[];
  parameters?: { name: string; in: string; required?: boolean }[];
  requestBody?: { required: boolean };
  responses: Record<
    string,
    { description: string; headers?: Record<string, { required?: boolean }> }
  >;
}
interface Document {
  openapi: string;
  info: object;
  servers: { url: string }[];
  tags: { name: string; description?: string }[];
  components: {
    schemas?: Record<string, { type?: string | string[]; pattern?: string }>;
    responses: Operation["responses"];
  };
  paths: Record<string, Record<string, Operation>>;
  webhooks?: Record<string, Record<string, Operation>>;
}

const generate = (mounted: typeof routes): Document =>
  // The generator's own type does not say which optional members are present.
  openApiDocument(
    mounted.map(({ contract }) => contract),
    mounted === routes ? MESSAGES : [],
  ) as Document;
const generated = new Map([routes, echoRoutes].map((mounted) => [mounted, generate(mounted)]));
const documentOf = (mounted: typeof routes): Document =>
  generated.get(mounted) ?? expect.fail("These routes have no document");
const operationsOf = (document: Document): Operation[] =>
  Object.values(document.paths).flatMap((methods) => Object.values(methods));

/** Returns every object of the document, however deep. */
function objectsIn(value: unknown): Record<string, unknown>[] {
  if (typeof value !== "object" || value === null) return [];
  const inside = Object.values(value).flatMap(objectsIn);
  return Array.isArray(value) ? inside : [value as Record<string, unknown>, ...inside];
}

/** Returns the headers of the problems of these codes, and whether every one of them has it. */
function headersSent(codes: readonly ErrorCode[]): Record<string, boolean> {
  const sent = codes.map((code) => [...problemResponse(FAULTS[code], "r").headers.keys()]);
  const names = new Set(sent.flat().filter((name) => name !== "content-type"));
  return Object.fromEntries(
    [...names].map((name) => [name, sent.every((listed) => listed.includes(name))]),
  );
}

/** Returns the headers that a response declares, and whether they are required. */
function headersDeclared({ headers = {} }: Operation["responses"][string]) {
  return Object.fromEntries(
    Object.entries(headers).map(([name, { required = false }]) => [name.toLowerCase(), required]),
  );
}

/** Patterns that only engines with Unicode properties read, or that engines read differently. */
const UNPORTABLE = /\\[pPudwDWbB]/;

describe.each([
  ["the service", routes],
  ["the test routes", echoRoutes],
])("the OpenAPI document of %s", (_name, mounted) => {
  const contracts = mounted.map(({ contract }) => contract);

  test("is valid OpenAPI 3.1", async () => {
    const document = documentOf(mounted);
    expect(document.openapi).toBe("3.1.0");
    expect(await new Validator().validate({ ...structuredClone(document) })).toEqual({
      valid: true,
    });
  });

  test("is deterministic", () => {
    expect(JSON.stringify(generate(mounted))).toBe(JSON.stringify(documentOf(mounted)));
  });

  test("contains no schema that every value fails", () => {
    const text = JSON.stringify(documentOf(mounted));
    expect(text).not.toMatch(/"allOf":\[\{"\$ref":"[^"]+"\},\{"type":\[/);
    expect(text).not.toMatch(/"pattern":"[^"]*\/u"/);
  });

  test("lists null among the values of everything that can be null", () => {
    const nullable = objectsIn(documentOf(mounted)).filter(
      ({ type, enum: values }) =>
        Array.isArray(type) && type.includes("null") && Array.isArray(values),
    );
    expect(nullable.filter((schema) => !(schema["enum"] as unknown[]).includes(null))).toEqual([]);
  });

  test("gives the items and the length of every tuple", () => {
    const tuples = objectsIn(documentOf(mounted)).filter((schema) => "prefixItems" in schema);
    expect(tuples.length > 0).toBe(mounted === routes);
    for (const tuple of tuples) {
      const { length } = tuple["prefixItems"] as unknown[];
      expect(tuple).toMatchObject({ items: {}, minItems: length, maxItems: length });
    }
  });

  test("has patterns that every engine reads alike, without the u flag too", () => {
    const patterns = objectsIn(documentOf(mounted)).flatMap(({ pattern }) =>
      typeof pattern === "string" ? [pattern] : [],
    );
    expect(patterns.length).toBeGreaterThan(0);
    for (const pattern of new Set(patterns)) {
      expect(pattern).not.toMatch(UNPORTABLE);
      expect(() => new RegExp(pattern)).not.toThrow();
      expect(() => new RegExp(pattern, "u")).not.toThrow();
    }
  });

  test("has no nullable named schema, so each use declares null itself", () => {
    const { schemas = {} } = documentOf(mounted).components;
    const nullable = Object.entries(schemas).filter(([, { type }]) => type?.includes("null"));
    expect(nullable.map(([name]) => name)).toEqual([]);
  });

  test("contains each contract once, under its operation ID", () => {
    const ids = operationsOf(documentOf(mounted)).map(({ operationId }) => operationId);
    expect(ids.toSorted()).toEqual(contracts.map(({ operationId }) => operationId).toSorted());
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("describes every tag that it uses, once, and no other", () => {
    const document = documentOf(mounted);
    const webhooks = Object.values(document.webhooks ?? {}).flatMap(Object.values) as Operation[];
    const used = [...operationsOf(document), ...webhooks].flatMap(({ tags }) => tags);
    expect(document.tags.map(({ name }) => name).toSorted()).toEqual([...new Set(used)].toSorted());
    const isDescribed = document.tags.every(({ description }) => description?.endsWith("."));
    expect(isDescribed).toBe(mounted === routes);
  });

  test("says where the service is, who maintains it, and under which license", () => {
    const { info, servers } = documentOf(mounted);
    expect(info).toMatchObject({
      contact: { name: expect.any(String) },
      license: { name: "Apache-2.0", url: expect.any(String) },
    });
    expect(servers.map(({ url }) => url)).toEqual(["/", "http://127.0.0.1:8787"]);
  });

  test("declares the headers of each problem, required if every code of the status has them", () => {
    const document = documentOf(mounted);
    for (const contract of contracts) {
      const { responses = {} } =
        document.paths[contract.path]?.[contract.method.toLowerCase()] ?? {};
      const byStatus = Map.groupBy(errorsOf(contract), (code) => PROBLEMS[code].status);
      for (const [status, codes] of byStatus) {
        expect(headersDeclared(responses[status] ?? expect.fail())).toEqual(headersSent(codes));
      }
      expect(responses[405]).toEqual({ $ref: "#/components/responses/MethodNotAllowed" });
    }
    const { responses } = document.components;
    expect(headersDeclared(responses["MethodNotAllowed"] ?? expect.fail())).toEqual(
      headersSent(["method_not_allowed"]),
    );
  });

  test("declares 304 for each read that returns an entity tag, and for no other", () => {
    const document = documentOf(mounted);
    const reads = contracts.filter(
      ({ method, response }) => method === "GET" && response.headers?.includes("ETag"),
    );
    const declaring = operationsOf(document).filter(({ responses }) => "304" in responses);
    expect(declaring.map(({ operationId }) => operationId).toSorted()).toEqual(
      reads.map(({ operationId }) => operationId).toSorted(),
    );
    for (const { responses } of declaring) {
      expect(responses[304]?.headers).toEqual(responses[200]?.headers);
    }
  });

  test("lists exactly the success and error statuses of each route", () => {
    const document = documentOf(mounted);
    for (const contract of contracts) {
      const { path, method, response, alternative } = contract;
      const operation = document.paths[path]?.[method.toLowerCase()];
      const errors = errorsOf(contract).map((code) => PROBLEMS[code].status);
      const isConditional = method === "GET" && response.headers?.includes("ETag") === true;
      const statuses = [
        response.status,
        alternative?.status ?? response.status,
        ...(isConditional ? [304] : []),
        405,
        ...errors,
      ];
      expect(Object.keys(operation?.responses ?? {})).toEqual(
        [...new Set(statuses)].toSorted((one, other) => one - other).map(String),
      );
    }
  });

  test("has no dangling reference", () => {
    const text = JSON.stringify(documentOf(mounted));
    const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
    const { components } = JSON.parse(text) as { components: { schemas: Record<string, unknown> } };
    expect(references.length).toBeGreaterThan(0);
    for (const [, schema = ""] of references) expect(components.schemas).toHaveProperty(schema);
  });
});

test("describes one line of text by a pattern that finds exactly the control characters", () => {
  const document = documentOf(routes);
  const patterns = objectsIn(document.paths["/v1/tasks"]?.["get"]?.parameters).flatMap(
    ({ pattern }) => (typeof pattern === "string" ? [pattern] : []),
  );
  const [pattern = ""] = new Set(patterns.filter((found) => found.includes("x7f")));
  const [plain, exact] = [new RegExp(pattern), /^\P{Cc}*$/u];
  const characters = Array.from({ length: 0x1_1000 }, (_, code) => String.fromCodePoint(code));
  expect(characters.filter((one) => plain.test(one) !== exact.test(one))).toEqual([]);
  expect(plain.test("Two words, 鴨 and 🦆")).toBe(true);
});

describe("an operation", () => {
  const document = documentOf(echoRoutes);
  const parametersOf = (path: string, method: string) =>
    (document.paths[path]?.[method]?.parameters ?? []).map(
      ({ name, in: place, required }) => `${place} ${name}${required === true ? " required" : ""}`,
    );

  test("lists the path, query and header parameters of the contract", () => {
    expect(parametersOf("/v1/things/{taskId}", "get")).toEqual([
      "path taskId required",
      "query limit",
      "query cursor",
      "query sort",
      "query label",
      "header X-Request-Id",
      "header If-None-Match",
    ]);
    expect(parametersOf("/v1/things/{taskId}", "patch")).toEqual([
      "path taskId required",
      "header X-Request-Id",
      "header Idempotency-Key",
      "header If-Match",
    ]);
    expect(parametersOf("/v1/things/many", "post")).toContain("header Idempotency-Key required");
  });

  test("requires a body only if an empty object would be invalid", () => {
    expect(document.paths["/v1/things"]?.["post"]?.requestBody?.required).toBe(true);
    expect(document.paths["/v1/things/{taskId}"]?.["patch"]?.requestBody?.required).toBe(false);
  });

  test("states the required role", () => {
    const text = JSON.stringify(document.paths["/v1/things/count"]?.["get"]);
    expect(text).toContain("Role: `viewer` or above.");
    expect(JSON.stringify(document.paths["/v1/things/reports"])).toContain("Role: `service`.");
  });
});

test("lists the most common routes first", () => {
  const listTasks = defineContract({
    operationId: "listTasks",
    method: "GET",
    path: "/tasks",
    summary: "Lists tasks",
    tags: ["Tasks"],
    role: "viewer",
    response: { status: 200, description: "A page.", schema: z.strictObject({}) },
  });
  const document = openApiDocument([
    ...echoRoutes.map(({ contract }) => contract),
    listTasks,
  ]) as Document;
  expect(Object.keys(document.paths)[0]).toBe("/v1/tasks");
  expect(document.paths["/v1/tasks"]?.["get"]?.tags).toEqual(["Start here", "Tasks"]);
  expect(document.tags.map(({ name }) => name)).toEqual(["Start here", "Tasks", "Things"]);
});

test("rejects a contract whose path and params have different parameters", () => {
  const define = () =>
    defineContract({
      operationId: "getTask",
      method: "GET",
      path: "/tasks/{taskId}",
      summary: "Gets a task",
      tags: ["Tasks"],
      role: "viewer",
      params: z.strictObject({ id: z.string() }),
      response: { status: 200, description: "The task.", schema: z.strictObject({}) },
    });
  expect(define).toThrow("getTask: path and params have different parameters");
});
