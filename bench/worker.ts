import * as z from "zod";
import { taskView } from "../src/actions/views/task-view.ts";
import { findApiKey, findKeyRole, recordKeyUse } from "../src/db/tenants/api-keys.ts";
import { type Database, openDatabase } from "../src/db/connection/client.ts";
import { listTasks, LIVE_SORT_MAX } from "../src/db/tasks/list-tasks.ts";
import { rankOf } from "../src/domain/status/unified.ts";
import { parseEnv } from "../src/env.ts";
import { reply } from "../src/routes/http/call.ts";
import { defineContract } from "../src/routes/http/contract.ts";
import { createHandler, type Route } from "../src/routes/http/create-handler.ts";
import { logToConsole } from "../src/routes/http/trace.ts";
import { createApp, lazyRoutes } from "../src/routes/app/create-app.ts";
import { createSealer } from "../src/outbound/sealer.ts";
import { createR2Blobs } from "../src/storage/r2-blobs.ts";
import service from "../src/worker.ts";

// The service with two additional routes for baselines. They use the same middleware, authentication, log, isolate and
// database driver as the service's own routes.

const defineBaseline = <Query extends z.ZodObject>(operationId: string, query: Query) =>
  defineContract({
    operationId,
    method: "GET",
    path: `/bench/${operationId}`,
    summary: "A baseline for a benchmark",
    tags: ["Benchmarks"],
    role: "viewer",
    query,
    response: { status: 200, description: "The result.", schema: z.unknown() },
  });

/** Runs the smallest query a number of times, one after the other. */
const selectOne = (database: Database) =>
  createHandler(
    defineBaseline("select-1", z.strictObject({ times: z.coerce.number().int() })),
    async (_call, { query }) => {
      for (let count = 0; count < query.times; count += 1) {
        if (!(await database.ping())) throw new Error("The database did not answer");
      }
      return reply(1);
    },
  );

/** Returns the first page of a sort by label, as a service would that sorts in memory. */
const sortInMemory = createHandler(
  defineBaseline("sort-in-memory", z.strictObject({})),
  async ({ database }) => {
    const candidates = await listTasks(
      database,
      {},
      { sort: "createdAt", descending: true, after: null, limit: LIVE_SORT_MAX },
    );
    const sorted = candidates
      .map(({ task }) => taskView(task))
      .toSorted(
        (one, other) =>
          rankOf(one.unifiedStatus) - rankOf(other.unifiedStatus) || (one.id < other.id ? -1 : 1),
      );
    return reply({ data: sorted.slice(0, 50) });
  },
);

function createBaselines(env: object): ReturnType<typeof createApp> {
  const settings = parseEnv(env);
  const database = openDatabase(settings.database);
  const dependencies = {
    settings,
    openTenant: (tenantId: string) => database.forTenant(tenantId),
    findApiKey,
    findKeyRole,
    recordKeyUse,
    signIn: async () => ({ ok: true, person: null, tenantKind: "customer" }) as const,
    findPerson: async () => null,
    isDatabaseReady: () => database.ping(),
    blobs: createR2Blobs(settings.bucket),
    outbound: {
      fetch,
      resolveHost: async () => [],
      allowsLoopback: false,
      ownHosts: [],
      sealer: createSealer(settings.sealingKeys),
      reportUnopened: () => {},
    },
    sendOutgoing: async () => {},
    now: () => new Date(),
    log: logToConsole,
  };
  const baselines: readonly Route[] = [selectOne(database), sortInMemory];
  const mounted = baselines.map((route) => {
    const { method, path } = route.contract;
    return { method, path, load: async () => route };
  });
  // Mounted among all other routes, so that routing costs the same.
  return createApp(dependencies, [...lazyRoutes, ...mounted]);
}

const apps = new WeakMap<object, ReturnType<typeof createApp>>();

export default {
  ...service,
  fetch: (request, env, context) => {
    if (!request.url.includes("/v1/bench/")) {
      return service.fetch(request, env, context);
    }
    const app = apps.get(env) ?? createBaselines(env);
    apps.set(env, app);
    return app.fetch(request, env, context);
  },
} satisfies ExportedHandler<object>;
