import * as z from "zod";

const COMPONENTS = "#/components/schemas/";

const schemaObject = z.record(z.string(), z.unknown());
type Schema = z.output<typeof schemaObject>;

const documentParts = z.looseObject({
  paths: schemaObject,
  components: z.looseObject({ schemas: z.record(z.string(), schemaObject).default({}) }),
});

/** A query or header parameter. Parameters of a path are required, so tools never send their examples unasked. */
const parameter = z.looseObject({
  in: z.enum(["query", "header"]),
  name: z.string(),
  description: z.string().optional(),
  schema: schemaObject,
});

/**
 * Returns the document with its query and header parameters as API tools need them. Tools send the example of a
 * parameter if the reader does not delete it, so examples move to the descriptions. A list says how it is written.
 */
export function withPlainParameters(document: unknown): object {
  const members = schemaObject.parse(document);
  const { paths, components } = documentParts.parse(document);
  return { ...members, paths: plain(paths, components.schemas) };
}

function plain(node: unknown, components: Readonly<Record<string, Schema>>): unknown {
  if (Array.isArray(node)) return node.map((item) => plain(item, components));
  if (typeof node !== "object" || node === null) return node;
  const found = parameter.safeParse(node);
  if (!found.success) {
    return Object.fromEntries(
      Object.entries(node).map(([name, member]) => [name, plain(member, components)]),
    );
  }
  const { name, description, schema } = found.data;
  const examples = examplesIn(schema, components);
  const sentences = [
    description,
    ...examples.slice(0, 1).map((example) => `For example, \`${String(example)}\`.`),
    ...spellingsOf(name, schema, components),
  ].filter((sentence) => sentence !== undefined);
  return {
    ...node,
    schema: examples.length === 0 ? schema : withoutExamples(schema, components),
    ...(sentences.length > 0 && { description: sentences.join(" ") }),
    ...(schema["type"] === "array" && { style: "form", explode: true }),
  };
}

/** Returns a sentence about the two ways to write a closed list, in a query. Empty for anything else. */
function spellingsOf(
  name: string,
  { items }: Schema,
  components: Readonly<Record<string, Schema>>,
) {
  const values = z
    .array(z.string())
    .safeParse(resolved(schemaObject.parse(items ?? {}), components)["enum"]);
  const [one, other = one] = values.data ?? [];
  if (one === undefined) return [];
  return [
    `Repeat the parameter or separate the values with commas: \`${name}=${one}&${name}=${other}\` and \`${name}=${one},${other}\` are the same.`,
  ];
}

/** Returns the schema that a reference names, or the schema itself. */
function resolved(schema: Schema, components: Readonly<Record<string, Schema>>): Schema {
  const reference = schema["$ref"];
  if (typeof reference !== "string") return schema;
  return components[reference.slice(COMPONENTS.length)] ?? schema;
}

/** Returns the examples of a schema and of its parts, the outermost first. */
function examplesIn(schema: Schema, components: Readonly<Record<string, Schema>>): unknown[] {
  const { example, allOf, anyOf } = resolved(schema, components);
  const parts = [...partsOf(allOf), ...partsOf(anyOf)];
  return [
    ...(example === undefined ? [] : [example]),
    ...parts.flatMap((part) => examplesIn(part, components)),
  ];
}

/** Returns the schema without its examples. A component that has one is copied, because others need it as it is. */
function withoutExamples(schema: Schema, components: Readonly<Record<string, Schema>>): Schema {
  const { example: _, allOf, anyOf, ...rest } = resolved(schema, components);
  const without = (part: Schema) => withoutExamples(part, components);
  const choices = partsOf(anyOf).map(without);
  const merged = [...partsOf(allOf).map(without), rest].flatMap((part) => Object.entries(part));
  return { ...Object.fromEntries(merged), ...(choices.length > 0 && { anyOf: choices }) };
}

const partsOf = (parts: unknown): Schema[] => z.array(schemaObject).safeParse(parts).data ?? [];
