import type * as z from "zod";
import type { Issue } from "../../domain/refusals.ts";
import { listKind } from "./closed-list.ts";
import { type Parsed, invalid } from "./validation.ts";

/**
 * Parses a query string strictly: percent escapes must be UTF-8, and a parameter can be repeated only if its schema is
 * an array. A comma separates the values of a closed list, and is a character of any other text. The schema rejects
 * unknown names later.
 */
export function readQuery(search: string, schema: z.ZodObject): Parsed<Record<string, unknown>> {
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
    const kind = Object.hasOwn(schema.shape, name) ? listKind(schema.shape[name]) : null;
    if (kind !== null) {
      const added = kind === "closed" ? value.split(",") : [value];
      values.set(name, Array.isArray(earlier) ? [...earlier, ...added] : added);
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
