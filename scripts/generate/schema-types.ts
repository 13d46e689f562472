import { z } from "zod";

const literal = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const typeName = z.enum(["string", "integer", "number", "boolean", "null", "array", "object"]);
type TypeName = z.output<typeof typeName>;
const unread = z.unknown().optional();

/**
 * The part of JSON Schema that the service's contracts use. Strict, because an unknown keyword would silently be missing
 * from the types.
 */
export const schema = z.strictObject({
  $ref: z.string().optional(),
  type: z.union([typeName, z.array(typeName)]).optional(),
  enum: z.array(literal).optional(),
  const: literal.optional(),
  get items() {
    return schema.optional();
  },
  get prefixItems() {
    return z.array(schema).optional();
  },
  get properties() {
    return z.record(z.string(), schema).optional();
  },
  get additionalProperties() {
    return z.union([z.boolean(), schema]).optional();
  },
  get allOf() {
    return z.array(schema).optional();
  },
  get anyOf() {
    return z.array(schema).optional();
  },
  get oneOf() {
    return z.array(schema).optional();
  },
  required: z.array(z.string()).optional(),
  description: z.string().optional(),
  // These keywords constrain or describe a value, which a type cannot express.
  format: unread,
  pattern: unread,
  minimum: unread,
  maximum: unread,
  exclusiveMinimum: unread,
  exclusiveMaximum: unread,
  multipleOf: unread,
  minLength: unread,
  maxLength: unread,
  minItems: unread,
  maxItems: unread,
  minProperties: unread,
  maxProperties: unread,
  default: unread,
  example: unread,
  examples: unread,
  discriminator: unread,
});
export type Schema = z.output<typeof schema>;

const COMPONENTS = "#/components/schemas/";

/** Converts a schema to a TypeScript type. `indent` is the indentation of the line on which the type begins. */
export function typeOf(schema: Schema, indent: string): string {
  if (schema.$ref !== undefined) return schema.$ref.slice(COMPONENTS.length);
  if (schema.allOf !== undefined) return joined(schema.allOf, "&", indent);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return joined(choices, "|", indent);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const types = [schema.type ?? []].flat();
  if (schema.enum !== undefined) {
    const values = types.includes("null") ? [...schema.enum, null] : schema.enum;
    return union(values.map((value) => JSON.stringify(value)));
  }
  return union(types.map((type) => typeNamed(type, schema, indent)));
}

function typeNamed(type: TypeName, schema: Schema, indent: string): string {
  switch (type) {
    case "integer":
      return "number";
    case "array":
      return arrayType(schema, indent);
    case "object":
      return objectType(schema, indent);
    case "string":
    case "number":
    case "boolean":
    case "null":
      return type;
  }
}

function arrayType({ items = {}, prefixItems }: Schema, indent: string): string {
  if (prefixItems !== undefined) {
    return `readonly [${prefixItems.map((item) => typeOf(item, indent)).join(", ")}]`;
  }
  const item = typeOf(items, indent);
  return /^\w+$/.test(item) ? `readonly ${item}[]` : `ReadonlyArray<${item}>`;
}

/** Returns the known members, and an index signature if others are allowed. */
function objectType(schema: Schema, indent: string): string {
  const others = schema.additionalProperties;
  const isOpen = typeof others === "object" || others === true;
  const other = typeof others === "object" ? typeOf(others, indent) : "unknown";
  const properties = Object.entries(schema.properties ?? {});
  if (properties.length === 0) return `Record<string, ${isOpen ? other : "never"}>`;
  const lines = properties.map(([name, property]) => {
    const isRequired = schema.required?.includes(name) === true;
    return member({ name, isRequired, schema: property, indent: `${indent}  ` });
  });
  if (isOpen) lines.push(`${indent}  [member: string]: ${other};\n`);
  return `{\n${lines.join("")}${indent}}`;
}

/** Returns one member of an object type, below its description. */
export function member(given: {
  name: string;
  isRequired: boolean;
  schema: Schema;
  indent: string;
}): string {
  const { name, isRequired, schema, indent } = given;
  const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
  const type = optional(isRequired, typeOf(schema, indent));
  return `${comment(descriptionOf(schema), indent)}${indent}${key}${type};\n`;
}

/** Returns what follows a member's name. An optional member also accepts `undefined`, so callers need not omit it. */
export function optional(isRequired: boolean, type: string): string {
  if (isRequired) return `: ${type}`;
  return type === "unknown" ? "?: unknown" : `?: ${type} | undefined`;
}

/** Returns a documentation comment on lines of its own, or "" without a text. */
export function comment(text: string | undefined, indent: string): string {
  if (text === undefined) return "";
  const lines = text.replaceAll("*/", "*\\/").split("\n");
  if (lines.length === 1) return `${indent}/** ${text} */\n`;
  const starred = lines.map((line) => `${indent} * ${line}`.trimEnd());
  return `${indent}/**\n${starred.join("\n")}\n${indent} */\n`;
}

/** Returns the description of a schema. Next to a $ref, it is in a part of `allOf`. */
function descriptionOf({ description, allOf = [] }: Schema): string | undefined {
  return description ?? allOf.map(({ description }) => description).find(Boolean);
}

function joined(parts: readonly Schema[], operator: "&" | "|", indent: string): string {
  // A part that only has a description does not affect the type.
  const types = parts.map((part) => typeOf(part, indent)).filter((type) => type !== "unknown");
  if (types.length === 1) return types.join("");
  return operator === "&" ? types.map((type) => `(${type})`).join(" & ") : union(types);
}

function union(types: readonly string[]): string {
  return types.length === 0 ? "unknown" : [...new Set(types)].join(" | ");
}
