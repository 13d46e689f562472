import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { defineContract, errorsOf } from "../../src/routes/http/contract.ts";
import { openApiDocument } from "../../src/routes/http/openapi.ts";
import { PROBLEMS } from "../../src/routes/http/problem.ts";
import { loadRoutes } from "../../src/routes/app/areas.ts";
import { echoRoutes } from "./support.ts";

const routes = await loadRoutes();

interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  security: unknown[];
  parameters?: { name: string; in: string; required?: boolean }[];
  requestBody?: { required: boolean };
  responses: Record<string, { description: string; headers?: Record<string, unknown> }>;
}
interface Document {
  openapi: string;
  tags: { name: string }[];
  components: { schemas?: Record<string, { type?: string | string[] }> };
  paths: Record<string, Record<string, Operation>>;
}

const documentOf = (mounted: typeof routes): Document =>
  // The generator's own type does not say which optional members are present.
  openApiDocument(mounted.map(({ contract }) => contract)) as Document;
const operationsOf = (document: Document): Operation[] =>
  Object.values(document.paths).flatMap((methods) => Object.values(methods));

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
    expect(JSON.stringify(documentOf(mounted))).toBe(JSON.stringify(documentOf(mounted)));
  });

  test("contains no schema that every value fails", () => {
    const text = JSON.stringify(documentOf(mounted));
    expect(text).not.toMatch(/"allOf":\[\{"\$ref":"[^"]+"\},\{"type":\[/);
    expect(text).not.toMatch(/"pattern":"[^"]*\/u"/);
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

  test("lists exactly the success and error statuses of each route", () => {
    const document = documentOf(mounted);
    for (const contract of contracts) {
      const { path, method, response, alternative } = contract;
      const operation = document.paths[path]?.[method.toLowerCase()];
      const errors = errorsOf(contract).map((code) => PROBLEMS[code].status);
      const statuses = [response.status, alternative?.status ?? response.status, ...errors];
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
  expect(document.tags.map(({ name }) => name)).toEqual(["Start here", "Things", "Tasks"]);
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
