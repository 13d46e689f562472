import { z } from "zod";
import { RECORD_OUTCOMES, type RecordOutcome } from "../../src/domain/evals/decide/record.ts";
import { TRIALS_MAX } from "../../src/domain/evals/decision.ts";
import type { Issue } from "../../src/domain/refusals.ts";
import { dataRoutes } from "../../src/routes/data.ts";
import { evalRoutes } from "../../src/routes/evals.ts";
import { type ApiClient, ApiProblem } from "./api-client.ts";
import { inHalves } from "./in-halves.ts";
import { inParallel } from "./in-parallel.ts";
import { type ImportedRecord, issuesOf } from "./import-records.ts";
import { judgeBody } from "./judge-body.ts";
import { type Artifact, artifactOf, outputOf, type Trial, type Work } from "./work.ts";

/** What became of all that a record bears beside its task. */
export interface ImportedWork {
  data: Record<"stored" | "exists" | "refused", number>;
  trials: Record<RecordOutcome | "refused", number>;
  /** Why some of it did not go in. */
  issues: Issue[];
}

/** What became of a record, and of what it bears beside its task; null where nothing of that was sent. */
export interface ImportedLine {
  record: ImportedRecord;
  work: ImportedWork | null;
}

/** A record whose task is there, while its texts and trials are brought in. */
interface Underway {
  record: ImportedRecord;
  taskId: string;
  told: ImportedWork;
  /** The data that a text is, by what the service tells them apart by. */
  stored: Map<string, Stored>;
}

interface Stored {
  id: string;
  isStored: boolean;
}

/**
 * Brings in the texts and trials of records whose tasks are there. What is there already stays as it is, so that
 * starting again continues this too.
 * @returns what became of each record's, in order.
 */
export async function importWork(
  client: ApiClient,
  records: readonly ImportedRecord[],
  onTask: () => void,
): Promise<ImportedLine[]> {
  const underway = records.map((record): Underway | null => {
    const { id: taskId, work } = record;
    if (taskId === undefined || work.data.length + work.evals.length === 0) return null;
    return { record, taskId, told: nothingYet(), stored: new Map() };
  });
  const withTask = underway.filter((one) => one !== null);
  await inParallel(withTask, async (one) => {
    await storeTexts(client, one);
    onTask();
  });
  await recordTrials(client, withTask);
  return records.map((record, index) => ({ record, work: underway[index]?.told ?? null }));
}

const nothingYet = (): ImportedWork => ({
  data: { stored: 0, exists: 0, refused: 0 },
  trials: { recorded: 0, exists: 0, conflict: 0, not_found: 0, refused: 0 },
  issues: [],
});

/** Judges what a record bears beside its task, and sends none of it. */
export function judgeWork({ work }: ImportedRecord): ImportedWork | null {
  const told = nothingYet();
  for (const { artifact, path } of textsOf(work)) {
    const issues = judgeBody(dataRoutes, "declareData", declarationOf(artifact));
    if (issues.length > 0) told.data.refused += 1;
    told.issues.push(...placed(path, issues));
  }
  for (const [number, { name, k, trials }] of work.evals.entries()) {
    for (const [index, trial] of trials.entries()) {
      const body = { name, k, results: [{ task: NIL, ...fieldsOf(trial) }] };
      const issues = judgeBody(evalRoutes, "recordEvaluation", body);
      if (issues.length > 0) told.trials.refused += 1;
      told.issues.push(...placed(["evals", number, "trials", index], issues));
    }
  }
  return told.issues.length === 0 ? null : told;
}

/** Stands for a task that is not made yet. */
const NIL = "00000000-0000-0000-0000-000000000000";

/** One text after the other: of two that are the same, the first one is declared. */
async function storeTexts(client: ApiClient, one: Underway): Promise<void> {
  const { record, taskId, told, stored } = one;
  const texts = textsOf(record.work);
  // A task that was made just now has none yet: asking would be a request for nothing.
  if (record.outcome === "exists" && texts.length > 0) {
    for (const row of await listData(client, taskId)) stored.set(nameOf(row), row);
  }
  for (const { artifact, path } of texts) {
    try {
      told.data[await store(client, one, artifact)] += 1;
    } catch (error) {
      if (!isAboutThis(error)) throw error;
      told.data.refused += 1;
      told.issues.push(...placed(path, issuesOf(error)));
    }
  }
}

/** Every text of a record, with its place in it. */
function textsOf({ data, evals }: Work): { artifact: Artifact; path: Issue["path"] }[] {
  const outputs = evals.flatMap(({ trials }, number) =>
    trials.flatMap((trial, index) => {
      const artifact = outputOf(trial);
      const path = ["evals", number, "trials", index, "output"];
      return artifact === null ? [] : [{ artifact, path }];
    }),
  );
  return [
    ...data.map((datum, index) => ({ artifact: artifactOf(datum), path: ["data", index] })),
    ...outputs,
  ];
}

/** By kind and content the service tells the data of a task apart. */
const nameOf = ({ kind, sha256 }: { kind: string; sha256: string }) => `${kind} ${sha256}`;

const dataPage = z.object({
  data: z.array(
    z
      .object({
        id: z.string(),
        kind: z.string(),
        sha256: z.string(),
        uri: z.string().nullable(),
        storedAt: z.string().nullable(),
      })
      // What lives elsewhere is never sent.
      .transform(({ uri, storedAt, ...row }) => ({
        ...row,
        isStored: uri !== null || storedAt !== null,
      })),
  ),
  nextCursor: z.string().nullable(),
});
const PAGE_MAX = 200;

async function listData(client: ApiClient, taskId: string) {
  const rows: z.output<typeof dataPage>["data"] = [];
  let cursor: string | null = null;
  do {
    const after: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const path = `/data?task=${taskId}&limit=${PAGE_MAX}${after}`;
    const page: z.output<typeof dataPage> = await client.call({ method: "GET", path }, dataPage);
    rows.push(...page.data);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return rows;
}

/** Declares a text unless it is declared, and sends what it holds unless that is there. */
async function store(
  client: ApiClient,
  { taskId, stored }: Underway,
  artifact: Artifact,
): Promise<"stored" | "exists"> {
  const known = stored.get(nameOf(artifact));
  if (known?.isStored === true) return "exists";
  const id = known?.id ?? (await declare(client, taskId, artifact));
  const content = { type: artifact.contentType, bytes: artifact.bytes };
  await client.call({ method: "PUT", path: `/data/${id}/content`, content }, z.object({}));
  stored.set(nameOf(artifact), { id, isStored: true });
  return "stored";
}

const named = z.object({ id: z.string() });

async function declare(client: ApiClient, taskId: string, artifact: Artifact): Promise<string> {
  const body = declarationOf(artifact);
  try {
    const { id } = await client.call(
      { method: "POST", path: `/tasks/${taskId}/data`, body },
      named,
    );
    return id;
  } catch (error) {
    // Somebody else declared it meanwhile: what it holds is the same.
    if (error instanceof ApiProblem && error.existingId !== null) return error.existingId;
    throw error;
  }
}

function declarationOf(artifact: Artifact) {
  const { text: _, bytes, ...fields } = artifact;
  return { ...fields, sizeBytes: bytes.byteLength };
}

/** A trial on its way, with the record that it is told to. */
interface Result {
  one: Underway;
  trial: Trial;
  path: Issue["path"];
}

interface ResultTold {
  result: Result;
  outcome: RecordOutcome | "refused";
  issues: readonly Issue[];
}

/** Records the trials of many tasks, a thousand of one evaluation in a call. */
async function recordTrials(client: ApiClient, records: readonly Underway[]): Promise<void> {
  for (const { evaluation, results } of byEvaluation(records)) {
    for (let start = 0; start < results.length; start += TRIALS_MAX) {
      const part = results.slice(start, start + TRIALS_MAX);
      const send = (some: readonly Result[]) => record(client, evaluation, some);
      const told = await inHalves(part, send, (result, problem): ResultTold => {
        return { result, outcome: "refused", issues: issuesOf(problem) };
      });
      for (const { result, outcome, issues } of told) {
        result.one.told.trials[outcome] += 1;
        result.one.told.issues.push(...placed(result.path, issues));
      }
    }
  }
}

/** An evaluation as a call names it. */
interface Evaluation {
  name: string;
  k: number;
}

/** The trials by the evaluation that they are of. */
function byEvaluation(records: readonly Underway[]) {
  const groups = new Map<string, { evaluation: Evaluation; results: Result[] }>();
  for (const one of records) {
    for (const [number, { name, k, trials }] of one.record.work.evals.entries()) {
      const key = `${k} ${name}`;
      const group = groups.get(key) ?? { evaluation: { name, k }, results: [] };
      groups.set(key, group);
      for (const [index, trial] of trials.entries()) {
        group.results.push({ one, trial, path: ["evals", number, "trials", index] });
      }
    }
  }
  return groups.values();
}

const recorded = z.object({
  items: z.array(z.object({ outcome: z.enum(RECORD_OUTCOMES), detail: z.string().optional() })),
});

async function record(
  client: ApiClient,
  evaluation: Evaluation,
  results: readonly Result[],
): Promise<ResultTold[]> {
  const body = { ...evaluation, results: results.map(resultOf) };
  const { items } = await client.call({ method: "POST", path: "/evals/record", body }, recorded);
  return results.map((result, index) => {
    const item = items[index];
    if (item === undefined) throw new Error("The answer tells of every trial");
    const { outcome, detail } = item;
    if (outcome === "recorded" || outcome === "exists") return { result, outcome, issues: [] };
    const message = detail ?? "Its task or its output is not there.";
    return { result, outcome, issues: [{ path: [], code: outcome, message }] };
  });
}

function resultOf({ one: { taskId, stored }, trial }: Result) {
  const artifact = outputOf(trial);
  const output = artifact === null ? undefined : stored.get(nameOf(artifact));
  // What was only declared is no output yet.
  return {
    task: taskId,
    ...fieldsOf(trial),
    ...(output?.isStored === true && { outputDataId: output.id }),
  };
}

/** What is told of a trial as it stands in the file. */
function fieldsOf(trial: Trial) {
  const { output: _, ...fields } = trial;
  return fields;
}

/** Issues under the path of what they are about. */
const placed = (path: Issue["path"], issues: readonly Issue[]): Issue[] =>
  issues.map((issue) => ({ ...issue, path: [...path, ...issue.path] }));

/** Whether a call was refused for what it asked, and not for who asked it: the next one may go through. */
const isAboutThis = (error: unknown): error is ApiProblem =>
  error instanceof ApiProblem &&
  error.status >= 400 &&
  ![401, 403, 429].includes(error.status) &&
  error.status < 500;
