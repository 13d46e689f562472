import { join } from "node:path";
import { BUNDLE_DIRECTORY, buildWorker } from "./stack/build.ts";
import { parseStackOptions } from "./stack/options.ts";
import { runStackProcess, type StartWorker } from "./stack/stack.ts";
import { startBuiltWorker } from "./stack/workerd.ts";
import { writeLocalConfig } from "./stack/wrangler.ts";

/** The built Worker in workerd itself: wrangler's development proxy is an order of magnitude slower. */
const startWorker: StartWorker = async (input) => {
  const config = await writeLocalConfig(input);
  await buildWorker();
  const miniflare = await startBuiltWorker({
    config,
    bundleDirectory: BUNDLE_DIRECTORY,
    port: input.options.port,
    stateDirectory: join(input.directory, "state"),
  });
  return { ended: new Promise(() => {}), stop: () => miniflare.dispose() };
};

await runStackProcess(() => parseStackOptions(process.argv.slice(2)), startWorker);
