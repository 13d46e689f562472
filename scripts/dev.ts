import { join } from "node:path";
import { buildAssets } from "./build-assets.ts";
import { parseStackOptions } from "./stack/options.ts";
import { endProcess, exitsWithin } from "./stack/processes.ts";
import { runStackProcess, type StartWorker } from "./stack/stack.ts";
import { spawnWrangler, writeLocalConfig } from "./stack/wrangler.ts";

/** Starts the Worker with `wrangler dev`, which reloads it when its source changes. */
const startWorker: StartWorker = async (input) => {
  await buildAssets();
  const config = await writeLocalConfig(input);
  const child = spawnWrangler([
    "dev",
    `--config=${config}`,
    "--ip=127.0.0.1",
    `--port=${input.options.port}`,
    "--inspector-port=0",
    `--persist-to=${join(input.directory, "state")}`,
    "--show-interactive-dev-session=false",
  ]);
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    ended,
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

await runStackProcess(() => parseStackOptions(process.argv.slice(2)), startWorker);
