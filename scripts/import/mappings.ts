import { createHash } from "node:crypto";
import { stringify } from "safe-stable-stringify";
import { z } from "zod";
import type { Issue } from "../../src/domain/refusals.ts";
import type { StepKind } from "../../src/domain/lifecycle/statuses.ts";
import type { FileRecord } from "./reading.ts";
import { isGiven } from "../../src/domain/data/kinds.ts";
import { type Work, workShape } from "./work.ts";

/** The body of POST /v1/tasks. The import uses only the external id; the service validates the rest. */
export type TaskBody = Record<string, unknown> & { externalId: string };

/** A mapped record: the body to send with its data and evals, or what is wrong with the record. */
export type MappedRecord = { line: number } & (
  | {
      externalId: string;
      body: TaskBody;
      work: Work;
      /** True if the record has no id of its own. */
      isIdDerived: boolean;
      issues?: never;
    }
  | { externalId: string | null; body?: never; work?: never; issues: readonly Issue[] }
);

export interface MappingContext {
  fileName: string;
  /** The stage at which the tasks start, if not at the first. */
  start: StepKind | null;
}

export const MAPPINGS = ["auto", "gsm8k"] as const;
export type MappingName = (typeof MAPPINGS)[number];

/** The models whose solutions are in the GSM8K file. */
export const GSM8K_MODELS = [
  "6b_finetuning",
  "6b_verification",
  "175b_finetuning",
  "175b_verification",
] as const;

const solution = z.object({ is_correct: z.boolean(), solution: z.string().min(1) });
const gsm8kLine = z.object({
  question: z.string().min(1),
  ground_truth: z.string().min(1),
  "6b_finetuning": solution,
  "6b_verification": solution,
  "175b_finetuning": solution,
  "175b_verification": solution,
});

/** Returns the mapping for a file, given its first record. */
export function detectMapping(first: unknown): MappingName {
  return gsm8kLine.safeParse(first).success ? "gsm8k" : "auto";
}

/** Maps a record of a file to the body of a task. */
export function mapRecord(
  name: MappingName,
  record: FileRecord,
  context: MappingContext,
): MappedRecord {
  const { line, issues } = record;
  const mapped = name === "gsm8k" ? mapGsm8k(record) : mapAsIs(record);
  // A record that parsing would change is reported with its id and not sent.
  if (issues !== undefined) return { line, externalId: mapped.externalId, issues };
  if (mapped.body === undefined || context.start === null) return mapped;
  const start = { kind: context.start, reason: `Imported from ${context.fileName}.` };
  return { ...mapped, body: { ...mapped.body, start } };
}

/**
 * Maps a line of GSM8K. The question becomes the instructions. The known answer becomes golden data, because solvers of
 * the task can read its content. The models' solutions become trials with outputs.
 */
function mapGsm8k({ line, value }: FileRecord): MappedRecord {
  const parsed = gsm8kLine.safeParse(value);
  if (!parsed.success) return { line, externalId: null, issues: parsed.error.issues.map(issueOf) };
  const { question, ground_truth: groundTruth } = parsed.data;
  const fields = {
    title: titleFrom(question),
    taxonomyCode: "math.word_problem",
    content: { instructions: question, metadata: { source: { dataset: "gsm8k" } } },
  };
  const trials = GSM8K_MODELS.map((model) => {
    const { is_correct: passed, solution: output } = parsed.data[model];
    return { k: 1, model, passed, output };
  });
  const work = workShape.parse({
    data: [{ kind: "golden", text: groundTruth }],
    evals: [{ name: "gsm8k", k: 1, trials }],
  });
  const externalId = derivedId("gsm8k", fields, work);
  return { line, externalId, body: { externalId, ...fields }, work, isIdDerived: true };
}

function issueOf({ path, code, message }: z.core.$ZodIssue): Issue {
  return {
    path: path.map((part) => (typeof part === "number" ? part : String(part))),
    code,
    message,
  };
}

const textContent = z.looseObject({
  instructions: z.string().optional(),
  brief: z.string().optional(),
});

/**
 * Maps a record that already has the shape of the body. The title and the external id may be missing; `data` and
 * `evals` are split off.
 */
function mapAsIs({ line, value }: FileRecord): MappedRecord {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const message = "A task must be a JSON object.";
    return { line, externalId: null, issues: [{ path: [], code: "invalid_type", message }] };
  }
  const { externalId: given, data, evals, ...fields }: Record<string, unknown> = { ...value };
  if (given !== undefined && given !== null && typeof given !== "string") {
    const message = "The external id must be a string.";
    const path = ["externalId"];
    return { line, externalId: null, issues: [{ path, code: "invalid_type", message }] };
  }
  const work = workShape.safeParse({ data, evals });
  if (!work.success) {
    return { line, externalId: given ?? null, issues: work.error.issues.map(issueOf) };
  }
  const content = textContent.safeParse(fields["content"]);
  const words = content.success ? (content.data.instructions ?? content.data.brief) : undefined;
  const needsTitle = fields["title"] === undefined && words !== undefined && words.trim() !== "";
  const title = needsTitle ? { title: titleFrom(words) } : {};
  const externalId = given ?? derivedId("record", { ...title, ...fields }, work.data);
  return {
    line,
    externalId,
    body: { externalId, ...title, ...fields },
    work: work.data,
    isIdDerived: externalId !== given,
  };
}

/**
 * Returns an id made of the record's content, so that a repeated import creates no duplicates, whatever the file is
 * called and wherever the record is in it. Golden and source data are part of what a task is; evals, other data,
 * priority and assignee can change between two imports.
 */
function derivedId(prefix: string, fields: object, { data }: Work): string {
  const { priority: _, assignee: __, ...content }: Record<string, unknown> = { ...fields };
  const given = data.flatMap(({ kind, text }) => (isGiven(kind) ? [[kind, text]] : []));
  const digest = createHash("sha256").update(stringify([content, given]));
  return `${prefix}-${digest.digest("hex").slice(0, DERIVED_DIGITS)}`;
}

/** 128 bits: no two records of any import share them by chance. */
const DERIVED_DIGITS = 32;

const TITLE_LENGTH_MAX = 80;

/** Returns the first words of a text on one line, at most 80 characters and an ellipsis. */
export function titleFrom(text: string): string {
  const words = text.replaceAll(/[\s\p{Cc}]+/gu, " ").trim();
  if (words.length <= TITLE_LENGTH_MAX) return words;
  const cut = words.slice(0, TITLE_LENGTH_MAX);
  const lastBlank = cut.lastIndexOf(" ");
  // Without a space to cut at, do not leave half of a surrogate pair.
  const whole = lastBlank > 0 ? cut.slice(0, lastBlank) : cut.replace(/[\uD800-\uDBFF]$/, "");
  return `${whole}…`;
}
