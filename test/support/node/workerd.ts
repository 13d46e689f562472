import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildWorker } from "../../../scripts/stack/build.ts";
import { inventTenant, storeTenant, type Tenant } from "../../../scripts/stack/tenants.ts";
import { startWorkerd } from "../../../scripts/stack/workerd.ts";
import { writeLocalConfig } from "../../../scripts/stack/wrangler.ts";
import { freshDatabase, type TestDatabase } from "../database.ts";

/** The built Worker in a workerd of its own, with real queues, over a database of its own. */
export interface TestWorkerd {
  database: TestDatabase;
  tenant: Tenant;
  /** Sends a request with the key of that role; a body is sent as JSON. */
  call: (
    method: string,
    path: string,
    options?: { as?: keyof Tenant["keys"]; body?: unknown; idempotencyKey?: string },
  ) => Promise<{ status: number; body: unknown }>;
  /** Sends any request at all to a whole path, with an admin's key where it names no other. */
  fetch: (
    path: string,
    init?: { method?: string; body?: string; headers?: Record<string, string> },
  ) => Promise<Response>;
  /** Runs what the clock would run. */
  scheduled: (cron: string) => Promise<void>;
  /** Ends workerd as a power cut would, with all that its queues hold, and starts it anew over the same database. */
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
      ALLOW_LOOPBACK_ENDPOINTS: "true",
      // Nobody answers there: a token is refused for what it is before anybody asks for keys.
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
