import { z } from "zod";

const literal = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const typeName = z.enum(["string", "integer", "number", "boolean", "null", "array", "object"]);
type TypeName = z.output<typeof typeName>;
const unread = z.unknown().optional();

/**
 * The part of JSON Schema that the service's contracts use. Strict: a keyword that is not known here would be lost
 * in the types without a word.
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
  // These narrow a value or tell of it, which types cannot.
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

/** A schema as a TypeScript type; `indent` is that of the line on which it begins. */
export function typeOf(told: Schema, indent: string): string {
  if (told.$ref !== undefined) return told.$ref.slice(COMPONENTS.length);
  if (told.allOf !== undefined) return joined(told.allOf, "&", indent);
  const choices = told.anyOf ?? told.oneOf;
  if (choices !== undefined) return joined(choices, "|", indent);
  if (told.const !== undefined) return JSON.stringify(told.const);
  const types = [told.type ?? []].flat();
  if (told.enum !== undefined) {
    const values = types.includes("null") ? [...told.enum, null] : told.enum;
    return union(values.map((value) => JSON.stringify(value)));
  }
  return union(types.map((type) => typeNamed(type, told, indent)));
}

function typeNamed(type: TypeName, told: Schema, indent: string): string {
  switch (type) {
    case "integer":
      return "number";
    case "array":
      return arrayType(told, indent);
    case "object":
      return objectType(told, indent);
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

/** Members that are known, and an index where others may stand beside them. */
function objectType(told: Schema, indent: string): string {
  const others = told.additionalProperties;
  const isOpen = typeof others === "object" || others === true;
  const other = typeof others === "object" ? typeOf(others, indent) : "unknown";
  const properties = Object.entries(told.properties ?? {});
  if (properties.length === 0) return `Record<string, ${isOpen ? other : "never"}>`;
  const lines = properties.map(([name, property]) => {
    const isRequired = told.required?.includes(name) === true;
    return member({ name, isRequired, told: property, indent: `${indent}  ` });
  });
  if (isOpen) lines.push(`${indent}  [member: string]: ${other};\n`);
  return `{\n${lines.join("")}${indent}}`;
}

/** One line of an object type, under what is said of it. */
export function member(given: {
  name: string;
  isRequired: boolean;
  told: Schema;
  indent: string;
}): string {
  const { name, isRequired, told, indent } = given;
  const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
  const type = optional(isRequired, typeOf(told, indent));
  return `${comment(wordsOf(told), indent)}${indent}${key}${type};\n`;
}

/** What follows a member's name. `undefined` is let in, so that callers need not leave members out by hand. */
export function optional(isRequired: boolean, type: string): string {
  if (isRequired) return `: ${type}`;
  return type === "unknown" ? "?: unknown" : `?: ${type} | undefined`;
}

/** A documentation comment on lines of its own. */
export function comment(text: string | undefined, indent: string): string {
  if (text === undefined) return "";
  const lines = text.replaceAll("*/", "*\\/").split("\n");
  if (lines.length === 1) return `${indent}/** ${text} */\n`;
  const told = lines.map((line) => `${indent} * ${line}`.trimEnd());
  return `${indent}/**\n${told.join("\n")}\n${indent} */\n`;
}

/** What is said of a schema; beside a component it stands in a part of its own. */
function wordsOf({ description, allOf = [] }: Schema): string | undefined {
  return description ?? allOf.map(({ description }) => description).find(Boolean);
}

function joined(parts: readonly Schema[], operator: "&" | "|", indent: string): string {
  // A part that only describes says nothing of the type.
  const types = parts.map((part) => typeOf(part, indent)).filter((type) => type !== "unknown");
  if (types.length === 1) return types.join("");
  return operator === "&" ? types.map((type) => `(${type})`).join(" & ") : union(types);
}

function union(types: readonly string[]): string {
  return types.length === 0 ? "unknown" : [...new Set(types)].join(" | ");
}
