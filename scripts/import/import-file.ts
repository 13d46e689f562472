import type { StepKind } from "../../src/domain/lifecycle/statuses.ts";
import type { ApiClient } from "./api-client.ts";
import { type ImportedRecord, type ImportOptions, importRecords } from "./import-records.ts";
import { type ImportedLine, importWork, judgeWork } from "./import-work.ts";
import { type ImportPlan, mappedRecords } from "./plan-import.ts";
import { ImportTally } from "./report.ts";

/** Imports a planned file to its end and tallies what became of its records. */
export async function importFile(
  client: ApiClient,
  plan: ImportPlan,
  options: ImportOptions & {
    start: StepKind | null;
    /** Makes the tasks alone, and leaves aside what the records bear beside them. */
    isTasksOnly: boolean;
    /** Is told how many records are done, also in the midst of a batch. */
    onReach: (done: number) => void;
    onBatch?: (lines: readonly ImportedLine[]) => Promise<void> | undefined;
  },
): Promise<ImportTally> {
  const { onReach, onBatch } = options;
  const tally = new ImportTally();
  for await (const records of importRecords(client, mappedRecords(plan, options), options)) {
    let reached = tally.total;
    const lines = await bringWork(client, records, {
      ...options,
      onTask: () => onReach((reached += 1)),
    });
    tally.add(lines);
    onReach(tally.total);
    await onBatch?.(lines);
  }
  return tally;
}

async function bringWork(
  client: ApiClient,
  records: readonly ImportedRecord[],
  options: { isTasksOnly: boolean; isDryRun: boolean; onTask: () => void },
): Promise<ImportedLine[]> {
  const { isTasksOnly, isDryRun, onTask } = options;
  if (isTasksOnly) return records.map((record) => ({ record, work: null }));
  if (isDryRun) return records.map((record) => ({ record, work: judgeWork(record) }));
  return importWork(client, records, onTask);
}
