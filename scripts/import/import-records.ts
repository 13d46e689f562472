import { z } from "zod";
import { IMPORT_OUTCOMES, type ImportOutcome } from "../../src/actions/tasks/import-tasks.ts";
import type { Issue } from "../../src/domain/refusals.ts";
import { taskRoutes } from "../../src/routes/tasks.ts";
import { BODY_BYTES_MAX } from "../../src/routes/http/contract.ts";
import type { ApiClient, ApiProblem } from "./api-client.ts";
import { inBatches, type Size } from "./batches.ts";
import { inHalves } from "./in-halves.ts";
import { judgeBody } from "./judge-body.ts";
import type { MappedRecord, TaskBody } from "./mappings.ts";
import { RECORD_LENGTH_MAX } from "./reading.ts";
import { lengthOf, NO_WORK, type Work } from "./work.ts";

/** What became of one record of the file. */
export interface ImportedRecord {
  line: number;
  externalId: string | null;
  outcome: ImportOutcome;
  /** The task; none where there is none yet. */
  id?: string | undefined;
  /** Why it did not go in. */
  issues?: readonly Issue[];
  /** What the record bears beside its task. */
  work: Work;
}

export interface ImportOptions {
  /** Records in a request. */
  batchMax: number;
  /** Judges every record, and sends none. */
  isDryRun: boolean;
}

/** The parts of the request's body around the tasks. */
const ENVELOPE = ['{"tasks":[', "]}"] as const;
const BATCH_BYTES_MAX = BODY_BYTES_MAX.large - Buffer.byteLength(ENVELOPE.join(""));
/** Texts travel by themselves, and may be as long as a record: memory must not grow with five hundred of them. */
const BATCH_KEPT_MAX = 4 * RECORD_LENGTH_MAX;

/**
 * Imports records through the public API, and tells batch by batch what became of them. Tasks that are there
 * already stay as they are: an import that was cut off is continued by starting it again.
 */
export async function* importRecords(
  client: ApiClient,
  records: AsyncIterable<MappedRecord>,
  { batchMax, isDryRun }: ImportOptions,
): AsyncGenerator<ImportedRecord[]> {
  const limits = { count: batchMax, bytes: BATCH_BYTES_MAX, kept: BATCH_KEPT_MAX };
  // Asking first spares sending what is there already; among new tasks it would be a request for nothing.
  let asksFirst = true;
  for await (const batch of inBatches(prepared(records), limits)) {
    const known = asksFirst || isDryRun ? await lookUp(client, batch) : new Map<string, string>();
    const unknown = batch.flatMap((record) =>
      record.json !== null && !known.has(record.externalId) ? [record] : [],
    );
    const made = isDryRun ? unknown.map(judge) : await send(client, unknown);
    const outcomes = new Map(unknown.map((record, index) => [record, made[index]]));
    const told = batch.map((record): ImportedRecord => {
      const { line, externalId } = record;
      if (record.json === null)
        return { line, externalId, outcome: "invalid", issues: record.issues, work: NO_WORK };
      const outcome = outcomes.get(record);
      const id = known.get(record.externalId);
      return outcome ?? { ...nameOf(record), outcome: "exists", id };
    });
    asksFirst = told.some(({ outcome }) => outcome === "exists");
    yield told;
  }
}

/** A record as it travels: its JSON, made once, is also what is counted. */
type Prepared = Size & { line: number } & (
    | { externalId: string; body: TaskBody; work: Work; json: string }
    | { externalId: string | null; json: null; issues: readonly Issue[] }
  );
type Sendable = Extract<Prepared, { json: string }>;

async function* prepared(records: AsyncIterable<MappedRecord>): AsyncGenerator<Prepared> {
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

const EXTERNAL_ID_LENGTH_MAX = 200;
const lookedUp = z.object({ found: z.array(z.object({ input: z.string(), id: z.string() })) });

/** Which of the records are tasks already. */
async function lookUp(client: ApiClient, batch: readonly Prepared[]): Promise<Map<string, string>> {
  const ids = batch.flatMap(({ json, externalId }) =>
    json !== null && isAskable(externalId) ? [`ext:${externalId}`] : [],
  );
  if (ids.length === 0) return new Map();
  const { found } = await client.call(
    { method: "POST", path: "/tasks/lookup", body: { ids } },
    lookedUp,
  );
  return new Map(found.map(({ input, id }) => [input.slice("ext:".length), id]));
}

/** An id that no task can have would fail the question about all others. */
function isAskable(externalId: string | null): externalId is string {
  return (
    externalId !== null &&
    externalId !== "" &&
    externalId.length <= EXTERNAL_ID_LENGTH_MAX &&
    !externalId.includes("\0") &&
    externalId.isWellFormed()
  );
}

const imported = z.object({
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

/** Sends records, and tells of each what became of it. */
function send(client: ApiClient, records: readonly Sendable[]): Promise<ImportedRecord[]> {
  return inHalves(
    records,
    async (some) => {
      const [head, tail] = ENVELOPE;
      const body = `${head}${some.map(({ json }) => json).join(",")}${tail}`;
      const request = { method: "POST", path: "/tasks/import", body } as const;
      const { items } = await client.call(request, imported);
      return some.map((record, index): ImportedRecord => {
        const item = items[index];
        if (item === undefined) throw new Error("The answer tells of every record");
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

/** Why something was refused. */
export function issuesOf(problem: ApiProblem): readonly Issue[] {
  if (problem.issues.length > 0) return problem.issues;
  return [{ path: [], code: problem.code, message: problem.message }];
}

const nameOf = ({ line, externalId, work }: Sendable) => ({ line, externalId, work });

/** What the service would say, by the very schema that it validates with. */
function judge(record: Sendable): ImportedRecord {
  if (record.bytes > BATCH_BYTES_MAX) {
    const message = `It is larger than a request may be (${BODY_BYTES_MAX.large} bytes).`;
    const issues = [{ path: [], code: "payload_too_large", message }];
    return { ...nameOf(record), outcome: "invalid", issues };
  }
  const issues = judgeBody(taskRoutes, "createTask", record.body);
  const outcome = issues.length === 0 ? "created" : "invalid";
  return { ...nameOf(record), outcome, ...(issues.length > 0 && { issues }) };
}
