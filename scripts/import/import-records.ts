import { z } from "zod";
import { IMPORT_OUTCOMES, type ImportOutcome } from "../../src/actions/tasks/import-tasks.ts";
import type { Issue } from "../../src/domain/refusals.ts";
import { BODY_BYTES_MAX } from "../../src/routes/http/contract.ts";
import type { ApiClient, ApiProblem } from "./api-client.ts";
import { inBatches, type Size } from "./batches.ts";
import { sendOrSplit } from "./send-or-split.ts";
import type { MappedRecord, TaskBody } from "./mappings.ts";
import { RECORD_LENGTH_MAX } from "./reading.ts";
import { lengthOf, NO_WORK, type Work } from "./work.ts";

/** The outcome of one record of the file. */
export interface ImportedRecord {
  line: number;
  externalId: string | null;
  outcome: ImportOutcome;
  /** The id of the task, if it exists. */
  id?: string | undefined;
  /** Why the record was not imported. */
  issues?: readonly Issue[];
  /** The record's data and evals. */
  work: Work;
}

export interface ImportOptions {
  /** The maximum number of records in a request. */
  batchMax: number;
  /** Asks the service what it would do, and changes nothing. */
  isDryRun: boolean;
}

/** The parts of the request's body around the tasks. */
const ENVELOPE = ['{"dryRun":false,"tasks":[', "]}"] as const;
const BATCH_BYTES_MAX = BODY_BYTES_MAX.large - Buffer.byteLength(ENVELOPE.join(""));
/** Texts are sent separately and may each be as long as a record. This keeps a batch of 500 from filling the memory. */
const BATCH_KEPT_MAX = 4 * RECORD_LENGTH_MAX;

/**
 * Imports records through the public API, and yields the outcomes batch by batch. Existing tasks stay as they are, so
 * an interrupted import continues when it is started again. The service compares each record with the task that has its
 * id; nothing of a record that differs is attached to that task.
 */
export async function* importRecords(
  client: ApiClient,
  records: AsyncIterable<MappedRecord>,
  { batchMax, isDryRun }: ImportOptions,
): AsyncGenerator<ImportedRecord[]> {
  const limits = { count: batchMax, bytes: BATCH_BYTES_MAX, kept: BATCH_KEPT_MAX };
  for await (const batch of inBatches(prepare(records), limits)) {
    const sendable = batch.flatMap((record) => (record.json === null ? [] : [record]));
    const results = await send(client, sendable, { isDryRun });
    const outcomes = new Map<Prepared, ImportedRecord | undefined>(
      sendable.map((record, index) => [record, results[index]]),
    );
    yield batch.map((record): ImportedRecord => {
      const { line, externalId } = record;
      if (record.json === null)
        return { line, externalId, outcome: "invalid", issues: record.issues, work: NO_WORK };
      const imported = outcomes.get(record);
      if (imported === undefined) throw new Error("A record was sent and has no outcome");
      return imported;
    });
  }
}

/** A record ready to send. Its JSON is serialized once, for both its size and the request body. */
type Prepared = Size & { line: number } & (
    | { externalId: string; body: TaskBody; work: Work; json: string }
    | { externalId: string | null; json: null; issues: readonly Issue[] }
  );
type Sendable = Extract<Prepared, { json: string }>;

async function* prepare(records: AsyncIterable<MappedRecord>): AsyncGenerator<Prepared> {
  for await (const { line, externalId, body, work, issues } of records) {
    if (body === undefined) {
      yield { line, externalId, json: null, issues, bytes: 0, kept: 0 };
      continue;
    }
    const json = JSON.stringify(body);
    const comma = 1;
    const bytes = Buffer.byteLength(json) + comma;
    yield { line, externalId, body, work, json, bytes, kept: lengthOf(work) };
  }
}

const importResponse = z.object({
  items: z.array(
    z.object({
      outcome: z.enum(IMPORT_OUTCOMES),
      id: z.string().optional(),
      differences: z
        .array(
          z.object({
            path: z.array(z.string()),
            existing: z.string().nullable(),
            given: z.string().nullable(),
          }),
        )
        .optional(),
      issues: z
        .array(
          z.object({
            path: z.array(z.union([z.string(), z.number()])),
            code: z.string(),
            message: z.string(),
          }),
        )
        .optional(),
    }),
  ),
});

/** Sends records and returns the outcome of each, in order. */
function send(
  client: ApiClient,
  records: readonly Sendable[],
  { isDryRun }: { isDryRun: boolean },
): Promise<ImportedRecord[]> {
  return sendOrSplit(
    records,
    async (some) => {
      const [head, tail] = ENVELOPE;
      const start = isDryRun ? head.replace("false", "true") : head;
      const body = `${start}${some.map(({ json }) => json).join(",")}${tail}`;
      const request = { method: "POST", path: "/tasks/import", body } as const;
      const { items } = await client.call(request, importResponse);
      return some.map((record, index): ImportedRecord => {
        const item = items[index];
        if (item === undefined) throw new Error("The response has no item for a record");
        const { outcome, id, differences, issues = differences?.map(differenceIssue) } = item;
        const { work, ...name } = nameOf(record);
        return {
          ...name,
          outcome,
          id,
          work: outcome === "differs" ? NO_WORK : work,
          ...(issues !== undefined && { issues }),
        };
      });
    },
    (record, problem) => ({
      ...nameOf(record),
      outcome: "invalid",
      issues: issuesOf(problem),
    }),
  );
}

/** Returns the issues of a problem, or the problem itself as one issue. */
export function issuesOf(problem: ApiProblem): readonly Issue[] {
  if (problem.issues.length > 0) return problem.issues;
  return [{ path: [], code: problem.code, message: problem.message }];
}

const nameOf = ({ line, externalId, work }: Sendable) => ({ line, externalId, work });

/** Says what a task has and what the record of its id has instead. */
function differenceIssue({
  path,
  existing,
  given,
}: {
  path: string[];
  existing: string | null;
  given: string | null;
}): Issue {
  const quoted = (value: string | null) => (value === null ? "nothing" : JSON.stringify(value));
  const message = `The task with this id has ${quoted(existing)}, the record has ${quoted(given)}.`;
  return { path, code: "differs", message };
}
