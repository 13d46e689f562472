import type { StackFile } from "../stack/stack.ts";
import { createApiClient } from "./api-client.ts";
import { chooseConnection, greet } from "./connection.ts";
import { importFile } from "./import-file.ts";
import { parseImportCommand } from "./options.ts";
import { planImport } from "./plan-import.ts";
import { type Progress, showProgress } from "./progress.ts";
import { faultLine, openReport } from "./report.ts";
import { compareSummaries } from "./summaries.ts";
import { UsageFault } from "./usage-fault.ts";

/**
 * Carries out the command: reads the whole file first, then asks who the key is, then sends.
 * @returns 0 when everything is in, 1 when some records are not.
 */
export async function runImport(
  args: readonly string[],
  surroundings: { key: string | null; stack: StackFile | null },
): Promise<number> {
  const command = parseImportCommand(args);
  const { file, url, tenant, isDryRun, isTasksOnly, start, batchMax } = command;
  const { plan, faults } = await planImport(file, command.mapping);
  if (faults !== undefined) {
    const lines = faults.map((fault) => faultLine(file, fault));
    throw new UsageFault([...lines, "The file cannot be read; nothing was changed."].join("\n"));
  }

  const key = command.key ?? surroundings.key;
  // What begins elsewhere than at the beginning is for a reviewer to say.
  const role = start === null ? "operator" : "reviewer";
  let progress: Progress | null = null;
  const client = createApiClient({
    ...chooseConnection({ url, key, tenant, role }, surroundings.stack),
    onRetry: ({ reason, seconds }) => progress?.say(`${reason}, again in ${seconds} s`),
  });
  const name = await greet(client, tenant);
  const report = command.reportPath === null ? null : await openReport(command.reportPath);
  console.log(`${file} → ${name} at ${client.baseUrl} (${plan.format}, ${plan.mapping})`);

  progress = showProgress(isDryRun ? "Judging" : "Importing", plan.total);
  let reached = 0;
  try {
    const tally = await importFile(client, plan, {
      batchMax,
      isDryRun,
      start,
      isTasksOnly,
      onReach: (done) => {
        reached = done;
        progress?.reach(done);
      },
      onBatch: (lines) => report?.write(lines),
    });
    progress.end();
    console.log(tally.render({ isDryRun }));
    const summaries = isDryRun ? [] : await compareSummaries(client, tally.expected);
    for (const { text } of summaries) console.log(`\n${text}`);
    return tally.isWhole && summaries.every(({ agrees }) => agrees) ? 0 : 1;
  } catch (error) {
    progress.end();
    console.error(`Stopped after ${reached} of ${plan.total}: start it again to continue.`);
    throw error;
  } finally {
    await report?.close();
  }
}
