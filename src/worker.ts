import { findApiKey } from "./db/api-keys.ts";
import { openDatabase } from "./db/client.ts";
import { readTenantName } from "./db/tenants.ts";
import { parseEnv } from "./env.ts";
import { logToConsole } from "./routes/http/trace.ts";
import { createApp } from "./routes/index.ts";

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
    now: () => new Date(),
    log: logToConsole,
  });
  apps.set(env, app);
  return app;
}

export default {
  fetch: (request, env, context) => appFor(env).fetch(request, env, context),
} satisfies ExportedHandler<object>;
