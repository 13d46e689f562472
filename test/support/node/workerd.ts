import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildWorker } from "../../../scripts/stack/build.ts";
import { inventTenant, storeTenant, type Tenant } from "../../../scripts/stack/tenants.ts";
import { startWorkerd } from "../../../scripts/stack/workerd.ts";
import { writeLocalConfig } from "../../../scripts/stack/wrangler.ts";
import { freshDatabase, type TestDatabase } from "../database.ts";
import { SEALING_KEYS } from "../sealing.ts";

/** The built Worker in its own workerd, with real queues and its own database. */
export interface TestWorkerd {
  database: TestDatabase;
  tenant: Tenant;
  /** Sends a request with the key of that role, and the body as JSON. */
  call: (
    method: string,
    path: string,
    options?: { as?: keyof Tenant["keys"]; body?: unknown; idempotencyKey?: string },
  ) => Promise<{ status: number; body: unknown }>;
  /** Sends a request to a full path, with the admin's key unless the headers have another. */
  fetch: (
    path: string,
    init?: { method?: string; body?: string; headers?: Record<string, string> },
  ) => Promise<Response>;
  /** Runs the scheduled handler. */
  scheduled: (cron: string) => Promise<void>;
  /** Kills workerd with everything in its queues, like a power cut, and restarts it over the same database. */
  killAndRestart: () => Promise<void>;
  stop: () => Promise<void>;
}

/** Builds the Worker and starts it. */
export async function startTestWorkerd(): Promise<TestWorkerd> {
  const directory = await mkdtemp(join(tmpdir(), "stepledger-workerd-"));
  const bundleDirectory = join(directory, "worker");
  await buildWorker(bundleDirectory);
  const database = await freshDatabase();
  const tenant = inventTenant("First tenant");
  await storeTenant(database.migrationDatabaseUrl, tenant);
  const config = await writeLocalConfig({
    directory,
    options: { rateLimit: null },
    variables: {
      ENVIRONMENT: "development",
      DATABASE_URL: database.databaseUrl,
      NEON_FETCH_ENDPOINT: database.fetchEndpoint,
      SIGNING_SECRET: "a secret of the tests, long enough to sign with",
      SEALING_KEYS,
      ALLOW_LOOPBACK_ENDPOINTS: "true",
      // Nothing listens there: a token is refused before its keys are fetched.
      AUTH_ISSUER: "https://issuer.test",
      AUTH_AUDIENCE: "stepledger-test",
      AUTH_JWKS_URL: "http://127.0.0.1:9/.well-known/jwks.json",
    },
  });
  const start = () =>
    startWorkerd({
      config,
      bundle: bundleDirectory,
      state: join(directory, "state"),
      port: 0,
      isQuiet: true,
    });
  let running = await start();

  return {
    database,
    tenant,
    call: async (method, path, { as = "admin", body, idempotencyKey } = {}) => {
      const response = await fetch(`${running.baseUrl}/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${tenant.keys[as]}`,
          ...(body !== undefined && { "content-type": "application/json" }),
          ...(idempotencyKey !== undefined && { "idempotency-key": idempotencyKey }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: text === "" ? null : (JSON.parse(text) as unknown) };
    },
    fetch: (path, init = {}) =>
      fetch(`${running.baseUrl}${path}`, {
        ...init,
        headers: {
          authorization: `Bearer ${tenant.keys.admin}`,
          ...(init.body !== undefined && { "content-type": "application/json" }),
          ...init.headers,
        },
      }),
    scheduled: async (cron) => {
      await running.scheduled(cron);
    },
    killAndRestart: async () => {
      await running.stop();
      running = await start();
    },
    stop: async () => {
      await running.stop();
      await database.drop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
