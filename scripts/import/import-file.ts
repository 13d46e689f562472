import type { StepKind } from "../../src/domain/lifecycle/statuses.ts";
import type { ApiClient } from "./api-client.ts";
import { type ImportedRecord, type ImportOptions, importRecords } from "./import-records.ts";
import { type ImportPlan, mappedRecords } from "./plan-import.ts";
import { ImportTally } from "./report.ts";

/** Imports a planned file to its end and tallies what became of its records. */
export async function importFile(
  client: ApiClient,
  plan: ImportPlan,
  options: ImportOptions & {
    start: StepKind | null;
    /** Is told of each batch, and of how many records are done with it. */
    onBatch: (records: readonly ImportedRecord[], done: number) => Promise<void> | void;
  },
): Promise<ImportTally> {
  const tally = new ImportTally();
  for await (const records of importRecords(client, mappedRecords(plan, options), options)) {
    tally.add(records);
    await options.onBatch(records, tally.total);
  }
  return tally;
}
