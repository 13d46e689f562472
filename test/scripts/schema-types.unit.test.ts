import { describe, expect, test } from "vitest";
import { member, schema, typeOf } from "../../scripts/generate/schema-types.ts";

const typeFor = (json: unknown): string => typeOf(schema.parse(json), "");

describe("a schema as a TypeScript type", () => {
  test.each([
    [{}, "unknown"],
    [{ description: "Any JSON value." }, "unknown"],
    [{ type: "string", format: "uuid", maxLength: 36 }, "string"],
    [{ type: "integer", minimum: 0 }, "number"],
    [{ type: ["string", "null"] }, "string | null"],
    [{ type: "string", enum: ["a", "b"] }, '"a" | "b"'],
    [{ type: ["string", "null"], enum: ["a"] }, '"a" | null'],
    [{ type: "boolean", enum: [true] }, "true"],
    [{ const: 7 }, "7"],
    [{ $ref: "#/components/schemas/Task" }, "Task"],
    [{ allOf: [{ $ref: "#/components/schemas/Id" }, { description: "Whose." }] }, "Id"],
    [
      { allOf: [{ $ref: "#/components/schemas/A" }, { $ref: "#/components/schemas/B" }] },
      "(A) & (B)",
    ],
    [{ anyOf: [{ $ref: "#/components/schemas/Id" }, { type: "null" }] }, "Id | null"],
    [{ oneOf: [{ type: "string" }, { type: "integer" }, { type: "string" }] }, "string | number"],
    [{ type: "array", items: { type: "string" } }, "readonly string[]"],
    [{ type: "array", items: { enum: ["a", "b"] } }, 'ReadonlyArray<"a" | "b">'],
    [
      { type: "array", prefixItems: [{ type: "number" }, { type: "null" }] },
      "readonly [number, null]",
    ],
    [{ type: "object", additionalProperties: { type: "number" } }, "Record<string, number>"],
    [{ type: "object", additionalProperties: {} }, "Record<string, unknown>"],
    [{ type: "object", additionalProperties: false }, "Record<string, never>"],
  ])("for %j is %s", (json, type) => {
    expect(typeFor(json)).toBe(type);
  });

  test("has its members with their descriptions, and an index signature if others are allowed", () => {
    const json = {
      type: "object",
      properties: {
        id: { type: "string" },
        "content-type": { type: "string", description: "Which." },
      },
      required: ["id"],
      additionalProperties: {},
    };
    expect(typeFor(json)).toBe(
      [
        "{",
        "  id: string;",
        "  /** Which. */",
        '  "content-type"?: string | undefined;',
        "  [member: string]: unknown;",
        "}",
      ].join("\n"),
    );
  });

  test("escapes the end of a comment in a description", () => {
    const described = schema.parse({ type: "string", description: "Like */*.\nOr not." });
    expect(member({ name: "glob", isRequired: true, schema: described, indent: "" })).toBe(
      "/**\n * Like *\\/*.\n * Or not.\n */\nglob: string;\n",
    );
  });

  test("is not generated from a schema with an unknown keyword", () => {
    expect(() => schema.parse({ type: "object", patternProperties: {} })).toThrow(
      "patternProperties",
    );
  });
});
