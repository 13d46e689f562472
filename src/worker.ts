import { uuidv7 } from "uuidv7";
import { type Queues, sendOutgoing } from "./actions/outgoing/send-outgoing.ts";
import type { ConsumeBatch } from "./consumers/index.ts";
import { findApiKey, findKeyRole, recordKeyUse } from "./db/tenants/api-keys.ts";
import { openDatabase } from "./db/connection/client.ts";
import { parseEnv, type Settings } from "./env.ts";
import type { Outbound } from "./outbound/post-signed.ts";
import { createResolver } from "./outbound/resolve-host.ts";
import { createSealer } from "./outbound/sealer.ts";
import { createMessageQueue } from "./queues/message-queue.ts";
import { defectEntry, logToConsole, sweptEntry, unopenedEntry } from "./routes/http/trace.ts";
import { createApp } from "./routes/app/create-app.ts";
import { createR2Blobs } from "./storage/r2-blobs.ts";

interface Service {
  app: ReturnType<typeof createApp>;
  consume: ConsumeBatch;
  /** Runs the job of a cron trigger in wrangler.toml. */
  runScheduled: (cron: string) => Promise<void>;
}

/** One service for each environment object. An isolate passes the same object to all of its events. */
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
    seed: createMessageQueue(settings.queues.seed),
  };
  const outbound = createOutbound(settings);
  const shared = { database, queues, analytics: settings.analytics };
  const app = createApp({
    settings,
    openTenant: (tenantId) => database.forTenant(tenantId),
    findApiKey,
    findKeyRole,
    recordKeyUse,
    signIn: async (tenant, token) => {
      const { signIn } = await import("./actions/people/sign-in.ts");
      return signIn(tenant, token);
    },
    findPerson: async (tenant, id) => {
      const { findPerson } = await import("./db/tenants/people.ts");
      return findPerson(tenant, id);
    },
    isDatabaseReady: () => database.ping(),
    blobs,
    outbound,
    sendOutgoing: (tenant) => sendOutgoing(shared, tenant),
    now: () => new Date(),
    log: logToConsole,
  });
  // Consumers and sweeps are loaded on first use, so that an isolate starts faster for requests.
  let consumeBatch: ConsumeBatch | undefined;
  const consume: ConsumeBatch = async (batch) => {
    const { createConsumers } = await import("./consumers/index.ts");
    consumeBatch ??= createConsumers({
      ...shared,
      outbound,
      assets: settings.assets,
      reportDefect: (error, { queue, messageId }) =>
        logToConsole(defectEntry({ requestId: messageId, operationId: queue }, error)),
    });
    await consumeBatch(batch);
  };
  const runDailySweep = async (requestId: string) => {
    const { sweepDaily } = await import("./actions/upkeep/sweep-daily.ts");
    return sweepDaily({ database, blobs }, { now: new Date(), requestId });
  };
  const runSweep = async (requestId: string) => {
    const { sweep } = await import("./actions/upkeep/sweep.ts");
    return sweep(shared, { requestId });
  };
  const runScheduled = async (cron: string) => {
    const requestId = uuidv7();
    const swept = cron === DAILY ? await runDailySweep(requestId) : await runSweep(requestId);
    logToConsole(sweptEntry({ requestId, cron }, swept));
  };
  return { app, consume, runScheduled };
}

/** Creates what calls tenants' endpoints. */
function createOutbound({ allowsLoopbackEndpoints, ownHosts, sealingKeys }: Settings): Outbound {
  const send: typeof fetch = (...request) => fetch(...request);
  return {
    fetch: send,
    resolveHost: createResolver(send),
    sealer: createSealer(sealingKeys),
    reportUnopened: (secret) => logToConsole(unopenedEntry(secret)),
    allowsLoopback: allowsLoopbackEndpoints,
    ownHosts,
  };
}

/** The cron expression of the daily sweep. Any other one triggers the frequent sweep. */
const DAILY = "17 3 * * *";

export default {
  fetch: (request, env, context) => serviceFor(env).app.fetch(request, env, context),
  queue: (batch, env) => serviceFor(env).consume(batch),
  scheduled: ({ cron }, env) => serviceFor(env).runScheduled(cron),
} satisfies ExportedHandler<object>;
