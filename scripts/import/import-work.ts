import { z } from "zod";
import { RECORD_OUTCOMES, type RecordOutcome } from "../../src/domain/evals/decide/record.ts";
import { TRIALS_MAX } from "../../src/domain/evals/decision.ts";
import { slotKey } from "../../src/domain/evals/snapshot.ts";
import type { Issue } from "../../src/domain/refusals.ts";
import { dataRoutes } from "../../src/routes/data.ts";
import { evalRoutes } from "../../src/routes/evals.ts";
import type { ApiClient, ApiProblem } from "./api-client.ts";
import { inHalves } from "./in-halves.ts";
import { inParallel } from "./in-parallel.ts";
import { type ImportedRecord, issuesOf } from "./import-records.ts";
import { declarationOf, nameOf, storeTexts, textsOf } from "./import-texts.ts";
import { judgeBody } from "./judge-body.ts";
import { type ImportedWork, nothingYet, placed, type Underway } from "./underway.ts";
import { outputOf, type Trial } from "./work.ts";

/** What became of a record, and of what it bears beside its task; null where nothing of that was sent. */
export interface ImportedLine {
  record: ImportedRecord;
  work: ImportedWork | null;
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

/** Records the trials of many tasks, a thousand of one evaluation in a call, and completes the evals that are whole. */
async function recordTrials(client: ApiClient, records: readonly Underway[]): Promise<void> {
  for (const { evaluation, results } of byEvaluation(records)) {
    const told: ResultTold[] = [];
    for (const part of partsOf(results)) {
      const send = (some: readonly Result[]) => record(client, evaluation, some);
      const refused = (result: Result, problem: ApiProblem): ResultTold => {
        return { result, outcome: "refused", issues: issuesOf(problem) };
      };
      told.push(...(await inHalves(part, send, refused)));
    }
    for (const { result, outcome, issues } of told) {
      result.one.told.trials[outcome] += 1;
      result.one.told.issues.push(...placed(result.path, issues));
    }
    await completeWhole(client, evaluation, told);
  }
}

/** Completes the eval of each task where every model has all of its k trials. One of them names it: it exists by now. */
async function completeWhole(
  client: ApiClient,
  evaluation: Evaluation,
  told: readonly ResultTold[],
): Promise<void> {
  const byTask = Map.groupBy(told, ({ result }) => result.one.taskId);
  const whole = [...byTask.values()].filter((ofTask) => isWhole(evaluation, ofTask));
  for (const part of partsOf(whole.flatMap(([first]) => first?.result ?? []))) {
    await record(client, { ...evaluation, complete: true }, part);
  }
}

function isWhole({ k }: Evaluation, told: readonly ResultTold[]): boolean {
  const trials = told.map(({ result }) => result.trial);
  const slots = new Set(trials.map(slotKey));
  const models = new Set(trials.map(({ model }) => model));
  const areIn = told.every(({ outcome }) => outcome === "recorded" || outcome === "exists");
  return areIn && slots.size === k * models.size;
}

/** As much at once as a call takes. */
function* partsOf(results: readonly Result[]): Generator<readonly Result[]> {
  for (let start = 0; start < results.length; start += TRIALS_MAX) {
    yield results.slice(start, start + TRIALS_MAX);
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
  evaluation: Evaluation & { complete?: true },
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
