import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { z } from "zod";

/** A built Worker, and how it is to run. */
export interface WorkerdOptions {
  /** The configuration of the local Worker, as `writeLocalConfig` wrote it. */
  config: string;
  /** The directory with the built `worker.js`. */
  bundle: string;
  /** Where queues and buckets are kept. */
  state: string;
  /** 0: any that is free. */
  port: number;
  /** In place of those that stand beside the configuration. */
  variables?: Record<string, string>;
  /** Throws away what the Worker logs. */
  isQuiet?: boolean;
}

export interface RunningWorkerd {
  baseUrl: string;
  /** Runs what the clock would run. */
  scheduled: (cron: string) => Promise<void>;
  /** Ends workerd at once, with all that its queues hold. */
  stop: () => Promise<void>;
}

const bindings = z.record(z.string(), z.json()).default({});

/** Runs a built Worker in workerd itself: wrangler's development proxy is an order of magnitude slower. */
export async function startWorkerd(options: WorkerdOptions): Promise<RunningWorkerd> {
  const { workerOptions } = unstable_getMiniflareWorkerOptions(options.config);
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...workerOptions,
      bindings: { ...bindings.parse(workerOptions["bindings"]), ...options.variables },
      modules: [{ type: "ESModule", path: join(options.bundle, "worker.js") }],
      modulesRoot: options.bundle,
      host: "127.0.0.1",
      port: options.port,
      cf: false,
      telemetry: { enabled: false },
      resourcePersistencePath: options.state,
      ...(options.isQuiet && { handleStructuredLogs: () => {} }),
    }),
  );
  const url = await miniflare.ready;
  return {
    baseUrl: url.origin,
    scheduled: async (cron) => {
      const worker = await miniflare.getWorker();
      await worker.scheduled({ cron });
    },
    stop: () => miniflare.dispose(),
  };
}
