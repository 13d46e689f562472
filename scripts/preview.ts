import { join } from "node:path";
import { BUNDLE_DIRECTORY, buildWorker } from "./stack/build.ts";
import { parseStackOptions } from "./stack/options.ts";
import { runStackProcess } from "./stack/run-stack.ts";
import type { StartWorker } from "./stack/stack.ts";
import { startWorkerd } from "./stack/workerd.ts";
import { OFFLINE_ENVIRONMENT, readCrons, writeLocalConfig } from "./stack/wrangler.ts";

const startWorker: StartWorker = async (input) => {
  const config = await writeLocalConfig(input);
  await buildWorker();
  const { stop, scheduled } = await startWorkerd({
    config,
    bundle: BUNDLE_DIRECTORY,
    state: join(input.directory, "state"),
    port: input.options.port,
    processes: input.processes,
  });
  return { ended: new Promise(() => {}), crons: readCrons(), scheduled, stop };
};

Object.assign(process.env, OFFLINE_ENVIRONMENT);
// What runs here is what would be deployed, and so is what it does.
const readOptions = () => ({ ...parseStackOptions(process.argv.slice(2)), isEmpty: true });
await runStackProcess(readOptions, startWorker);
