import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { BUNDLE_DIRECTORY, buildWorker } from "./stack/build.ts";
import { parseStackOptions } from "./stack/options.ts";
import { runStackProcess, type StartWorker } from "./stack/stack.ts";
import { OFFLINE_ENVIRONMENT, writeLocalConfig } from "./stack/wrangler.ts";

/** The built Worker in workerd itself: wrangler's development proxy is an order of magnitude slower. */
const startWorker: StartWorker = async (input) => {
  const config = await writeLocalConfig(input);
  await buildWorker();
  const { workerOptions } = unstable_getMiniflareWorkerOptions(config);
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...workerOptions,
      modules: [{ type: "ESModule", path: join(BUNDLE_DIRECTORY, "worker.js") }],
      modulesRoot: BUNDLE_DIRECTORY,
      host: "127.0.0.1",
      port: input.options.port,
      cf: false,
      telemetry: { enabled: false },
      resourcePersistencePath: join(input.directory, "state"),
    }),
  );
  await miniflare.ready;
  return { ended: new Promise(() => {}), stop: () => miniflare.dispose() };
};

Object.assign(process.env, OFFLINE_ENVIRONMENT);
await runStackProcess(() => parseStackOptions(process.argv.slice(2)), startWorker);
