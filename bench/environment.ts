import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { buildAssets } from "../scripts/build-assets.ts";
import { takeLock } from "../scripts/stack/lock.ts";
import { startNeonProxy, type NeonProxyOptions } from "../scripts/stack/neon-proxy.ts";
import { removeHome, startCluster, type Cluster } from "../scripts/stack/postgres.ts";
import { ProcessRecords } from "../scripts/stack/process-records.ts";
import { STACK_DIRECTORY } from "../scripts/stack/stack.ts";
import { startWorkerd } from "../scripts/stack/workerd.ts";
import { runWrangler, writeLocalConfig } from "../scripts/stack/wrangler.ts";
import { type BenchDatabase, openBenchDatabase, query } from "./databases.ts";
import { largePopulations, smallPopulations } from "./populations.ts";
import { Service } from "./service.ts";

const DIRECTORY = join(STACK_DIRECTORY, "bench");
const BUNDLE_DIRECTORY = join(DIRECTORY, "worker");
const PROCESSES = new ProcessRecords(join(DIRECTORY, "processes"));
/** The measured Worker, with additional routes for baselines. */
const MAIN = "bench/worker.ts";

/** Production requires the rate limiter, which would end a measurement. The code of both environments is the same. */
const ENVIRONMENT = "development";
/** The benchmark's databases are its own, so every run seals with a key of its own. */
const SEALING_KEYS = `bench:${randomBytes(32).toString("base64")}`;

/** Options for the connection between a Worker and its database. */
export type ConnectionOptions = Pick<NeonProxyOptions, "delayMilliseconds" | "rewrite">;

/** A dedicated PostgreSQL cluster and the built Worker. */
export class Environment {
  readonly scale: number;
  readonly #cluster: Cluster;
  readonly #config: string;
  readonly #signingSecret: string;
  readonly #databases = new Map<string, BenchDatabase>();
  #opened: { stop: () => Promise<void> }[] = [];

  private constructor(scale: number, cluster: Cluster, built: { config: string; secret: string }) {
    this.scale = scale;
    this.#cluster = cluster;
    this.#config = built.config;
    this.#signingSecret = built.secret;
  }

  /** Starts the database and builds the Worker. */
  static async start({
    scale,
    isReset,
  }: {
    scale: number;
    isReset: boolean;
  }): Promise<Environment> {
    await mkdir(DIRECTORY, { recursive: true });
    await takeLock(DIRECTORY);
    await PROCESSES.endAll();
    const home = join(DIRECTORY, "postgres");
    if (isReset) await removeHome(home);
    const built = await build();
    const cluster = await startCluster({
      home,
      // Writes are flushed to disk, as in production.
      durable: true,
      connectionsMax: 120,
      sharedBuffers: "1GB",
    });
    for (const setting of ["max_wal_size = '8GB'", "maintenance_work_mem = '512MB'"]) {
      await query(cluster.superuserUrl(), `alter system set ${setting}`);
    }
    await query(cluster.superuserUrl(), "select pg_reload_conf()");
    return new Environment(scale, cluster, built);
  }

  /** Starts the service on the database with `scale` tasks. */
  large(options: ConnectionOptions = {}): Promise<Service> {
    return this.#open(this.scale, options);
  }

  /** Starts the service on a database with the given number of tasks. */
  small(tasks: number, options: ConnectionOptions = {}): Promise<Service> {
    return this.#open(tasks, options);
  }

  /** Stops all Workers and proxies. The databases stay. */
  async closeServices(): Promise<void> {
    for (const { stop } of this.#opened.toReversed()) await stop();
    this.#opened = [];
  }

  async stop(): Promise<void> {
    await this.closeServices();
    await this.#cluster.stop();
  }

  async #open(tasks: number, options: ConnectionOptions): Promise<Service> {
    const database = await this.#database(tasks);
    const proxy = await startNeonProxy({
      ...options,
      target: { host: "127.0.0.1", port: this.#cluster.port },
      connectionsMax: 40,
    });
    this.#opened.push(proxy);
    const worker = await startWorkerd({
      config: this.#config,
      bundle: BUNDLE_DIRECTORY,
      state: join(DIRECTORY, "state", String(this.#opened.length)),
      port: 0,
      isQuiet: true,
      processes: PROCESSES,
      variables: {
        ENVIRONMENT,
        DATABASE_URL: database.databaseUrl,
        NEON_FETCH_ENDPOINT: proxy.fetchEndpoint,
        SIGNING_SECRET: this.#signingSecret,
        SEALING_KEYS,
      },
    });
    this.#opened.push(worker);
    return new Service({
      baseUrl: worker.baseUrl,
      proxy,
      database,
      signingSecret: this.#signingSecret,
    });
  }

  async #database(tasks: number): Promise<BenchDatabase> {
    const name = `tasks_${tasks}`;
    const known = this.#databases.get(name);
    if (known !== undefined) return known;
    const populations = tasks === this.scale ? largePopulations(tasks) : smallPopulations(tasks);
    const opened = await openBenchDatabase(this.#cluster, name, populations);
    // Flush what loading left dirty, so that it is not flushed during a measurement.
    await query(opened.superuserUrl, "checkpoint");
    this.#databases.set(name, opened);
    return opened;
  }
}

async function build(): Promise<{ config: string; secret: string }> {
  const secret = randomBytes(32).toString("base64url");
  const config = await writeLocalConfig({
    directory: DIRECTORY,
    main: MAIN,
    minify: true,
    options: { rateLimit: null },
    variables: { ENVIRONMENT, SIGNING_SECRET: secret, SEALING_KEYS },
  });
  await buildAssets();
  await runWrangler(["deploy", "--dry-run", `--config=${config}`, `--outdir=${BUNDLE_DIRECTORY}`]);
  return { config, secret };
}
