import * as z from "zod";
import { $ZodCheckMaxLength } from "zod/v4/core";
import type { Issue } from "../../domain/refusals.ts";
import type { Fault } from "./problem.ts";
import { withoutAbsentMembers } from "./absent-members.ts";

const ISSUES_MAX = 100;
const SEGMENT_LENGTH_MAX = 100;

export type Parsed<Value> = { ok: true; value: Value } | { ok: false; fault: Fault };

/**
 * Returns the parsed value, or the fault `validation_failed` or `too_many_items`. A null is taken for an absent member
 * where the member is optional and cannot be null. `context` can have
 * an `error` that returns the message of an issue, or undefined for Zod's own.
 */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  context: z.core.ParseContext<z.core.$ZodIssue> = {},
): Parsed<z.output<Schema>> {
  const max = longListMax(schema, value);
  if (max !== null) return { ok: false, fault: { code: "too_many_items", max } };
  const parsed = schema.safeParse(withoutAbsentMembers(schema, value), context);
  if (parsed.success) return { ok: true, value: parsed.data };
  return { ok: false, fault: invalid(parsed.error.issues.flatMap(issuesOf)) };
}

/** Returns the fault `validation_failed` with at most 100 issues. */
export function invalid(issues: readonly Issue[]): Fault {
  return { code: "validation_failed", issues: issues.slice(0, ISSUES_MAX).map(shortened) };
}

/** Shortens the caller's keys that the issue quotes, which can have any length. */
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
        message: "This field is not allowed.",
      }));
    case "custom": {
      const code: unknown = issue.params?.["code"];
      return [{ path, code: typeof code === "string" ? code : issue.code, message: issue.message }];
    }
    case "invalid_union": {
      // The alternative with the fewest issues is most likely the intended one.
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
 * Returns the maximum length of a list in the value that is too long, or null. Runs before validation, which would
 * create an issue for each of a million invalid items.
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

/** Returns whether an alternative of a union could be the intended one: an object has no unknown keys in it. */
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
