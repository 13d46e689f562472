import * as z from "zod";
import type { ApiKey } from "../../src/db/tenants/api-keys.ts";
import { openDatabase, type TenantDatabase } from "../../src/db/connection/client.ts";
import type { Role } from "../../src/domain/actor.ts";
import type { TenantKind } from "../../src/domain/tenant-kind.ts";
import type { Settings } from "../../src/env.ts";
import { type Answer, type Call, reply } from "../../src/routes/http/call.ts";
import { defineContract } from "../../src/routes/http/contract.ts";
import { createHandler, type Route } from "../../src/routes/http/create-handler.ts";
import { ERROR_CODES } from "../../src/routes/http/problem.ts";
import { metadata, paging, reason, safeText, taskRef } from "../../src/routes/http/schemas.ts";
import type { LogEntry } from "../../src/routes/http/trace.ts";
import type { BlobStore } from "../../src/storage/blobs.ts";
import {
  type AppDependencies,
  createApp,
  type MountedRoute,
} from "../../src/routes/app/create-app.ts";
import { testOutbound } from "../support/outbound.ts";
import { countingQueue } from "../support/queues.ts";
import { parsedSealingKeys, SEALING_KEYS } from "../support/sealing.ts";

export const TENANT = "0193aaaa-0000-7000-8000-000000000001";
export const OTHER_TENANT = "0193aaaa-0000-7000-8000-000000000002";
export const NOW = new Date("2026-11-21T12:00:00Z");

export const SETTINGS: Settings = {
  environment: "test",
  database: { databaseUrl: "postgres://user:password@nowhere/none", fetchEndpoint: undefined },
  signingSecret: "a secret of thirty-two characters",
  sealingKeys: parsedSealingKeys(SEALING_KEYS),
  tokenIssuer: null,
  accessApplication: null,
  corsOrigins: [],
  bucket: {
    head: async () => null,
    get: async () => null,
    put: async () => null,
    delete: async () => {},
    list: async () => ({ objects: [], truncated: false }),
  },
  assets: undefined,
  queues: {
    dispatch: countingQueue(),
    bulk: countingQueue(),
    webhook: countingQueue(),
    seed: countingQueue(),
  },
  analytics: undefined,
  ownHosts: [],
  allowsLoopbackEndpoints: false,
  rateLimiter: undefined,
  guessLimiter: undefined,
};

/** An empty, read-only blob store. The routes of these tests store nothing. */
const NO_BLOBS: BlobStore = {
  put: () => Promise.reject(new Error("This store is read-only")),
  open: async () => null,
  delete: async () => {},
  list: async () => ({ objects: [], isLast: true }),
  readSweep: async () => null,
  writeSweep: async () => {},
  isReady: async () => true,
};

/** Returns the API key of a role in a tenant, as a client sends it. */
export const keyOf = (role: Role, tenantId = TENANT): string =>
  `slg_${tenantId.replaceAll("-", "")}_${role}-secret`;

/** Creates a key store with one key per role. It counts lookups. */
export function keyStore(tenantId = TENANT, tenantKind: TenantKind = "customer") {
  const roles: Role[] = ["viewer", "operator", "reviewer", "admin", "service"];
  const revoked = new Set<Role>();
  const store = {
    lookups: 0,
    revoke: (role: Role) => revoked.add(role),
    findApiKey: async (database: TenantDatabase, digest: Uint8Array): Promise<ApiKey | null> => {
      store.lookups += 1;
      database.roundTrips += 1;
      if (database.tenantId !== tenantId) return null;
      for (const role of roles) {
        const stored = await digestOf(keyOf(role, tenantId));
        if (stored.join() === digest.join() && !revoked.has(role)) {
          const found = { id: `key-of-${role}`, name: `The ${role}`, role, digest: stored };
          return { ...found, personId: null, tenantKind, expiresAt: null, isUseDue: false };
        }
      }
      return null;
    },
  };
  return store;
}

async function digestOf(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

const echoed = z.strictObject({
  tenantId: z.string(),
  actor: z.unknown(),
  operation: z.unknown(),
  ifMatch: z.number().nullable(),
  input: z.unknown(),
});

const echo = (call: Call, input: unknown): Answer<z.input<typeof echoed>> => {
  const { tenantId, actor, operation, ifMatch } = call;
  return reply({ tenantId, actor, operation, ifMatch, input });
};

const success = { status: 200 as const, description: "The call was received.", schema: echoed };

/** Small routes that return their input, so that tests of the route template need no business logic. */
export const echoRoutes: readonly Route[] = [
  createHandler(
    defineContract({
      operationId: "readThing",
      method: "GET",
      path: "/things/{taskId}",
      summary: "Reads a thing",
      tags: ["Things"],
      role: "viewer",
      params: z.strictObject({ taskId: taskRef }),
      query: z.strictObject({
        ...paging,
        sort: z.enum(["title", "-title"]).optional(),
        label: z.array(z.enum(["A", "B"])).optional(),
      }),
      response: { ...success, headers: ["ETag"] },
    }),
    async (call, input) => ({ ...echo(call, input), etag: 7 }),
  ),
  createHandler(
    defineContract({
      operationId: "countThings",
      method: "GET",
      path: "/things/count",
      summary: "Counts the things",
      tags: ["Things"],
      role: "viewer",
      service: false,
      response: { ...success, schema: z.strictObject({ count: z.number() }) },
    }),
    async () => reply({ count: 3 }),
  ),
  createHandler(
    defineContract({
      operationId: "createThing",
      method: "POST",
      path: "/things",
      summary: "Creates a thing",
      tags: ["Things"],
      role: "operator",
      body: z.strictObject({
        title: safeText(200).min(1),
        metadata: metadata.optional(),
        ids: z.array(z.guid()).max(3).optional(),
        runAttachedWorkflows: z.boolean().optional(),
      }),
      idempotency: "optional",
      response: { ...success, status: 201, headers: ["Location"] },
    }),
    async (call, input) => ({
      ...echo(call, input),
      headers: { location: "/v1/things/1" },
      replayed: call.operation.key === "replayed",
    }),
  ),
  createHandler(
    defineContract({
      operationId: "moveThing",
      method: "PATCH",
      path: "/things/{taskId}",
      summary: "Moves a thing",
      tags: ["Things"],
      role: "reviewer",
      params: z.strictObject({ taskId: taskRef }),
      body: z.strictObject({ reason: reason.optional() }),
      idempotency: "optional",
      concurrency: true,
      response: success,
    }),
    async (call, input) => echo(call, input),
  ),
  createHandler(
    defineContract({
      operationId: "moveManyThings",
      method: "POST",
      path: "/things/many",
      summary: "Moves many things",
      tags: ["Things"],
      role: "reviewer",
      body: z.strictObject({ ids: z.array(z.string()).min(1).max(1000) }),
      bodyMax: "large",
      idempotency: "required",
      response: success,
    }),
    async (call, input) => echo(call, input),
  ),
  createHandler(
    defineContract({
      operationId: "reportThing",
      method: "POST",
      path: "/things/reports",
      summary: "Reports on a thing",
      tags: ["Things"],
      role: "service",
      response: { status: 204, description: "Received.", schema: z.undefined() },
    }),
    async () => reply(undefined),
  ),
];

/** Creates an operator route that runs the test's function. */
export function routeThat(run: (call: Call) => Promise<Answer<unknown>>): Route {
  const contract = defineContract({
    operationId: "doAnything",
    method: "POST",
    path: "/anything",
    summary: "Does anything",
    tags: ["Things"],
    role: "operator",
    errors: ERROR_CODES,
    response: { status: 200, description: "Done.", schema: z.unknown() },
  });
  return createHandler(contract, run);
}

/** Creates an app with its own key store, a fixed clock and a readable log. */
export function testApp(
  options: Partial<Omit<AppDependencies, "settings">> & {
    settings?: Partial<Settings>;
    routes?: readonly Route[];
  } = {},
) {
  const log: LogEntry[] = [];
  const keys = keyStore();
  const settings = { ...SETTINGS, ...options.settings };
  const database = openDatabase(settings.database);
  const app = createApp(
    {
      openTenant: (tenantId) => database.forTenant(tenantId),
      findApiKey: keys.findApiKey,
      findKeyRole: async () => null,
      recordKeyUse: async () => {},
      signIn: async () => ({ ok: true, person: null, tenantKind: "customer" }),
      findPerson: async () => null,
      isDatabaseReady: async () => true,
      blobs: NO_BLOBS,
      outbound: testOutbound(),
      sendOutgoing: async () => {},
      now: () => NOW,
      log: (entry) => log.push(entry),
      ...options,
      settings,
    },
    mounted(options.routes ?? echoRoutes),
  );

  /** Sends a request with the role's key, or with the given Authorization header. */
  const send = async (
    method: string,
    path: string,
    {
      role = "operator",
      headers = {},
      body,
    }: {
      role?: Role | null;
      headers?: Record<string, string>;
      body?: string | Uint8Array | ReadableStream<Uint8Array>;
    } = {},
  ): Promise<Response> => {
    const authorization = role === null ? {} : { authorization: `Bearer ${keyOf(role)}` };
    const request = new Request(`https://stepledger.test${path}`, {
      method,
      headers: { ...authorization, ...headers },
      ...(body === undefined ? {} : { body }),
    });
    return app.fetch(request);
  };
  const sendJson = (
    method: string,
    path: string,
    body: unknown,
    options: { role?: Role; headers?: Record<string, string> } = {},
  ): Promise<Response> =>
    send(method, path, {
      ...options,
      headers: { "content-type": "application/json", ...options.headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  return { app, log, keys, send, sendJson };
}

/** The body of a problem response, loosely typed because tests check its members. */
export type Problem = Record<string, unknown> & { issues?: { path: unknown[]; code: string }[] };
export async function problemOf(response: Response): Promise<Problem> {
  // The caller checks the shape.
  return JSON.parse(await response.text()) as Problem;
}

/** Wraps routes in the lazily loaded form that the app expects. */
function mounted(routes: readonly Route[]): MountedRoute[] {
  return routes.map((route) => {
    const { method, path } = route.contract;
    return { method, path, load: async () => route };
  });
}
