import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { isOfTenant, type Statement } from "../scripts/stack/neon-protocol.ts";
import { APPLICATION_ROLE } from "../scripts/stack/roles.ts";
import { pageAt, PAGE } from "./listing.ts";
import { tasksInReview } from "./moves.ts";
import { LISTED_TENANT, MOVED_TENANT } from "./populations.ts";
import { LIVE_SORT_PATH } from "./rows/live-sort-scale.ts";
import type { CallOptions, Service } from "./service.ts";
import type { Environment } from "./environment.ts";

const DIRECTORY = join(import.meta.dirname, "plans");

/** A request that sends one of the hottest statements. */
interface HotRequest extends CallOptions {
  name: string;
  path: string;
  /** A part of the statement's text that identifies it. */
  statement: string;
}

/**
 * `npm run bench -- --explain`: writes to bench/plans the plans of the hottest statements, each with the text and the
 * parameters that the Worker sends. All writes are rolled back.
 */
export async function explain(environment: Environment): Promise<void> {
  const sent: Statement[] = [];
  const rewrite = (statement: Statement) => {
    sent.push(statement);
    return statement;
  };
  const service = await environment.large({ rewrite });
  const requests = await hottest(service);
  await clearPlans();
  for (const [index, request] of requests.entries()) {
    // Warm the caches, because they are warm for a hot statement.
    if (request.method === undefined) await service.call(request.path, request);
    sent.length = 0;
    await sendAndRollBack(service, request);
    const plan = await planOf(service, request, sent);
    const name = `${String(index + 1).padStart(2, "0")}-${request.name}.txt`;
    await writeFile(join(DIRECTORY, name), `${environment.scale} tasks\n\n${plan}\n`);
    console.log(`  bench/plans/${name}`);
  }
}

/** Sends a request whose writes are rolled back, so that they can be repeated under `explain`. */
async function sendAndRollBack(service: Service, { path, ...options }: HotRequest): Promise<void> {
  if (options.method === undefined) {
    await service.call(path, options);
    return;
  }
  const faults = `${service.proxy.url}/control/faults`;
  const fault = { kind: "cut-before-commit", times: null, match: { sql: "into operations" } };
  await fetch(faults, { method: "POST", body: JSON.stringify(fault) });
  await service.call(path, options).catch(() => {});
  await fetch(faults, { method: "DELETE" });
}

/** Returns the plan of the statement that contains `statement`, as the application runs it. */
function planOf(
  service: Service,
  { name, statement: part }: HotRequest,
  sent: readonly Statement[],
): Promise<string> {
  const index = sent.findIndex(({ query }) => query.includes(part));
  const statement = sent[index];
  if (statement !== undefined) return directPlan(service, statement, sent.slice(0, index));
  const call = sent.find(({ query }) => query.includes("prepared.record"));
  if (call === undefined) throw new Error(`${name} sent no statement that contains "${part}"`);
  return preparedPlan(service, call, part);
}

/** Runs the preceding statements of the batch, then returns the plan of the statement. */
async function directPlan(
  service: Service,
  statement: Statement,
  preceding: readonly Statement[],
): Promise<string> {
  const client = new Client({ connectionString: service.database.databaseUrl });
  await client.connect();
  try {
    await client.query("begin");
    const batch = preceding.slice(preceding.findLastIndex(isOfTenant));
    for (const { query, values } of batch) await client.query(query, values);
    await client.query("set local statement_timeout = 0");
    const { rows } = await client.query<{ "QUERY PLAN": string }>(
      `explain (analyze, buffers) ${statement.query}`,
      statement.values,
    );
    await client.query("rollback");
    return rows.map((row) => row["QUERY PLAN"]).join("\n");
  } finally {
    await client.end();
  }
}

/**
 * Calls a prepared function and returns the plan of a statement in it, as logged by auto_explain. Postgres keeps the plan
 * from the first call on; the first two calls warm the caches.
 */
async function preparedPlan(service: Service, call: Statement, part: string): Promise<string> {
  const client = new Client({ connectionString: service.database.superuserUrl });
  await client.connect();
  const notices: string[] = [];
  client.on("notice", ({ message }) => notices.push(message ?? ""));
  try {
    await client.query("load 'auto_explain'");
    await client.query(`set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on;
      set auto_explain.log_analyze = on; set auto_explain.log_buffers = on; set client_min_messages = log;
      set role ${APPLICATION_ROLE}`);
    for (let count = 0; count < 3; count += 1) {
      notices.length = 0;
      await client.query("begin");
      await client.query(call.query, call.values);
      await client.query("rollback");
    }
  } finally {
    await client.end();
  }
  const plan = notices.find((message) => message.includes(part));
  if (plan === undefined) throw new Error(`PostgreSQL logged no plan that contains "${part}"`);
  // The text of the statement, and possibly its parameters, precede the plan.
  return plan.slice(plan.search(/^\S.*\(cost=/m));
}

async function clearPlans(): Promise<void> {
  await mkdir(DIRECTORY, { recursive: true });
  for (const name of await readdir(DIRECTORY)) await rm(join(DIRECTORY, name));
}

/** Returns requests for the ten statements that are the most frequent in a busy service, or the most expensive. */
async function hottest(service: Service): Promise<HotRequest[]> {
  const listed = { tenant: LISTED_TENANT };
  const moved = { tenant: MOVED_TENANT };
  const tasks = await tasksInReview(service, MOVED_TENANT, 1_000);
  const [task] = tasks;
  if (task === undefined) throw new Error("The tenant has no task to move");
  const ids = tasks.map(({ id }) => id);
  const change = { taskIds: ids, targetStatus: "CHANGES_REQUESTED", reason: "Explained." };
  const quiet = { runAttachedWorkflows: false };
  const page = "json_build_object('id', t.id";
  const list = (query: string) => `/v1/tasks?${query}&limit=${PAGE}`;
  return [
    { name: "newest", path: list("sort=-createdAt"), statement: page, ...listed },
    { name: "by-label", path: await pageAt(service, "label", 0.5), statement: page, ...listed },
    {
      name: "of-label",
      path: list("unifiedStatus=OUTPUT_FAILED&attention=errored"),
      statement: page,
      ...listed,
    },
    { name: "search", path: list("q=quixotic"), statement: page, ...listed },
    { name: "live-sort", path: LIVE_SORT_PATH, statement: page, ...listed },
    { name: "one-task", path: `/v1/tasks/${task.id}`, statement: page, ...moved },
    {
      name: "timeline",
      path: `/v1/tasks/${task.id}/timeline`,
      statement: "step_events",
      ...moved,
    },
    {
      name: "transition",
      path: `/v1/steps/${task.stepId}`,
      method: "PATCH",
      body: { status: "awaiting_input", ...quiet },
      statement: "newest_of_step",
      ...moved,
    },
    {
      name: "load-1000",
      path: "/v1/bulk/execute",
      method: "POST",
      body: { ...change, ...quiet },
      statement: "with wanted",
      ...moved,
    },
    {
      name: "record-1000",
      path: "/v1/bulk/execute",
      method: "POST",
      body: { ...change, ...quiet },
      statement: "newest_of_step",
      ...moved,
    },
  ];
}
