import * as z from "zod";
import "./zod-openapi.ts";
import {
  type Parsed as ParsedTime,
  parseAfter,
  parseTime,
  parseTimeOrDay,
  parseTimeOrLocalDay,
} from "../../domain/moments.ts";
import { type TaskRef, taskRefOf } from "../../domain/task-ref.ts";
import { isStorable } from "./json-scan.ts";
import { hidesCharacters, isVisible, reordersLine } from "./readable-text.ts";

/** Any UUID, converted to lower case so that an id has one spelling in fingerprints and comparisons. */
export const uuid = z
  .guid()
  .toLowerCase()
  .openapi("Id", { format: "uuid", example: "01932d4a-7c3e-7b11-9a42-5d0c9e6f1a20" });

// Spelled by code, because engines without Unicode properties read the pattern in the OpenAPI document too.
// oxlint-disable-next-line no-control-regex -- the control characters are what it rejects
const NO_CONTROLS = /^[^\x00-\x1f\x7f-\x9f]*$/;

/** One line of text without control characters. */
const lineText = (max: number) =>
  safeText(max).min(1).regex(NO_CONTROLS, "Control characters are not allowed.");

/** Returns a schema of text that Postgres can store unchanged: no NUL and no unpaired surrogate. */
export function safeText(max: number) {
  return z
    .string()
    .max(max)
    .superRefine((text, context) => {
      if (isStorable(text)) return;
      context.addIssue({
        code: "custom",
        params: { code: "invalid_text" },
        message: "Text must not contain NUL or an unpaired surrogate.",
      });
    });
}

type TextRule = (text: string) => string | null;

/** Returns a check that reports the message of each rule that the text breaks. */
function rules(...broken: readonly TextRule[]) {
  return (text: string, context: z.RefinementCtx): void => {
    for (const message of broken.map((rule) => rule(text)).filter((found) => found !== null)) {
      context.addIssue({ code: "custom", params: { code: "invalid_text" }, message });
    }
  };
}

const visible: TextRule = (text) =>
  // A pattern already reports text that is blank.
  /\S/.test(text) && !isVisible(text) ? "Must have a visible character." : null;
const inOrder: TextRule = (text) =>
  reordersLine(text) ? "Characters that reorder text or break lines are not allowed." : null;
const unhidden: TextRule = (text) =>
  isVisible(text) && !reordersLine(text) && hidesCharacters(text)
    ? "Invisible characters are not allowed here."
    : null;

/** Returns a schema of a title in any language. It can have the direction marks of mixed Hebrew and Latin text. */
export const titleText = (max: number) =>
  lineText(max).regex(/\S/, "Must not be blank.").superRefine(rules(visible, inOrder));

/**
 * Returns a schema of a short name by which people tell things apart: an assignee, a model, a key. A name cannot have
 * invisible characters that make it look like another one.
 */
export const name = (max = 200) => titleText(max).superRefine(rules(unhidden));

/** The subject of a token: 255 characters (OpenID Connect Core 1.0, section 2), and a prefix. */
export const subject = name(262);

export const emailAddress = z.email().max(254);

const EXTERNAL_ID_MAX = 200;

export const externalId = lineText(EXTERNAL_ID_MAX)
  .regex(/\S/, "Must not be blank.")
  .superRefine(rules(visible, inOrder, unhidden))
  .openapi("ExternalId", {
    description:
      "The task's id in the system that it comes from. Unique within the tenant. Stored as you sent it. Ids that differ only in Unicode composition (NFC, NFD) or in surrounding blanks are the same id.",
    example: "gsm8k-0042",
  });

/** Looser than `externalId`, so that the ids of tasks from before its rules still resolve. */
export const knownExternalId = lineText(EXTERNAL_ID_MAX);

const EXTERNAL_PREFIX = "ext:";

/** A task's id, or `ext:` followed by its external id. */
export const taskRef = z
  .string()
  .transform((text, context): TaskRef => {
    const isExternal = text.startsWith(EXTERNAL_PREFIX);
    const parsed = isExternal
      ? knownExternalId.safeParse(text.slice(EXTERNAL_PREFIX.length))
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
    description: "A task's id, or `ext:` followed by its external id.",
    example: "ext:gsm8k-0042",
  });

/**
 * A name in a list of tasks. Looser than `taskRef`: one that no task can have is not found, and the others of the list go
 * on.
 */
export const listedName = z.string().openapi("ListedTaskRef", {
  description:
    "A task's id, or `ext:` followed by its external id. A malformed one is treated like that of a task that does not exist.",
  example: "ext:gsm8k-0042",
});

/** `listedName`, parsed. */
export const listedTaskRef = listedName.transform(taskRefOf);

/** Free text of several lines. Readers see it as a paragraph of its own, so it may change direction. */
export const reason = safeText(2000)
  .min(1)
  .regex(/\S/, "Must not be blank.")
  .superRefine(rules(visible))
  .openapi("Reason", {
    description: "Why the change is made, up to 2,000 characters. Stored on the event.",
    example: "Answer verified.",
  });

/** What is wrong with one item of a list, as answers that judge each item by itself show it. */
export const itemIssues = z
  .array(
    z.strictObject({
      path: z.array(z.union([z.string(), z.number()])),
      code: z.string(),
      message: z.string(),
    }),
  )
  .readonly();

/** A time in responses: UTC, with six decimals. */
export const timestamp = z.iso
  .datetime({ offset: false })
  .openapi("Timestamp", { format: "date-time", example: "2026-11-21T20:19:57.204813Z" });

/** Returns a schema of text that `parse` converts to a time in UTC with microseconds. */
const parsedTime = (parse: (text: string) => ParsedTime) =>
  z.string().transform((text, context) => {
    const parsed = parse(text);
    if (parsed.ok) return parsed.value;
    context.addIssue({
      code: "custom",
      params: { code: "invalid_format" },
      message: parsed.message,
    });
    return z.NEVER;
  });

const ANY_OFFSET =
  "A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed.";
const EXAMPLE = "2026-11-21T20:19:57.204813+05:30";

/** A time in requests. */
export const time = parsedTime(parseTime).openapi("Time", {
  type: "string",
  format: "date-time",
  description: ANY_OFFSET,
  example: EXAMPLE,
});

/** The start or the end of a window in requests. */
export const timeOrDay = parsedTime(parseTimeOrDay).openapi("TimeOrDay", {
  type: "string",
  description: `${ANY_OFFSET} A date alone means the first moment of that day in UTC.`,
  example: EXAMPLE,
});

/** The start or the end of a window in requests that name a time zone. A date stays a date. */
export const timeOrLocalDay = parsedTime(parseTimeOrLocalDay).openapi("TimeOrLocalDay", {
  type: "string",
  description: `${ANY_OFFSET} A date alone means the first moment of that day in the time zone.`,
  example: EXAMPLE,
});

/** The time after which something happened, in requests. */
export const afterTime = parsedTime(parseAfter).openapi("AfterTime", {
  type: "string",
  description: `${ANY_OFFSET} A date alone includes that day, from its first moment in UTC.`,
  example: EXAMPLE,
});

const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** Any JSON value. The product stores it and never interprets it. */
export const freeFormValue = z
  .unknown()
  .superRefine(rejectForbiddenKeys)
  .openapi({ description: "Any JSON value." });

/** A JSON object. The product stores it and never interprets it. */
export const metadata = z
  .custom<Record<string, unknown>>(isObject, { error: "Expected an object", abort: true })
  .superRefine(rejectForbiddenKeys)
  .openapi("Metadata", {
    type: "object",
    additionalProperties: true,
    description: "A JSON object of your own, returned as you sent it.",
    example: { difficulty: 3, source: { dataset: "gsm8k", row: 42 } },
  });

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Rejects keys that would pollute the prototype of every object if code merged them with a recursive assign. */
function rejectForbiddenKeys(value: unknown, context: z.RefinementCtx): void {
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

/** Returns a schema of an integer in a query string, which it parses. */
export function integerText(min: number, max: number) {
  return z
    .string()
    .regex(/^-?\d{1,15}$/, "Must be an integer.")
    .transform(Number)
    .pipe(z.number().int().min(min).max(max))
    .openapi({ type: "integer", minimum: min, maximum: max });
}

/** A boolean in a query string. */
export const booleanText = z
  .enum(["true", "false"])
  .transform((text) => text === "true")
  .openapi({ type: "boolean" });

/**
 * The parameters of a list's filter, one for each field of the filter in `src/db`. A list states them with `satisfies`,
 * so that a field without a parameter, or a parameter of another type, does not compile.
 */
export type FilterQuery<Filter> = { [Field in keyof Filter]-?: z.ZodType<Filter[Field]> };

export const LIMIT_MAX = 200;
export const LIMIT_DEFAULT = 50;

/** The query parameters of every list. */
export const paging = {
  limit: integerText(1, LIMIT_MAX).default(LIMIT_DEFAULT).openapi({
    type: "integer",
    minimum: 1,
    maximum: LIMIT_MAX,
    default: LIMIT_DEFAULT,
    description: "The maximum number of items on a page.",
  }),
  cursor: safeText(4096).optional().openapi({
    description: "The `nextCursor` of the previous page. Omit it for the first page.",
  }),
};

/** Returns the schema of one page of a list. `nextCursor` is null on the last page. */
export function page<Item extends z.ZodType>(item: Item) {
  return z.strictObject({
    data: z.array(item),
    nextCursor: z
      .string()
      .nullable()
      .openapi({ description: "The `cursor` of the next page; null on the last page." }),
  });
}
