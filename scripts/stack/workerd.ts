import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { z } from "zod";
import type { ProcessRecords } from "./process-records.ts";

/** A built Worker and how to run it. */
export interface WorkerdOptions {
  /** The path of the configuration that `writeLocalConfig` wrote. */
  config: string;
  /** The directory of the built `worker.js`. */
  bundle: string;
  /** The directory of queues and buckets. */
  state: string;
  /** 0 means any free port. */
  port: number;
  /** Override the variables of the configuration and its `.dev.vars`. */
  variables?: Record<string, string>;
  /** Discards the Worker's logs. */
  isQuiet?: boolean;
  /** Records workerd, so that it can be ended if this process is killed. */
  processes?: ProcessRecords;
}

export interface RunningWorkerd {
  baseUrl: string;
  /** Runs the scheduled handler, as a cron trigger would. */
  scheduled: (cron: string) => Promise<void>;
  /** Stops workerd immediately. Messages in its queues are lost. */
  stop: () => Promise<void>;
}

const bindings = z.record(z.string(), z.json()).default({});

/** Runs a built Worker directly in workerd, because wrangler's development proxy is an order of magnitude slower. */
export async function startWorkerd(options: WorkerdOptions): Promise<RunningWorkerd> {
  const { workerOptions } = unstable_getMiniflareWorkerOptions(options.config);
  const environment = (await options.processes?.workerdEnvironment()) ?? {};
  const { MINIFLARE_WORKERD_PATH: launcher } = environment;
  // Miniflare reads this variable from the environment of this process only.
  if (launcher !== undefined) process.env["MINIFLARE_WORKERD_PATH"] = launcher;
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
      unsafeRuntimeEnv: environment,
      ...(options.isQuiet && { handleStructuredLogs: () => {} }),
    }),
  );
  const url = await miniflare.ready;
  return {
    baseUrl: url.origin,
    scheduled: async (cron) => {
      const worker = await miniflare.getWorker();
      const { outcome } = await worker.scheduled({ cron });
      if (outcome !== "ok") throw new Error(`The scheduled handler ended as ${outcome}`);
    },
    stop: () => miniflare.dispose(),
  };
}
