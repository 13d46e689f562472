import { join } from "node:path";
import { buildAssets } from "./build-assets.ts";
import { parseStackOptions } from "./stack/options.ts";
import { endProcess, exitOf, exitsWithin } from "./stack/processes.ts";
import { runStackProcess } from "./stack/run-stack.ts";
import type { StartWorker } from "./stack/stack.ts";
import { readCrons, spawnWrangler, writeLocalConfig } from "./stack/wrangler.ts";

/** Starts the Worker with `wrangler dev`, which reloads it when its source changes. */
const startWorker: StartWorker = async (input) => {
  await buildAssets();
  const config = await writeLocalConfig(input);
  const { port } = input.options;
  const child = spawnWrangler(
    [
      "dev",
      `--config=${config}`,
      "--ip=127.0.0.1",
      `--port=${port}`,
      "--inspector-port=0",
      `--persist-to=${join(input.directory, "state")}`,
      "--show-interactive-dev-session=false",
    ],
    { environment: await input.processes.workerdEnvironment() },
  );
  if (child.pid !== undefined) await input.processes.record(child.pid);
  return {
    ended: exitOf(child),
    crons: readCrons(),
    scheduled: (cron) => runScheduled(port, cron),
    stop: async (isInterrupted) => {
      // Ctrl-C signals the whole process group, so wrangler is already stopping and gets no second signal at first.
      if (isInterrupted) await exitsWithin(child, 5_000);
      await endProcess(child, [
        { signal: "SIGTERM", patienceMilliseconds: 4_000 },
        { signal: "SIGKILL", patienceMilliseconds: 1_000 },
      ]);
    },
  };
};

/** Runs the scheduled handler through the endpoint that `wrangler dev` has for it. */
async function runScheduled(port: number, cron: string): Promise<void> {
  const url = new URL(`http://127.0.0.1:${port}/cdn-cgi/handler/scheduled`);
  url.searchParams.set("cron", cron);
  const response = await fetch(url);
  const outcome = await response.text();
  if (outcome !== "ok") throw new Error(`The scheduled handler ended as ${outcome}`);
}

await runStackProcess(() => parseStackOptions(process.argv.slice(2)), startWorker);
