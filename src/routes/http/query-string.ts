import * as z from "zod";
import type { Issue } from "../../domain/refusals.ts";
import { type Parsed, invalid } from "./validation.ts";

/**
 * Parses a query string strictly: percent escapes must be UTF-8, and a parameter can be repeated only if its schema is
 * an array. The schema rejects unknown names later.
 */
export function readQuery(search: string, schema: z.ZodType): Parsed<Record<string, unknown>> {
  const repeatable = repeatableParameters(schema);
  const values = new Map<string, string | string[]>();
  const issues: Issue[] = [];

  for (const pair of search.replace(/^\?/, "").split("&")) {
    if (pair === "") continue;
    const separator = pair.includes("=") ? pair.indexOf("=") : pair.length;
    const name = decoded(pair.slice(0, separator));
    const value = decoded(pair.slice(separator + 1));
    if (name === null || value === null) {
      const path = name === null ? [] : [name];
      issues.push({ path, code: "invalid_text", message: "Percent escapes must be UTF-8." });
      continue;
    }
    const earlier = values.get(name);
    if (repeatable.has(name)) {
      if (Array.isArray(earlier)) earlier.push(value);
      else values.set(name, [value]);
    } else if (earlier === undefined) {
      values.set(name, value);
    } else {
      issues.push({
        path: [name],
        code: "repeated_parameter",
        message: "This parameter cannot be repeated.",
      });
    }
  }
  if (issues.length > 0) return { ok: false, fault: invalid(issues) };
  return { ok: true, value: Object.fromEntries(values) };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return null;
  }
}

function repeatableParameters(schema: z.ZodType): ReadonlySet<string> {
  if (!(schema instanceof z.ZodObject)) return new Set();
  const names = Object.entries(schema.shape).flatMap(([name, field]) =>
    isArray(field) ? [name] : [],
  );
  return new Set(names);
}

function isArray(schema: unknown): boolean {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault)
    return isArray(schema.unwrap());
  return schema instanceof z.ZodArray;
}
