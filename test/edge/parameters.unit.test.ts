import { describe, expect, it, test } from "vitest";
import * as z from "zod";
import { loadRoutes } from "../../src/routes/app/areas.ts";
import { closedList, listKind, namesUnknownValue } from "../../src/routes/http/closed-list.ts";
import { openApiDocument } from "../../src/routes/http/openapi.ts";
import { readQuery } from "../../src/routes/http/query-string.ts";
import { validate } from "../../src/routes/http/validation.ts";
import { problemOf, testApp } from "./support.ts";

const contracts = (await loadRoutes()).map(({ contract }) => contract);

interface Parameter {
  name: string;
  in: string;
  description?: string;
  style?: string;
  explode?: boolean;
  schema: { type?: string };
}
interface Document {
  paths: Record<string, Record<string, { parameters?: Parameter[] }>>;
  components: { schemas: Record<string, unknown> };
}
// The generator's own type does not say which optional members are present.
const document = openApiDocument(contracts) as Document;
const parametersOf = (path: string, method: string): Parameter[] =>
  document.paths[path]?.[method.toLowerCase()]?.parameters ?? [];

/** Every parameter of the service that takes several values from a list in the contract. */
const LISTS = contracts.flatMap(({ query, path, method }) =>
  Object.entries<z.ZodType>(query.shape)
    .filter(([, schema]) => listKind(schema) === "closed")
    .map(([name, schema]) => ({
      title: `${method} ${path} ${name}`,
      path,
      method,
      query,
      name,
      schema,
    })),
);

/** The values that a list allows, as the document names them. */
function valuesOf(schema: z.ZodType): [string, string, ...string[]] {
  const text = JSON.stringify(z.toJSONSchema(schema, { io: "input" }));
  const { items } = z
    .looseObject({ items: z.object({ enum: z.array(z.string()) }) })
    .parse(JSON.parse(text));
  return z.tuple([z.string(), z.string()], z.string()).parse(items.enum);
}

function parse(query: z.ZodObject, search: string): unknown {
  const read = readQuery(search, query);
  if (!read.ok) return read.fault;
  const parsed = validate(query, read.value, { error: namesUnknownValue });
  return parsed.ok ? parsed.value : parsed.fault;
}

describe("a list of known values in a query", () => {
  it("is a parameter of at least six routes", () => {
    expect(new Set(LISTS.map(({ path }) => path)).size).toBeGreaterThanOrEqual(6);
  });

  test.each(LISTS)("$title can repeat its parameter or use commas", ({ query, name, schema }) => {
    const [first, second, ...others] = valuesOf(schema);
    const expected = parse(query, `?${name}=${first}&${name}=${second}`);
    expect(expected).toMatchObject({ [name]: [first, second] });
    for (const comma of [",", "%2C", "%2c"]) {
      expect(parse(query, `?${name}=${first}${comma}${second}`)).toEqual(expected);
    }
    const all = [first, second, ...others];
    const mixed = `?${name}=${first},${second}${others.map((value) => `&${name}=${value}`).join("")}`;
    expect(parse(query, mixed)).toMatchObject({ [name]: all });
    expect(parse(query, `?${name}=${all.join(",")}`)).toEqual(parse(query, mixed));
    expect(parse(query, `?${name}=${[...all, first].join(",")}`)).toMatchObject({
      code: "too_many_items",
      max: all.length,
    });
  });

  test.each(LISTS)("$title names an unknown value", ({ query, name, schema }) => {
    const [first] = valuesOf(schema);
    for (const [value, index, unknown] of [
      [`${first},nonsense`, 1, "nonsense"],
      [`nonsense,${first}`, 0, "nonsense"],
      [`${first}&${name}=${first},nonsense`, 2, "nonsense"],
      [`${first},`, 1, ""],
      [`${first},%20${first}`, 1, ` ${first}`],
      ["", 0, ""],
    ] as const) {
      expect(parse(query, `?${name}=${value}`), value).toMatchObject({
        code: "validation_failed",
        issues: [
          {
            path: [name, index],
            code: "invalid_value",
            message: expect.stringMatching(`^"${unknown}" is not one of ${first}`),
          },
        ],
      });
    }
  });

  test.each(LISTS)("$title is documented with both spellings", ({ path, method, name, schema }) => {
    const [first, second] = valuesOf(schema);
    const documented = parametersOf(path, method).find((parameter) => parameter.name === name);
    expect(documented).toMatchObject({ in: "query", style: "form", explode: true });
    expect(documented?.description).toContain(`\`${name}=${first}&${name}=${second}\``);
    expect(documented?.description).toContain(`\`${name}=${first},${second}\``);
  });

  it("is every parameter whose type is an array in the document", () => {
    const arrays = contracts.flatMap(({ path, method }) =>
      parametersOf(path, method)
        .filter(({ schema }) => schema.type === "array")
        .map(({ name }) => `${method} ${path} ${name}`),
    );
    expect(LISTS.map(({ title }) => title).toSorted()).toEqual(arrays.toSorted());
  });

  it("keeps commas in lists of free text and in single values", () => {
    const query = z.strictObject({
      label: closedList(z.enum(["A", "B"])).optional(),
      name: z.array(z.string()).optional(),
      one: z.string().optional(),
    });
    expect(parse(query, "?name=a,b&name=c&one=d,e&label=A,B")).toEqual({
      name: ["a,b", "c"],
      one: "d,e",
      label: ["A", "B"],
    });
  });

  it("is read by every route, whose 400 names the unknown value", async () => {
    const { send } = testApp();
    const path = "/v1/things/ext:one?label=";
    const answer = await send("GET", `${path}A,B`);
    expect(JSON.parse(await answer.text())).toMatchObject({
      input: { query: { label: ["A", "B"] } },
    });
    const refused = await send("GET", `${path}A,${"C".repeat(200)}`);
    expect(refused.status).toBe(400);
    const [issue] = (await problemOf(refused)).issues ?? [];
    expect(issue).toMatchObject({ message: `"${"C".repeat(100)}" is not one of A, B.` });
  });
});

/** Returns every schema that a value refers to, with the value itself. */
function withReferences(value: unknown, known = new Set<string>()): string {
  const text = JSON.stringify(value);
  const names = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name = ""]) => name);
  const added = names.filter((name) => !known.has(name));
  for (const name of added) known.add(name);
  return [
    text,
    ...added.map((name) => withReferences(document.components.schemas[name], known)),
  ].join();
}

describe("an API tool", () => {
  it("finds no example in a query or a header that it would send unasked", () => {
    const prefilled = contracts.flatMap(({ path, method }) =>
      parametersOf(path, method)
        .filter((parameter) => parameter.in !== "path")
        .filter((parameter) => /"examples?":/.test(withReferences(parameter)))
        .map(({ name }) => `${method} ${path} ${name}`),
    );
    expect(prefilled).toEqual([]);
  });

  it("finds the examples of parameters in their descriptions", () => {
    const described = parametersOf("/v1/tasks", "GET").map(({ description }) => description ?? "");
    for (const example of [
      "ext:gsm8k-0042",
      "math.arithmetic",
      "2026-11-21T20:19:57.204813+05:30",
    ]) {
      expect(described.some((text) => text.endsWith(`For example, \`${example}\`.`))).toBe(true);
    }
  });
});
