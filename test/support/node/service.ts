import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { uuidv7 } from "uuidv7";
import { inventTenant, storeTenant, type Tenant } from "../../../scripts/stack/tenants.ts";
import { type Queues, sendOutgoing } from "../../../src/actions/outgoing/send-outgoing.ts";
import { sweep } from "../../../src/actions/upkeep/sweep.ts";
import { type ConsumeBatch, createConsumers } from "../../../src/consumers/index.ts";
import { workOnBulk } from "../../../src/actions/bulk/work-on-bulk.ts";
import { signIn } from "../../../src/actions/people/sign-in.ts";
import { findPerson } from "../../../src/db/tenants/people.ts";
import { findApiKey, findKeyRole, recordKeyUse } from "../../../src/db/tenants/api-keys.ts";
import { openDatabase } from "../../../src/db/connection/client.ts";
import { parseEnv } from "../../../src/env.ts";
import { createMessageQueue } from "../../../src/queues/message-queue.ts";
import { createApp } from "../../../src/routes/app/create-app.ts";
import { testOutbound } from "../outbound.ts";
import { queueBindings } from "../queues.ts";
import { SEALING_KEYS } from "../sealing.ts";
import seedTexts from "../../../assets/seed/texts.json" with { type: "json" };
import { memoryBlobs } from "./memory-blobs.ts";
import { freshDatabase, type TestDatabase } from "../database.ts";

/** The service over its own database, reachable over HTTP like any deployment. */
export interface TestService {
  baseUrl: string;
  database: TestDatabase;
  tenant: Tenant;
  otherTenant: Tenant;
  /** Messages that the service sent and no consumer has taken. */
  queues: ReturnType<typeof queueBindings>;
  consume: ConsumeBatch;
  /** Runs the sweep that is scheduled every 15 minutes. */
  sweep: () => Promise<unknown>;
  stop: () => Promise<void>;
}

/** Starts the service in this process, on a loopback port. */
export async function startService(): Promise<TestService> {
  const bindings = queueBindings();
  const database = await freshDatabase();
  const tenant = inventTenant("First tenant");
  const otherTenant = inventTenant("Second tenant");
  for (const one of [tenant, otherTenant]) await storeTenant(database.migrationDatabaseUrl, one);
  const settings = parseEnv({
    ENVIRONMENT: "test",
    DATABASE_URL: database.databaseUrl,
    NEON_FETCH_ENDPOINT: database.fetchEndpoint,
    SIGNING_SECRET: "a secret of the tests, long enough to sign with",
    SEALING_KEYS,
    // Unused: the app gets `memoryBlobs` below.
    BUCKET: { put: () => {} },
    ASSETS: { fetch: async () => Response.json(seedTexts) },
    ...bindings,
  });
  const opened = openDatabase(settings.database);
  const queues: Queues = {
    dispatch: createMessageQueue(settings.queues.dispatch),
    bulk: createMessageQueue(settings.queues.bulk),
    webhook: createMessageQueue(settings.queues.webhook),
    seed: createMessageQueue(settings.queues.seed),
  };
  const shared = { database: opened, queues };
  const outbound = testOutbound();
  const app = createApp({
    settings,
    openTenant: (tenantId) => opened.forTenant(tenantId),
    findApiKey,
    findKeyRole,
    recordKeyUse,
    signIn,
    findPerson,
    isDatabaseReady: () => opened.ping(),
    blobs: memoryBlobs(),
    outbound,
    // Bulk operations are processed immediately. Everything else stays in its queue.
    sendOutgoing: async (one) => {
      await sendOutgoing(shared, one);
      for (const operationId of one.outgoing.operations) {
        await workOnBulk(opened.forTenant(one.tenantId), operationId, { chunksMax: 100 });
      }
    },
    now: () => new Date(),
    log: () => {},
  });

  /** Returns the answer after the work that follows it is done. */
  const answerWhole = async (request: Request): Promise<Response> => {
    const following: Promise<unknown>[] = [];
    const response = await app.fetch(request, {}, contextOf(following));
    await Promise.all(following);
    return response;
  };

  const server = createServer((incoming, outgoing) => {
    void toRequest(incoming)
      .then((request) => answerWhole(request))
      .then(async (response) => {
        outgoing.writeHead(response.status, Object.fromEntries(response.headers));
        outgoing.end(Buffer.from(await response.arrayBuffer()));
      })
      .catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    baseUrl: `http://127.0.0.1:${portOf(server)}`,
    database,
    tenant,
    otherTenant,
    queues: bindings,
    consume: createConsumers({
      ...shared,
      outbound,
      assets: settings.assets,
      reportDefect: () => {},
    }),
    sweep: () => sweep(shared, { requestId: uuidv7() }),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await database.drop();
    },
  };
}

const contextOf = (following: Promise<unknown>[]) => ({
  waitUntil: (promise: Promise<unknown>) => void following.push(promise),
  passThroughOnException: () => {},
  props: {},
});

function portOf(server: Server): number {
  // The address of a TCP server has a port.
  return (server.address() as AddressInfo).port;
}

async function toRequest(incoming: IncomingMessage): Promise<Request> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (typeof value === "string") headers.set(name, value);
  }
  const { method = "GET", url = "/" } = incoming;
  return new Request(`http://${incoming.headers.host}${url}`, {
    method,
    headers,
    ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
  });
}
