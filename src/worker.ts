import { uuidv7 } from "uuidv7";
import { sweepData } from "./actions/sweep-data.ts";
import { findApiKey } from "./db/api-keys.ts";
import { openDatabase } from "./db/client.ts";
import { readTenantName } from "./db/tenants.ts";
import { parseEnv } from "./env.ts";
import { logToConsole } from "./routes/http/trace.ts";
import { createApp } from "./routes/index.ts";
import { createR2Blobs } from "./storage/r2-blobs.ts";

type App = ReturnType<typeof createApp>;

/** One app for each environment object, which a Worker's isolate hands to all its requests. */
const apps = new WeakMap<object, App>();

function appFor(env: object): App {
  const known = apps.get(env);
  if (known !== undefined) return known;
  const settings = parseEnv(env);
  const database = openDatabase(settings.database);
  const app = createApp({
    settings,
    openTenant: (tenantId) => database.forTenant(tenantId),
    findApiKey,
    isTenantKnown: async (tenant) => (await readTenantName(tenant)) !== null,
    isDatabaseReady: () => database.ping(),
    blobs: createR2Blobs(settings.bucket),
    now: () => new Date(),
    log: logToConsole,
  });
  apps.set(env, app);
  return app;
}

/** The daily cleaning; one that fails is told by the platform, and the next one does its work. */
async function sweep(env: object): Promise<void> {
  const settings = parseEnv(env);
  const swept = await sweepData(
    { database: openDatabase(settings.database), blobs: createR2Blobs(settings.bucket) },
    { now: new Date() },
  );
  logToConsole({ level: "info", message: "swept data", requestId: uuidv7(), ...swept });
}

export default {
  fetch: (request, env, context) => appFor(env).fetch(request, env, context),
  scheduled: (_event, env) => sweep(env),
} satisfies ExportedHandler<object>;
