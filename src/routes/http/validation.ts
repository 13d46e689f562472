import * as z from "zod";
import { $ZodCheckMaxLength } from "zod/v4/core";
import type { Issue } from "../../domain/refusals.ts";
import type { Fault } from "./problem.ts";

/** Enough to mend a request by. */
const ISSUES_MAX = 100;
const SEGMENT_LENGTH_MAX = 100;

export type Parsed<Value> = { ok: true; value: Value } | { ok: false; fault: Fault };

/** Parses a value at the edge; zod's many ways to say no become one. */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): Parsed<z.output<Schema>> {
  const max = longListMax(schema, value);
  if (max !== null) return { ok: false, fault: { code: "too_many_items", max } };
  const parsed = schema.safeParse(value);
  if (parsed.success) return { ok: true, value: parsed.data };
  return { ok: false, fault: invalid(parsed.error.issues.flatMap(issuesOf)) };
}

/** The one validation answer. */
export function invalid(issues: readonly Issue[]): Fault {
  return { code: "validation_failed", issues: issues.slice(0, ISSUES_MAX).map(shortened) };
}

/** Keys come from the caller: the answer quotes them, but never at any length. */
function shortened({ path, code, message }: Issue): Issue {
  const segments = path.map((segment) =>
    typeof segment === "string" ? segment.slice(0, SEGMENT_LENGTH_MAX) : segment,
  );
  return { path: segments, code, message };
}

function issuesOf(issue: z.core.$ZodIssue): Issue[] {
  const path = issue.path.map((segment) =>
    typeof segment === "symbol" ? String(segment) : segment,
  );
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({
        path: [...path, key],
        code: issue.code,
        message: "This field is not taken here.",
      }));
    case "custom": {
      const code: unknown = issue.params?.["code"];
      return [{ path, code: typeof code === "string" ? code : issue.code, message: issue.message }];
    }
    case "invalid_union": {
      // The alternative that came nearest tells the most.
      const nearest = issue.errors.toSorted((one, other) => one.length - other.length)[0] ?? [];
      if (nearest.length === 0) return [{ path, code: issue.code, message: issue.message }];
      return nearest
        .flatMap(issuesOf)
        .map((inner) => ({ ...inner, path: [...path, ...inner.path] }));
    }
    default:
      return [{ path, code: issue.code, message: issue.message }];
  }
}

/**
 * Counts lists before their items are validated: a million bad items would make a million issues first. Returns
 * the maximum that a list of the value goes beyond.
 */
function longListMax(schema: z.core.$ZodType, value: unknown): number | null {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault
  ) {
    return longListMax(schema.unwrap(), value);
  }
  if (schema instanceof z.ZodArray && Array.isArray(value)) {
    const maximum = lengthMax(schema);
    return value.length > maximum ? maximum : null;
  }
  if (schema instanceof z.ZodObject && typeof value === "object" && value !== null) {
    const fields = new Map<string, z.core.$ZodType>(Object.entries(schema.shape));
    for (const [key, field] of Object.entries(value)) {
      const fieldSchema = fields.get(key);
      const max = fieldSchema === undefined ? null : longListMax(fieldSchema, field);
      if (max !== null) return max;
    }
    return null;
  }
  if (schema instanceof z.ZodUnion) {
    const maxima = schema.options
      .filter((option) => knowsKeysOf(option, value))
      .map((option) => longListMax(option, value));
    if (maxima.length === 0) return null;
    return maxima.includes(null) ? null : Math.max(...maxima.filter((max) => max !== null));
  }
  return null;
}

/** Whether an alternative could be the one that is meant: an object of other members is not. */
function knowsKeysOf(option: z.core.$ZodType, value: unknown): boolean {
  if (!(option instanceof z.ZodObject) || typeof value !== "object" || value === null) return true;
  return Object.keys(value).every((key) => key in option.shape);
}

function lengthMax(list: z.ZodArray): number {
  const maxima = (list.def.checks ?? []).flatMap((check) =>
    check instanceof $ZodCheckMaxLength ? [check._zod.def.maximum] : [],
  );
  return Math.min(...maxima);
}
