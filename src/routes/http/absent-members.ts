import * as z from "zod";

/**
 * Returns the value without the members that are null where the schema has an optional member that cannot be null: in
 * requests, null means that such a member is absent. A member that can be null keeps it, and so does JSON that the schema
 * does not describe. Copies only what changes.
 */
export function withoutAbsentMembers(schema: z.core.$ZodType, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const inner = unwrapped(schema);
  if (inner instanceof z.ZodArray) {
    return Array.isArray(value) ? withItems(inner.element, value) : value;
  }
  if (Array.isArray(value)) return value;
  if (inner instanceof z.ZodObject) return withMembers(inner.shape, value);
  if (inner instanceof z.ZodUnion) {
    const shape = shapes.get(inner) ?? shapeOf(inner);
    shapes.set(inner, shape);
    return withMembers(shape, value);
  }
  return value;
}

/** The merged members of each union, because a body can have a thousand items of one. */
const shapes = new WeakMap<z.ZodUnion, Shape>();

type Shape = Readonly<Record<string, z.core.$ZodType>>;

function withItems(element: z.core.$ZodType, items: readonly unknown[]): readonly unknown[] {
  const changed = items.map((item) => withoutAbsentMembers(element, item));
  return changed.some((item, index) => item !== items[index]) ? changed : items;
}

function withMembers(shape: Shape, value: object): object {
  const members = Object.entries(value).flatMap(([key, member]): [string, unknown][] => {
    const schema = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (schema === undefined) return [[key, member]];
    if (member === null) return isAbsentIfNull(schema) ? [] : [[key, member]];
    return [[key, withoutAbsentMembers(schema, member)]];
  });
  const isSame =
    members.length === Object.keys(value).length &&
    members.every(([key, member]) => member === (value as Record<string, unknown>)[key]);
  return isSame ? value : Object.fromEntries(members);
}

function isAbsentIfNull(schema: z.core.$ZodType): boolean {
  return z.safeParse(schema, undefined).success && !z.safeParse(schema, null).success;
}

/**
 * Merges the members of a union's alternatives, so that a null does not decide between them. A member that only some of
 * them have is optional.
 */
function shapeOf(union: z.ZodUnion): Shape {
  const alternatives = union.options.flatMap((option): Shape[] => {
    const inner = unwrapped(option);
    return inner instanceof z.ZodObject ? [inner.shape] : [];
  });
  const shape: Record<string, z.core.$ZodType> = {};
  for (const key of new Set(alternatives.flatMap((members) => Object.keys(members)))) {
    const schemas = alternatives.flatMap((members) => members[key] ?? []);
    const [first] = schemas;
    if (first === undefined) continue;
    const either = schemas.length === 1 ? first : z.union(schemas as [z.ZodType, ...z.ZodType[]]);
    shape[key] = schemas.length < alternatives.length ? z.optional(either as z.ZodType) : either;
  }
  return shape;
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodReadonly
  ) {
    return unwrapped(schema.unwrap());
  }
  return schema instanceof z.ZodPipe ? unwrapped(schema.in) : schema;
}
