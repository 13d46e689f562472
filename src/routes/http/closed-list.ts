import * as z from "zod";

/**
 * Returns a schema of a list whose values the contract lists. In a query, its parameter can be repeated, and one
 * parameter can hold several values that are separated by commas.
 */
export const closedList = <Values extends z.ZodEnum>(value: Values) =>
  z.array(value).min(1).max(value.options.length);

/** Returns what kind of list the schema of a query parameter is, or null if it is not a list. */
export function listKind(schema: unknown): "closed" | "open" | null {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) {
    return listKind(schema.unwrap());
  }
  if (!(schema instanceof z.ZodArray)) return null;
  return isClosed(schema.element) ? "closed" : "open";
}

function isClosed(value: unknown): boolean {
  return value instanceof z.ZodPipe ? isClosed(value.out) : value instanceof z.ZodEnum;
}

/** Says which value is unknown, because it can be one of many in a list. At most 100 characters of it are quoted. */
export const namesUnknownValue: z.core.$ZodErrorMap = ({ code, input, values }) => {
  if (code !== "invalid_value" || typeof input !== "string") return undefined;
  const known = Array.isArray(values) ? values.join(", ") : "";
  return `${JSON.stringify(input.slice(0, VALUE_LENGTH_MAX))} is not one of ${known}.`;
};

const VALUE_LENGTH_MAX = 100;
