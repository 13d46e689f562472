import * as z from "zod";
import "./openapi-metadata.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import { isStorable } from "./json-scan.ts";

/** Any UUID, in lower case: one id has one spelling in fingerprints and comparisons. */
export const uuid = z
  .guid()
  .toLowerCase()
  .openapi("Id", { format: "uuid", example: "01932d4a-7c3e-7b11-9a42-5d0c9e6f1a20" });

/** One line of text, and nothing that a database or a terminal would take for more. */
const lineText = (max: number) =>
  safeText(max)
    .min(1)
    .regex(/^\P{Cc}*$/u, "Control characters are not allowed.");

/** Text that comes back as it was sent: no NUL, no half of a surrogate pair. */
export function safeText(max: number) {
  return z
    .string()
    .max(max)
    .superRefine((text, context) => {
      if (isStorable(text)) return;
      context.addIssue({
        code: "custom",
        params: { code: "invalid_text" },
        message: "Text must not hold NUL or half a surrogate pair.",
      });
    });
}

/** A short name that people read: a title, an assignee, a model. */
export const name = (max = 200) => lineText(max).regex(/\S/, "Must not be blank.");

export const externalId = lineText(200).openapi("ExternalId", {
  description: "The id that the task has where it comes from; unique in the tenant.",
  example: "gsm8k-0042",
});

const EXTERNAL_PREFIX = "ext:";

/** A task's id, or `ext:` and its external id. */
export const taskRef = z
  .string()
  .transform((text, context): TaskRef => {
    const isExternal = text.startsWith(EXTERNAL_PREFIX);
    const parsed = isExternal
      ? externalId.safeParse(text.slice(EXTERNAL_PREFIX.length))
      : uuid.safeParse(text);
    if (parsed.success) {
      return isExternal ? { externalId: parsed.data } : { id: parsed.data };
    }
    for (const issue of parsed.error.issues) {
      const code: unknown = issue.code === "custom" ? issue.params?.["code"] : issue.code;
      context.addIssue({ code: "custom", params: { code }, message: issue.message });
    }
    return z.NEVER;
  })
  .openapi("TaskRef", {
    type: "string",
    description: "A task's id, or `ext:` and its external id.",
    example: "ext:gsm8k-0042",
  });

/** Why somebody did it. */
export const reason = safeText(2000).min(1).regex(/\S/, "Must not be blank.").openapi("Reason", {
  description: "Why; it is stored on the event.",
  example: "Answer verified.",
});

/** An instant in UTC, as the database tells it: with microseconds. */
export const timestamp = z.iso
  .datetime({ offset: false })
  // ISO 8601 has a year 0, the database's calendar has not.
  .regex(/^(?!0000)/, "There is no year 0.")
  .openapi("Timestamp", { format: "date-time", example: "2026-11-21T20:19:57.204813Z" });

const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** Any JSON value that nothing in the product interprets. */
export const freeFormValue = z
  .unknown()
  .superRefine(refuseForbiddenKeys)
  .openapi({ description: "Any JSON value." });

/** A JSON object that nothing in the product interprets. */
export const metadata = z
  .custom<Record<string, unknown>>(isObject, { error: "Expected an object", abort: true })
  .superRefine(refuseForbiddenKeys)
  .openapi("Metadata", {
    type: "object",
    additionalProperties: true,
    description: "A JSON object of your own; it comes back as it was sent.",
    example: { difficulty: 3, source: { dataset: "gsm8k", row: 42 } },
  });

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Sooner or later somebody merges such objects with Object.assign, and these keys would change all others. */
function refuseForbiddenKeys(value: unknown, context: z.RefinementCtx): void {
  const visit = (node: unknown, path: (string | number)[]): void => {
    if (typeof node !== "object" || node === null) return;
    const isList = Array.isArray(node);
    for (const [key, item] of Object.entries(node)) {
      if (!isList && FORBIDDEN_KEYS.has(key)) {
        context.addIssue({
          code: "custom",
          path: [...path, key],
          params: { code: "forbidden_key" },
          message: "This key is not allowed.",
        });
      } else if (typeof item === "object") {
        visit(item, [...path, isList ? Number(key) : key]);
      }
    }
  };
  visit(value, []);
}

/** A whole number in a query string. */
export function integerText(min: number, max: number) {
  return z
    .string()
    .regex(/^-?\d{1,15}$/, "Must be a whole number.")
    .transform(Number)
    .pipe(z.number().int().min(min).max(max))
    .openapi({ type: "integer", minimum: min, maximum: max });
}

/** A yes or no in a query string. */
export const booleanText = z
  .enum(["true", "false"])
  .transform((text) => text === "true")
  .openapi({ type: "boolean" });

export const LIMIT_MAX = 200;
export const LIMIT_DEFAULT = 50;

/** What every list takes. */
export const paging = {
  limit: integerText(1, LIMIT_MAX).default(LIMIT_DEFAULT).openapi({
    type: "integer",
    minimum: 1,
    maximum: LIMIT_MAX,
    default: LIMIT_DEFAULT,
  }),
  cursor: safeText(4096).optional().openapi({ description: "`nextCursor` of the page before." }),
};

/** One page of a list; `nextCursor` is null on the last one. */
export function page<Item extends z.ZodType>(item: Item) {
  return z.strictObject({ data: z.array(item), nextCursor: z.string().nullable() });
}
