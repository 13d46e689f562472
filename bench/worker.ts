import { taskView } from "../src/actions/views/task-view.ts";
import { type Database, openDatabase } from "../src/db/client.ts";
import { listTasks, LIVE_SORT_MAX } from "../src/db/list-tasks.ts";
import { rankOf } from "../src/domain/status/unified.ts";
import { parseEnv } from "../src/env.ts";
import service from "../src/worker.ts";

// The service as it is, with two more routes: what it is measured against runs in the same isolate and reaches the
// database by the same driver.

const databases = new WeakMap<object, Database>();

function databaseOf(env: object): Database {
  const known = databases.get(env);
  if (known !== undefined) return known;
  const database = openDatabase(parseEnv(env).database);
  databases.set(env, database);
  return database;
}

/** `select 1` so many times, one after the other. */
async function selectOne(database: Database, times: number): Promise<Response> {
  for (let count = 0; count < times; count += 1) {
    if (!(await database.ping())) throw new Error("The database did not answer");
  }
  return new Response("1");
}

/** The first page of a sort by label, as a service makes it that sorts in its own memory. */
async function sortInMemory(database: Database, tenantId: string): Promise<Response> {
  const candidates = await listTasks(
    database.forTenant(tenantId),
    {},
    { sort: "createdAt", descending: true, after: null, limit: LIVE_SORT_MAX },
  );
  const sorted = candidates
    .map(({ task }) => taskView(task))
    .toSorted(
      (one, other) =>
        rankOf(one.unifiedStatus) - rankOf(other.unifiedStatus) || (one.id < other.id ? -1 : 1),
    );
  return Response.json({ data: sorted.slice(0, 50) });
}

export default {
  ...service,
  fetch: (request, env, context) => {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/bench/select-1") {
      return selectOne(databaseOf(env), Number(searchParams.get("times")));
    }
    if (pathname === "/bench/sort-in-memory") {
      return sortInMemory(databaseOf(env), searchParams.get("tenant") ?? "");
    }
    return service.fetch(request, env, context);
  },
} satisfies ExportedHandler<object>;
