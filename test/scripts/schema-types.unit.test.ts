import { describe, expect, test } from "vitest";
import { member, schema, typeOf } from "../../scripts/generate/schema-types.ts";

const typed = (told: unknown): string => typeOf(schema.parse(told), "");

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
  ])("%j is %s", (told, type) => {
    expect(typed(told)).toBe(type);
  });

  test("has its members with what is said of them, and an index where others may come", () => {
    const told = {
      type: "object",
      properties: {
        id: { type: "string" },
        "content-type": { type: "string", description: "Which." },
      },
      required: ["id"],
      additionalProperties: {},
    };
    expect(typed(told)).toBe(
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

  test("ends no comment early, whatever is said", () => {
    const described = schema.parse({ type: "string", description: "Like */*.\nOr not." });
    expect(member({ name: "glob", isRequired: true, schema: described, indent: "" })).toBe(
      "/**\n * Like *\\/*.\n * Or not.\n */\nglob: string;\n",
    );
  });

  test("is refused where a keyword is not understood, rather than lost", () => {
    expect(() => schema.parse({ type: "object", patternProperties: {} })).toThrow(
      "patternProperties",
    );
  });
});
