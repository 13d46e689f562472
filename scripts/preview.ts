import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { parseStackOptions } from "./stack/options.ts";
import { PROJECT_DIRECTORY, runStackProcess, type StartWorker } from "./stack/stack.ts";
import { OFFLINE_ENVIRONMENT, spawnWrangler, writeLocalConfig } from "./stack/wrangler.ts";

const BUNDLE_DIRECTORY = join(PROJECT_DIRECTORY, "dist", "worker");

/** The built Worker in workerd itself: wrangler's development proxy is an order of magnitude slower. */
const startWorker: StartWorker = async (input) => {
  const config = await writeLocalConfig(input);
  await build();
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

async function build(): Promise<void> {
  const child = spawnWrangler(["deploy", "--dry-run", `--outdir=${BUNDLE_DIRECTORY}`]);
  const code = await new Promise((resolve) => child.once("exit", resolve));
  if (code !== 0) throw new Error("The Worker could not be built");
}

Object.assign(process.env, OFFLINE_ENVIRONMENT);
await runStackProcess(() => parseStackOptions(process.argv.slice(2)), startWorker);
