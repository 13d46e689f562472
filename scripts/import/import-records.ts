import { z } from "zod";
import { IMPORT_OUTCOMES, type ImportOutcome } from "../../src/actions/tasks/import-tasks.ts";
import type { Issue } from "../../src/domain/refusals.ts";
import { taskRoutes } from "../../src/routes/tasks.ts";
import { BODY_BYTES_MAX } from "../../src/routes/http/contract.ts";
import { externalId } from "../../src/routes/http/schemas.ts";
import type { ApiClient, ApiProblem } from "./api-client.ts";
import { inBatches, type Size } from "./batches.ts";
import { sendOrSplit } from "./send-or-split.ts";
import { validateBody } from "./validate-body.ts";
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
  /** Only validates the records; sends none. */
  isDryRun: boolean;
}

/** The parts of the request's body around the tasks. */
const ENVELOPE = ['{"tasks":[', "]}"] as const;
const BATCH_BYTES_MAX = BODY_BYTES_MAX.large - Buffer.byteLength(ENVELOPE.join(""));
/** Texts are sent separately and may each be as long as a record. This keeps a batch of 500 from filling the memory. */
const BATCH_KEPT_MAX = 4 * RECORD_LENGTH_MAX;

/**
 * Imports records through the public API, and yields the outcomes batch by batch. Existing tasks stay as they are, so
 * an interrupted import continues when it is started again.
 */
export async function* importRecords(
  client: ApiClient,
  records: AsyncIterable<MappedRecord>,
  { batchMax, isDryRun }: ImportOptions,
): AsyncGenerator<ImportedRecord[]> {
  const limits = { count: batchMax, bytes: BATCH_BYTES_MAX, kept: BATCH_KEPT_MAX };
  // A lookup avoids sending tasks that exist. Among new tasks it would be a wasted request, so it is done only for the
  // first batch and after a batch with existing tasks.
  let looksUpFirst = true;
  for await (const batch of inBatches(prepare(records), limits)) {
    const known =
      looksUpFirst || isDryRun ? await lookUp(client, batch) : new Map<string, string>();
    const unknown = batch.flatMap((record) =>
      record.json !== null && !known.has(record.externalId) ? [record] : [],
    );
    const results = isDryRun ? unknown.map(validateRecord) : await send(client, unknown);
    const outcomes = new Map(unknown.map((record, index) => [record, results[index]]));
    const imported = batch.map((record): ImportedRecord => {
      const { line, externalId } = record;
      if (record.json === null)
        return { line, externalId, outcome: "invalid", issues: record.issues, work: NO_WORK };
      const outcome = outcomes.get(record);
      const id = known.get(record.externalId);
      return outcome ?? { ...nameOf(record), outcome: "exists", id };
    });
    looksUpFirst = imported.some(({ outcome }) => outcome === "exists");
    yield imported;
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

const lookupResponse = z.object({
  found: z.array(z.object({ input: z.string(), id: z.string() })),
});

/** Returns the ids of the records' existing tasks, by external id. */
async function lookUp(client: ApiClient, batch: readonly Prepared[]): Promise<Map<string, string>> {
  // One invalid external id would fail the lookup of all others.
  const ids = batch.flatMap(({ json, externalId: name }) =>
    json !== null && externalId.safeParse(name).success ? [`ext:${name}`] : [],
  );
  if (ids.length === 0) return new Map();
  const { found } = await client.call(
    { method: "POST", path: "/tasks/lookup", body: { ids } },
    lookupResponse,
  );
  return new Map(found.map(({ input, id }) => [input.slice("ext:".length), id]));
}

const importResponse = z.object({
  items: z.array(
    z.object({
      outcome: z.enum(IMPORT_OUTCOMES),
      id: z.string().optional(),
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
function send(client: ApiClient, records: readonly Sendable[]): Promise<ImportedRecord[]> {
  return sendOrSplit(
    records,
    async (some) => {
      const [head, tail] = ENVELOPE;
      const body = `${head}${some.map(({ json }) => json).join(",")}${tail}`;
      const request = { method: "POST", path: "/tasks/import", body } as const;
      const { items } = await client.call(request, importResponse);
      return some.map((record, index): ImportedRecord => {
        const item = items[index];
        if (item === undefined) throw new Error("The response has no item for a record");
        const { outcome, id, issues } = item;
        return { ...nameOf(record), outcome, id, ...(issues !== undefined && { issues }) };
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

/** Returns the outcome that the service would report, using the schema that the service validates with. */
function validateRecord(record: Sendable): ImportedRecord {
  if (record.bytes > BATCH_BYTES_MAX) {
    const message = `The record is larger than the limit of a request (${BODY_BYTES_MAX.large} bytes).`;
    const issues = [{ path: [], code: "payload_too_large", message }];
    return { ...nameOf(record), outcome: "invalid", issues };
  }
  const issues = validateBody(taskRoutes, "createTask", record.body);
  const outcome = issues.length === 0 ? "created" : "invalid";
  return { ...nameOf(record), outcome, ...(issues.length > 0 && { issues }) };
}
