import { createApiClient } from "./import/api-client.ts";
import { failsAsTold } from "./import/command.ts";
import { chooseConnection, greet } from "./import/connection.ts";
import { importFile } from "./import/import-file.ts";
import { parseImportCommand } from "./import/options.ts";
import { planImport } from "./import/plan-import.ts";
import { type Progress, showProgress } from "./import/progress.ts";
import { faultLine, openReport } from "./import/report.ts";
import { UsageFault } from "./import/usage-fault.ts";
import { readStackFile } from "./stack/stack.ts";

/** `npm run import -- FILE`: makes tasks of the records of a file, through the public API alone. */
await failsAsTold(async () => {
  const command = parseImportCommand(process.argv.slice(2));
  const { file, tenant, isDryRun, start, batchMax } = command;
  const { plan, faults } = await planImport(file, command.mapping);
  if (faults !== undefined) {
    const lines = faults.map((fault) => faultLine(file, fault));
    throw new UsageFault([...lines, "The file cannot be read; nothing was changed."].join("\n"));
  }

  let progress: Progress | null = null;
  const client = createApiClient({
    ...chooseConnection(
      {
        url: command.url,
        key: command.key ?? process.env["STEPLEDGER_KEY"] ?? null,
        tenant,
        // What begins elsewhere than at the beginning is for a reviewer to say.
        role: start === null ? "operator" : "reviewer",
      },
      readStackFile(),
    ),
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
      onBatch: async (records, done) => {
        reached = done;
        progress?.reach(done);
        await report?.write(records);
      },
    });
    progress.end();
    console.log(tally.render({ isDryRun }));
    return tally.counts.invalid === 0 ? 0 : 1;
  } catch (error) {
    progress.end();
    console.error(`Stopped after ${reached} of ${plan.total}: start it again to continue.`);
    throw error;
  } finally {
    await report?.close();
  }
});
