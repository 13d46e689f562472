import { uuidv7 } from "uuidv7";
import { type Queues, sendOutgoing } from "./actions/outgoing/send-outgoing.ts";
import type { ConsumeBatch } from "./consumers/index.ts";
import { findApiKey } from "./db/tenants/api-keys.ts";
import { openDatabase } from "./db/connection/client.ts";
import { readTenantName } from "./db/tenants/tenants.ts";
import { parseEnv, type Settings } from "./env.ts";
import type { Outbound } from "./outbound/post-signed.ts";
import { createResolver } from "./outbound/resolve-host.ts";
import { createMessageQueue } from "./queues/message-queue.ts";
import { defectEntry, logToConsole } from "./routes/http/trace.ts";
import { createApp } from "./routes/app/create-app.ts";
import { createR2Blobs } from "./storage/r2-blobs.ts";

interface Service {
  app: ReturnType<typeof createApp>;
  consume: ConsumeBatch;
  /** What the clock asks for, by the cron expression of wrangler.toml. */
  keepUp: (cron: string) => Promise<void>;
}

/** One service for each environment object, which a Worker's isolate hands to all its events. */
const services = new WeakMap<object, Service>();

function serviceFor(env: object): Service {
  const known = services.get(env);
  if (known !== undefined) return known;
  const service = createService(parseEnv(env));
  services.set(env, service);
  return service;
}

function createService(settings: Settings): Service {
  const database = openDatabase(settings.database);
  const blobs = createR2Blobs(settings.bucket);
  const queues: Queues = {
    dispatch: createMessageQueue(settings.queues.dispatch),
    bulk: createMessageQueue(settings.queues.bulk),
    webhook: createMessageQueue(settings.queues.webhook),
  };
  const outbound = createOutbound(settings);
  const shared = { database, queues, analytics: settings.analytics };
  const app = createApp({
    settings,
    openTenant: (tenantId) => database.forTenant(tenantId),
    findApiKey,
    isTenantKnown: async (tenant) => (await readTenantName(tenant)) !== null,
    isDatabaseReady: () => database.ping(),
    blobs,
    outbound,
    sendOutgoing: (tenant) => sendOutgoing(shared, tenant),
    now: () => new Date(),
    log: logToConsole,
  });
  // What answers no request is loaded when it is first needed: an isolate starts for its requests.
  let consumeBatch: ConsumeBatch | undefined;
  const consume: ConsumeBatch = async (batch) => {
    const { createConsumers } = await import("./consumers/index.ts");
    consumeBatch ??= createConsumers({
      ...shared,
      outbound,
      reportDefect: (error, { queue, messageId }) =>
        logToConsole(defectEntry({ requestId: messageId, operationId: queue }, error)),
    });
    await consumeBatch(batch);
  };
  const sweepOnceADay = async () => {
    const { sweepDaily } = await import("./actions/upkeep/sweep-daily.ts");
    return sweepDaily({ database, blobs }, { now: new Date() });
  };
  const sweepOften = async (requestId: string) => {
    const { sweep } = await import("./actions/upkeep/sweep.ts");
    return sweep(shared, { requestId });
  };
  const keepUp = async (cron: string) => {
    const requestId = uuidv7();
    const swept = cron === DAILY ? await sweepOnceADay() : await sweepOften(requestId);
    logToConsole({ level: "info", message: "swept", requestId, cron, ...swept });
  };
  return { app, consume, keepUp };
}

/** The way out to tenants' own systems. */
function createOutbound({ allowsLoopbackEndpoints, ownHosts }: Settings): Outbound {
  const send: typeof fetch = (...request) => fetch(...request);
  return {
    fetch: send,
    resolveHost: createResolver(send),
    allowsLoopback: allowsLoopbackEndpoints,
    ownHosts,
  };
}

/** The cron expression of what is done once a day; every other one is of what is done often. */
const DAILY = "17 3 * * *";

export default {
  fetch: (request, env, context) => serviceFor(env).app.fetch(request, env, context),
  queue: (batch, env) => serviceFor(env).consume(batch),
  scheduled: ({ cron }, env) => serviceFor(env).keepUp(cron),
} satisfies ExportedHandler<object>;
