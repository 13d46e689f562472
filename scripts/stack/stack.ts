import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startEmbeddedBackend, startGivenBackend, type Backend } from "./backend.ts";
import { migrateDatabase } from "./migrate.ts";
import { releaseLock, takeLock } from "./lock.ts";
import type { StackOptions } from "./options.ts";
import { requireFreePort } from "./ports.ts";
import { removeHome } from "./postgres.ts";
import { inventTenant, storeTenant, type Tenant } from "./tenants.ts";

export const PROJECT_DIRECTORY = join(import.meta.dirname, "..", "..");
/** The directory of everything that a local stack writes. */
export const STACK_DIRECTORY = join(PROJECT_DIRECTORY, ".dev");

/** The content of `.dev/stack.json`: what other programs need to know about a running stack. */
export interface StackFile {
  baseUrl: string;
  proxyUrl: string | null;
  databaseUrl: string;
  migrationDatabaseUrl: string;
  /** SEALING_KEYS of the Worker. */
  sealingKeys: string;
  tenants: Tenant[];
}

/** Starts the Worker on a migrated database. */
export type StartWorker = (input: WorkerInput) => Promise<RunningWorker>;

export interface WorkerInput {
  options: StackOptions;
  directory: string;
  variables: Record<string, string>;
}

export interface RunningWorker {
  stop: (isInterrupted: boolean) => Promise<void>;
  /** Resolves when the Worker exits on its own. */
  ended: Promise<void>;
}

/** Runs a local stack, and exits this process when the stack has stopped. */
export async function runStackProcess(
  readOptions: () => StackOptions,
  startWorker: StartWorker,
): Promise<never> {
  try {
    await runStack(readOptions(), startWorker);
    process.exit(0);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}

/** Runs a local stack until it receives a signal. Then stops everything that it started, and nothing else. */
async function runStack(options: StackOptions, startWorker: StartWorker): Promise<void> {
  const directory = STACK_DIRECTORY;
  await mkdir(directory, { recursive: true });
  await takeLock(directory, /scripts\/(dev|preview)\.ts/);
  process.once("exit", () => rmSync(join(directory, "stack.json"), { force: true }));
  await requireFreePort(options.port);
  const stops: ((isInterrupted: boolean) => Promise<void>)[] = [];
  const signal = nextSignal();
  let worker: RunningWorker | null = null;
  try {
    const start = async (): Promise<RunningWorker> => {
      const { backend, secrets } = await startBackend(directory, options);
      stops.push(() => backend.stop());
      for (const tenant of secrets.tenants) {
        await storeTenant(backend.migrationDatabaseUrl, tenant);
      }
      const running = await startWorker({
        options,
        directory,
        variables: workerVariables(backend, secrets),
      });
      stops.push(running.stop);
      const baseUrl = `http://127.0.0.1:${options.port}`;
      await waitUntilAnswers(baseUrl, running.ended, signal.received);
      const file: StackFile = {
        baseUrl,
        proxyUrl: backend.proxy?.url ?? null,
        databaseUrl: backend.databaseUrl,
        migrationDatabaseUrl: backend.migrationDatabaseUrl,
        sealingKeys: secrets.sealingKeys,
        tenants: secrets.tenants,
      };
      await writePrivately(join(directory, "stack.json"), `${JSON.stringify(file, null, 2)}\n`);
      announce(file);
      return running;
    };
    const starting = start();
    const first = await Promise.race([starting, signal.received]);
    if (typeof first === "object") {
      worker = first;
      await Promise.race([worker.ended, signal.received]);
    } else {
      // Interrupted during the start: wait for it, because only then is it known what must be stopped.
      await starting.catch(() => {});
    }
  } finally {
    await rm(join(directory, "stack.json"), { force: true });
    const isInterrupted = signal.seen() === "SIGINT";
    for (const stop of stops.toReversed()) {
      await stop(isInterrupted).catch((error: unknown) => console.error(error));
    }
    await releaseLock(directory);
  }
  if (signal.seen() === null) throw new Error("The Worker exited unexpectedly");
}

/** The secrets of a local stack, which are kept between starts. */
interface Secrets {
  passwords: { owner: string; application: string };
  signingSecret: string;
  /** SEALING_KEYS of the Worker. */
  sealingKeys: string;
  tenants: Tenant[];
}

async function startBackend(
  directory: string,
  options: StackOptions,
): Promise<{ backend: Backend; secrets: Secrets }> {
  const { DATABASE_URL: databaseUrl, MIGRATION_DATABASE_URL: migrationDatabaseUrl } = process.env;
  if (Boolean(databaseUrl) !== Boolean(migrationDatabaseUrl)) {
    throw new Error("Set both DATABASE_URL and MIGRATION_DATABASE_URL, or neither");
  }
  const isGiven = databaseUrl && migrationDatabaseUrl;
  if (isGiven && options.isReset) {
    throw new Error("--reset works only with the embedded database, not with DATABASE_URL");
  }
  const home = join(directory, "postgres");
  if (options.isReset) {
    await removeHome(home);
    // The objects in the bucket belong to deleted rows.
    await rm(join(directory, "state"), { recursive: true, force: true });
    await rm(join(directory, "secrets.json"), { force: true });
  }
  const secrets = await readSecrets(directory);
  const backend = isGiven
    ? await startGivenBackend(databaseUrl, migrationDatabaseUrl)
    : await startEmbeddedBackend(home, secrets.passwords);
  try {
    await migrateDatabase(backend.migrationDatabaseUrl);
  } catch (error) {
    await backend.stop();
    throw error;
  }
  return { backend, secrets };
}

async function readSecrets(directory: string): Promise<Secrets> {
  const path = join(directory, "secrets.json");
  const sealingKeys = `dev:${randomBytes(32).toString("base64")}`;
  if (existsSync(path)) {
    // A file of an earlier release has no sealing keys.
    const known = JSON.parse(await readFile(path, "utf8")) as Partial<Secrets>;
    const completed = { sealingKeys, ...known } as Secrets;
    await writePrivately(path, `${JSON.stringify(completed, null, 2)}\n`);
    return completed;
  }
  const secret = () => randomBytes(32).toString("base64url");
  const signingSecret = secret();
  const secrets: Secrets = {
    passwords: { owner: secret(), application: secret() },
    signingSecret,
    sealingKeys,
    tenants: [
      inventTenant("Demo", { signingSecret }),
      inventTenant("Second demo", { signingSecret }),
    ],
  };
  await writePrivately(path, `${JSON.stringify(secrets, null, 2)}\n`);
  return secrets;
}

function workerVariables(backend: Backend, secrets: Secrets): Record<string, string> {
  return {
    ENVIRONMENT: "development",
    DATABASE_URL: backend.databaseUrl,
    SIGNING_SECRET: secrets.signingSecret,
    SEALING_KEYS: secrets.sealingKeys,
    // Lets a pipeline call any local HTTP server.
    ALLOW_LOOPBACK_ENDPOINTS: "true",
    ...(backend.proxy ? { NEON_FETCH_ENDPOINT: backend.proxy.fetchEndpoint } : {}),
  };
}

const START_PATIENCE_MILLISECONDS = 90_000;

async function waitUntilAnswers(
  baseUrl: string,
  ended: Promise<void>,
  stopped: Promise<unknown>,
): Promise<void> {
  const failure = Promise.race([
    ended.then(() => "The Worker exited during its start"),
    stopped.then(() => "Interrupted during the start"),
  ]);
  const deadline = Date.now() + START_PATIENCE_MILLISECONDS;
  while (Date.now() < deadline) {
    const result = await Promise.race([failure, isHealthy(baseUrl)]);
    if (result === true) return;
    if (typeof result === "string") throw new Error(result);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("The Worker does not respond to /healthz");
}

async function isHealthy(baseUrl: string): Promise<boolean> {
  try {
    return (await fetch(`${baseUrl}/healthz`, { signal: AbortSignal.timeout(5_000) })).ok;
  } catch {
    return false;
  }
}

function announce({ baseUrl, tenants }: StackFile): void {
  const [tenant] = tenants;
  console.log(`
  Stepledger    ${baseUrl}
  Docs          ${baseUrl}/docs
  Tenant        ${tenant?.name} (${tenant?.id})
  Admin key     ${tenant?.keys.admin}

  curl -H "Authorization: Bearer ${tenant?.keys.admin}" ${baseUrl}/v1/me

  All keys are in .dev/stack.json. Ctrl-C stops everything.
`);
}

/** Reads `.dev/stack.json`. Returns null if no stack is running. */
export function readStackFile(): StackFile | null {
  const path = join(STACK_DIRECTORY, "stack.json");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as StackFile) : null;
}

/** Writes a file that only its owner can read, atomically: a reader sees either the old content or the new. */
export async function writePrivately(path: string, content: string): Promise<void> {
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, content, { mode: 0o600 });
  await chmod(draft, 0o600);
  await rename(draft, path);
}

/** Listens for the first signal to stop. Later signals are ignored because the shutdown has begun. */
function nextSignal() {
  let seen: NodeJS.Signals | null = null;
  const received = new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(name, () => {
        seen ??= name;
        resolve(name);
      });
    }
  });
  return { received, seen: () => seen };
}
