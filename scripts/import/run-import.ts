import type { StackFile } from "../stack/stack.ts";
import { createApiClient } from "./api-client.ts";
import { chooseConnection, checkConnection } from "./connection.ts";
import { importFile } from "./import-file.ts";
import { parseImportCommand } from "./options.ts";
import { planImport } from "./plan-import.ts";
import { type Progress, showProgress } from "./progress.ts";
import { faultLine, openReport } from "./report.ts";
import { compareSummaries } from "./summaries.ts";
import { UsageError } from "./usage-error.ts";

/**
 * Runs the import: reads the whole file, then checks the connection, then sends the records.
 * @returns the exit code: 0 if everything was imported, 1 if some records were not.
 * @throws UsageError if the file cannot be read or the options are invalid.
 */
export async function runImport(
  args: readonly string[],
  defaults: { key: string | null; stack: StackFile | null },
): Promise<number> {
  const command = parseImportCommand(args);
  const { file, url, tenant, isDryRun, isTasksOnly, start, batchMax } = command;
  const { plan, faults } = await planImport(file, command.mapping);
  if (faults !== undefined) {
    const lines = faults.map((fault) => faultLine(file, fault));
    throw new UsageError([...lines, "The file is malformed. Nothing was imported."].join("\n"));
  }

  const key = command.key ?? defaults.key;
  // Only a reviewer may start a task at a later stage.
  const role = start === null ? "operator" : "reviewer";
  let progress: Progress | null = null;
  const client = createApiClient({
    ...chooseConnection({ url, key, tenant, role }, defaults.stack),
    onRetry: ({ reason, seconds }) => progress?.note(`${reason}, retrying in ${seconds} s`),
  });
  const name = await checkConnection(client, tenant);
  const report = command.reportPath === null ? null : await openReport(command.reportPath);
  console.log(`${file} → ${name} at ${client.baseUrl} (${plan.format}, ${plan.mapping})`);

  progress = showProgress(isDryRun ? "Validating" : "Importing", plan.total);
  let finished = 0;
  try {
    const tally = await importFile(client, plan, {
      batchMax,
      isDryRun,
      start,
      isTasksOnly,
      onProgress: (done) => {
        finished = done;
        progress?.update(done);
      },
      onBatch: (lines) => report?.write(lines),
    });
    progress.end();
    console.log(tally.render({ isDryRun }));
    const summaries = isDryRun ? [] : await compareSummaries(client, tally.expected);
    for (const { text } of summaries) console.log(`\n${text}`);
    return tally.isComplete && summaries.every(({ agrees }) => agrees) ? 0 : 1;
  } catch (error) {
    progress.end();
    console.error(`Stopped after ${finished} of ${plan.total} records. Run it again to continue.`);
    throw error;
  } finally {
    await report?.close();
  }
}
