import { rmSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { startEmbeddedBackend, startGivenBackend, type Backend } from "./backend.ts";
import { LockHeld, releaseLock, takeLock } from "./lock.ts";
import { migrateDatabase } from "./migrate.ts";
import type { StackOptions } from "./options.ts";
import { requireFreePort } from "./ports.ts";
import { removeHome } from "./postgres.ts";
import { ProcessRecords } from "./process-records.ts";
import { readSecrets, type Secrets } from "./secrets.ts";
import {
  readStackFile,
  STACK_DIRECTORY,
  type StackFile,
  stackFileIn,
  type StartWorker,
  writePrivately,
} from "./stack.ts";
import { SupervisedWorker } from "./supervised-worker.ts";
import { storeTenant } from "./tenants.ts";
import { tellTeamStory } from "./team-story.ts";

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
  await lockStack(directory);
  // The file of a stack that was killed. While a stack runs, only its own process removes its file.
  const file = stackFileIn(directory);
  await rm(file, { force: true });
  process.once("exit", () => rmSync(file, { force: true }));
  const processes = new ProcessRecords(join(directory, "processes"));
  const left = await processes.endAll();
  if (left.length > 0)
    console.log(`Ended what a killed stack had left: process ${left.join(", ")}`);
  await requireFreePort(options.port);

  const stops: ((isInterrupted: boolean) => Promise<void>)[] = [];
  const signal = nextSignal();
  try {
    const start = async (): Promise<Promise<Error>[]> => {
      const { backend, secrets } = await startBackend(directory, options);
      stops.push(() => backend.stop());
      for (const tenant of secrets.tenants) {
        await storeTenant(backend.migrationDatabaseUrl, tenant);
      }
      const variables = workerVariables(backend, secrets);
      const worker = new SupervisedWorker(
        () => startWorker({ options, directory, variables, processes }),
        { baseUrl: `http://127.0.0.1:${options.port}`, backend, processes },
      );
      stops.push((isInterrupted) => worker.stop(isInterrupted));
      await worker.start(signal.received);
      await announce(file, {
        baseUrl: worker.baseUrl,
        proxyUrl: backend.proxy?.url ?? null,
        databaseUrl: backend.databaseUrl,
        migrationDatabaseUrl: backend.migrationDatabaseUrl,
        sealingKeys: secrets.sealingKeys,
        tenants: secrets.tenants,
      });
      if (!options.isEmpty) {
        // In the background, because the service can be used meanwhile.
        const telling = new AbortController();
        stops.push(async () => telling.abort());
        void tellTeamStory(
          { baseUrl: worker.baseUrl, tenants: secrets.tenants },
          { tasks: options.storyTasks, signal: telling.signal },
        );
      }
      return [backend.failed, worker.run()];
    };
    const starting = start();
    const first = await Promise.race([starting, signal.received]);
    if (typeof first === "object") {
      const last = await Promise.race([...first, signal.received]);
      if (last instanceof Error) throw last;
    } else {
      // Interrupted during the start: wait for it, because only then is it known what must be stopped.
      await Promise.allSettled([starting]);
    }
  } finally {
    await rm(file, { force: true });
    const isInterrupted = signal.seen() === "SIGINT";
    for (const stop of stops.toReversed()) {
      await stop(isInterrupted).catch((error: unknown) => console.error(error));
    }
    await releaseLock(directory);
  }
}

/** @throws with the process and the address of the stack that is running here. */
async function lockStack(directory: string): Promise<void> {
  try {
    await takeLock(directory);
  } catch (error) {
    if (!(error instanceof LockHeld)) throw error;
    const url = readStackFile()?.baseUrl ?? "still starting";
    throw new Error(
      `A stack is already running here: process ${error.holder}, ${url}. Stop it before you start another one.`,
      { cause: error },
    );
  }
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

async function announce(path: string, file: StackFile): Promise<void> {
  await writePrivately(path, `${JSON.stringify(file, null, 2)}\n`);
  const { baseUrl, tenants } = file;
  const [tenant] = tenants;
  const demo = tenants.find(({ kind }) => kind === "demo");
  console.log(`
  Stepledger    ${baseUrl}
  Docs          ${baseUrl}/docs
  Tenant        ${tenant?.name} (${tenant?.id})
  Admin key     ${tenant?.keys.admin}
  Demo          ${demo?.name} (${demo?.id})
  Its admin key ${demo?.keys.admin}

  curl -H "Authorization: Bearer ${tenant?.keys.admin}" ${baseUrl}/v1/me

  All keys are in ${relative(process.cwd(), path)}. Ctrl-C stops everything.
`);
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
