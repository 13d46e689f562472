import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { OFFLINE_ENVIRONMENT } from "./wrangler.ts";

interface BuiltWorker {
  /** A configuration of `writeLocalConfig`. */
  config: string;
  /** Where `buildWorker` left the bundle. */
  bundleDirectory: string;
  /** Any free one where none is named. */
  port?: number;
  /** Where bindings keep what they hold between starts. */
  stateDirectory: string;
}

/** Starts the built Worker with its queues and its bucket in workerd itself, without wrangler's development proxy. */
export async function startBuiltWorker(worker: BuiltWorker): Promise<Miniflare> {
  Object.assign(process.env, OFFLINE_ENVIRONMENT);
  const { workerOptions } = unstable_getMiniflareWorkerOptions(worker.config);
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...workerOptions,
      modules: [{ type: "ESModule", path: join(worker.bundleDirectory, "worker.js") }],
      modulesRoot: worker.bundleDirectory,
      host: "127.0.0.1",
      port: worker.port ?? 0,
      cf: false,
      telemetry: { enabled: false },
      resourcePersistencePath: worker.stateDirectory,
    }),
  );
  await miniflare.ready;
  return miniflare;
}
