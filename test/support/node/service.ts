import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { inventTenant, storeTenant, type Tenant } from "../../../scripts/stack/tenants.ts";
import { findApiKey } from "../../../src/db/api-keys.ts";
import { openDatabase } from "../../../src/db/client.ts";
import { parseEnv } from "../../../src/env.ts";
import { createApp } from "../../../src/routes/index.ts";
import { testOutbound } from "../outbound.ts";
import { queueBindings } from "../queues.ts";
import { memoryBlobs } from "./memory-blobs.ts";
import { freshDatabase, type TestDatabase } from "../database.ts";

/** The service over a database of its own, reachable as any client would reach it. */
export interface TestService {
  baseUrl: string;
  database: TestDatabase;
  tenant: Tenant;
  otherTenant: Tenant;
  stop: () => Promise<void>;
}

/** Starts the service in this process, behind a port on loopback. */
export async function startService(): Promise<TestService> {
  const database = await freshDatabase();
  const tenant = inventTenant("First tenant");
  const otherTenant = inventTenant("Second tenant");
  for (const one of [tenant, otherTenant]) await storeTenant(database.migrationDatabaseUrl, one);
  const settings = parseEnv({
    ENVIRONMENT: "test",
    DATABASE_URL: database.databaseUrl,
    NEON_FETCH_ENDPOINT: database.fetchEndpoint,
    SIGNING_SECRET: "a secret of the tests, long enough to sign with",
    // The app gets its blobs from elsewhere.
    BUCKET: { put: () => {} },
    ...queueBindings(),
  });
  const opened = openDatabase(settings.database);
  const app = createApp({
    settings,
    openTenant: (tenantId) => opened.forTenant(tenantId),
    findApiKey,
    isTenantKnown: async () => true,
    isDatabaseReady: () => opened.ping(),
    blobs: memoryBlobs(),
    outbound: testOutbound(),
    sendOutgoing: async () => {},
    now: () => new Date(),
    log: () => {},
  });

  const server = createServer((incoming, outgoing) => {
    void toRequest(incoming)
      .then((request) => app.fetch(request, {}, NO_CONTEXT))
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
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await database.drop();
    },
  };
}

/** Nothing here outlives its answer. */
const NO_CONTEXT = { waitUntil: () => {}, passThroughOnException: () => {}, props: {} };

function portOf(server: Server): number {
  // A server that listens on TCP has an address with a port.
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
