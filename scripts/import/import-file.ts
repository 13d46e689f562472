import type { StepKind } from "../../src/domain/lifecycle/statuses.ts";
import type { ApiClient } from "./api-client.ts";
import { type ImportedRecord, type ImportOptions, importRecords } from "./import-records.ts";
import { type ImportedLine, importWork, validateWork } from "./import-work.ts";
import { type ImportPlan, mappedRecords } from "./plan-import.ts";
import { ImportTally } from "./report.ts";

/** Imports a planned file and returns a tally of the outcomes of its records. */
export async function importFile(
  client: ApiClient,
  plan: ImportPlan,
  options: ImportOptions & {
    start: StepKind | null;
    /** Imports only the tasks, not the records' data and evals. */
    isTasksOnly: boolean;
    /** Called with the number of records that are done, also within a batch. */
    onProgress: (done: number) => void;
    onBatch?: (lines: readonly ImportedLine[]) => Promise<void> | undefined;
  },
): Promise<ImportTally> {
  const { onProgress, onBatch } = options;
  const tally = new ImportTally();
  for await (const records of importRecords(client, mappedRecords(plan, options), options)) {
    let done = tally.total;
    const lines = await importWorkOf(client, records, {
      ...options,
      onTaskDone: () => onProgress((done += 1)),
    });
    tally.add(lines);
    onProgress(tally.total);
    await onBatch?.(lines);
  }
  return tally;
}

async function importWorkOf(
  client: ApiClient,
  records: readonly ImportedRecord[],
  options: { isTasksOnly: boolean; isDryRun: boolean; onTaskDone: () => void },
): Promise<ImportedLine[]> {
  const { isTasksOnly, isDryRun, onTaskDone } = options;
  if (isTasksOnly) return records.map((record) => ({ record, work: null }));
  if (isDryRun) return records.map((record) => ({ record, work: validateWork(record) }));
  return importWork(client, records, onTaskDone);
}
