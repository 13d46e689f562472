import { z } from "zod";
import { RECORD_OUTCOMES, type RecordOutcome } from "../../src/domain/evals/decide/record.ts";
import { TRIALS_MAX } from "../../src/domain/evals/decision.ts";
import { MODEL_ALONE, type SlotMember, slotKey } from "../../src/domain/evals/slot.ts";
import type { Issue } from "../../src/domain/refusals.ts";
import { dataRoutes } from "../../src/routes/data.ts";
import { evalRoutes } from "../../src/routes/evals.ts";
import { makerDetailsOf } from "../../src/routes/shapes/maker.ts";
import type { ApiClient, ApiProblem } from "./api-client.ts";
import { sendOrSplit } from "./send-or-split.ts";
import { inParallel } from "./in-parallel.ts";
import { type ImportedRecord, issuesOf } from "./import-records.ts";
import { declarationOf, nameOf, storeTexts, textsOf } from "./import-texts.ts";
import { validateBody } from "./validate-body.ts";
import { type ImportedWork, emptyWork, prefixPaths, type PendingRecord } from "./pending-record.ts";
import { NO_WORK, outputOf, type Trial } from "./work.ts";

/** The outcome of a record, and of its data and evals. `work` is null if none of those were sent. */
export interface ImportedLine {
  record: ImportedRecord;
  work: ImportedWork | null;
}

/**
 * Imports the texts and trials of records whose tasks exist. Existing texts and trials stay as they are, so a repeated
 * import continues where it stopped.
 * @returns the outcome of each record, in order.
 */
export async function importWork(
  client: ApiClient,
  records: readonly ImportedRecord[],
  onTaskDone: () => void,
): Promise<ImportedLine[]> {
  const pending = records.map((record): PendingRecord | null => {
    const { id: taskId, work } = record;
    if (taskId === undefined || work.data.length + work.evals.length === 0) return null;
    return { record, taskId, result: emptyWork(), stored: new Map() };
  });
  const withWork = pending.filter((record) => record !== null);
  const differing = new Map<ImportedRecord, Issue[]>();
  await inParallel(withWork, async (waiting) => {
    const issues = await storeTexts(client, waiting);
    if (issues.length > 0) differing.set(waiting.record, issues);
    onTaskDone();
  });
  await recordTrials(
    client,
    withWork.filter(({ record }) => !differing.has(record)),
  );
  return records.map((record, index): ImportedLine => {
    const issues = differing.get(record);
    if (issues === undefined) return { record, work: pending[index]?.result ?? null };
    return { record: { ...record, outcome: "differs", issues, work: NO_WORK }, work: null };
  });
}

/** Validates a record's data and evals without sending them. Returns null if they are valid. */
export function validateWork({ work }: ImportedRecord): ImportedWork | null {
  const result = emptyWork();
  for (const { artifact, path } of textsOf(work)) {
    const issues = validateBody(dataRoutes, "declareData", declarationOf(artifact));
    if (issues.length > 0) result.data.refused += 1;
    result.issues.push(...prefixPaths(path, issues));
  }
  for (const [number, { trials, ...evaluation }] of work.evals.entries()) {
    for (const [index, trial] of trials.entries()) {
      const body = { ...evaluation, results: [{ task: NIL, ...fieldsOf(trial) }] };
      const issues = validateBody(evalRoutes, "recordEvaluation", body);
      if (issues.length > 0) result.trials.refused += 1;
      result.issues.push(...prefixPaths(["evals", number, "trials", index], issues));
    }
  }
  return result.issues.length === 0 ? null : result;
}

/** The placeholder id of a task that does not exist yet. */
const NIL = "00000000-0000-0000-0000-000000000000";

/** A trial to record, with its record and its path in that. */
interface PendingTrial {
  pending: PendingRecord;
  trial: Trial;
  path: Issue["path"];
}

interface TrialOutcome {
  item: PendingTrial;
  outcome: RecordOutcome | "refused";
  issues: readonly Issue[];
}

/** Records the trials of many tasks, up to 1,000 of one evaluation per call, and completes the evals that have all. */
async function recordTrials(client: ApiClient, records: readonly PendingRecord[]): Promise<void> {
  for (const { evaluation, items } of byEvaluation(records)) {
    const outcomes: TrialOutcome[] = [];
    for (const chunk of chunksOf(items)) {
      const send = (some: readonly PendingTrial[]) => record(client, evaluation, some);
      const refused = (item: PendingTrial, problem: ApiProblem): TrialOutcome => {
        return { item, outcome: "refused", issues: issuesOf(problem) };
      };
      outcomes.push(...(await sendOrSplit(chunk, send, refused)));
    }
    for (const { item, outcome, issues } of outcomes) {
      item.pending.result.trials[outcome] += 1;
      item.pending.result.issues.push(...prefixPaths(item.path, issues));
    }
    await completeEvals(client, evaluation, outcomes);
  }
}

/**
 * Completes the eval of each task for which every slot has all of its k trials. Sending one recorded trial of the
 * task again identifies the eval.
 */
async function completeEvals(
  client: ApiClient,
  evaluation: Evaluation,
  outcomes: readonly TrialOutcome[],
): Promise<void> {
  const byTask = Map.groupBy(outcomes, ({ item }) => item.pending.taskId);
  const complete = [...byTask.values()].filter((ofTask) => isComplete(evaluation, ofTask));
  for (const chunk of chunksOf(complete.flatMap(([first]) => first?.item ?? []))) {
    await record(client, { ...evaluation, complete: true }, chunk);
  }
}

function isComplete(
  { k, slotBy = MODEL_ALONE }: Evaluation,
  outcomes: readonly TrialOutcome[],
): boolean {
  const trials = outcomes.map(({ item }) => ({
    ...item.trial,
    ...makerDetailsOf(item.trial),
  }));
  const slots = new Set(trials.map((trial) => slotKey(trial, slotBy)));
  const makers = new Set(trials.map((trial) => slotKey({ ...trial, k: 1 }, slotBy)));
  const areRecorded = outcomes.every(
    ({ outcome }) => outcome === "recorded" || outcome === "exists",
  );
  return areRecorded && slots.size === k * makers.size;
}

/** Splits trials into chunks that one call accepts. */
function* chunksOf(items: readonly PendingTrial[]): Generator<readonly PendingTrial[]> {
  for (let start = 0; start < items.length; start += TRIALS_MAX) {
    yield items.slice(start, start + TRIALS_MAX);
  }
}

interface Evaluation {
  name: string;
  k: number;
  slotBy?: readonly SlotMember[] | undefined;
}

/** Groups the trials by evaluation. */
function byEvaluation(records: readonly PendingRecord[]) {
  const groups = new Map<string, { evaluation: Evaluation; items: PendingTrial[] }>();
  for (const pending of records) {
    for (const [number, { trials, ...evaluation }] of pending.record.work.evals.entries()) {
      const { name, k, slotBy } = evaluation;
      const key = JSON.stringify([name, k, slotBy]);
      const group = groups.get(key) ?? { evaluation, items: [] };
      groups.set(key, group);
      for (const [index, trial] of trials.entries()) {
        group.items.push({ pending, trial, path: ["evals", number, "trials", index] });
      }
    }
  }
  return groups.values();
}

const recordResponse = z.object({
  items: z.array(z.object({ outcome: z.enum(RECORD_OUTCOMES), detail: z.string().optional() })),
});

async function record(
  client: ApiClient,
  evaluation: Evaluation & { complete?: true },
  items: readonly PendingTrial[],
): Promise<TrialOutcome[]> {
  const body = { ...evaluation, results: items.map(resultOf) };
  const request = { method: "POST", path: "/evals/record", body } as const;
  const response = await client.call(request, recordResponse);
  return items.map((item, index) => {
    const answer = response.items[index];
    if (answer === undefined) throw new Error("The response has no item for a trial");
    const { outcome, detail } = answer;
    if (outcome === "recorded" || outcome === "exists") return { item, outcome, issues: [] };
    const message = detail ?? "The trial's task or output does not exist.";
    return { item, outcome, issues: [{ path: [], code: outcome, message }] };
  });
}

function resultOf({ pending: { taskId, stored }, trial }: PendingTrial) {
  const artifact = outputOf(trial);
  const output = artifact === null ? undefined : stored.get(nameOf(artifact));
  // Data that are declared but not stored cannot be an output.
  return {
    task: taskId,
    ...fieldsOf(trial),
    ...(output?.isStored === true && { outputDataId: output.id }),
  };
}

/** Returns the fields of a trial that are sent unchanged. */
function fieldsOf(trial: Trial) {
  const { output: _, ...fields } = trial;
  return fields;
}
