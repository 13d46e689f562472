import * as z from "zod";

/**
 * Fixes what zod-to-openapi writes so that tools read it as zod does. A nullable component becomes a choice of the
 * component and null, because no value satisfies its `allOf` of both. A nullable list of values includes null. A tuple
 * has items and a length. A pattern has no regex flag.
 */
export function satisfiable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(satisfiable);
  if (typeof value !== "object" || value === null) return value;
  const fixed: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    const isFlagged = name === "pattern" && typeof member === "string";
    fixed[name] = isFlagged ? member.replace(/\/u$/, "") : satisfiable(member);
  }
  return withTupleItems(withNull(componentOrNull(fixed)));
}

const types = z.array(z.string()).refine((listed) => listed.includes("null"));

const NULLABLE = z.looseObject({
  allOf: z.tuple([z.strictObject({ $ref: z.string() }), z.looseObject({ type: types })]),
});

function componentOrNull(schema: object): object {
  const nullable = NULLABLE.safeParse(schema);
  if (!nullable.success) return schema;
  const [component, { type: _, ...annotations }] = nullable.data.allOf;
  return { anyOf: [component, { type: "null" }], ...annotations };
}

const NULLABLE_VALUES = z.looseObject({ type: types, enum: z.array(z.unknown()) });

function withNull(schema: object): object {
  const listed = NULLABLE_VALUES.safeParse(schema);
  if (!listed.success || listed.data.enum.includes(null)) return schema;
  return { ...listed.data, enum: [...listed.data.enum, null] };
}

const TUPLE = z.looseObject({ prefixItems: z.array(z.unknown()) });

function withTupleItems(schema: object): object {
  const tuple = TUPLE.safeParse(schema);
  if (!tuple.success) return schema;
  const { prefixItems } = tuple.data;
  const kinds = new Map(prefixItems.map((item) => [JSON.stringify(item), item]));
  const items = kinds.size === 1 ? prefixItems[0] : { anyOf: [...kinds.values()] };
  const { length } = prefixItems;
  return { ...schema, items, minItems: length, maxItems: length };
}
