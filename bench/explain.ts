import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { isOfTenant, type Statement } from "../scripts/stack/neon-protocol.ts";
import { APPLICATION_ROLE } from "../scripts/stack/roles.ts";
import { pageAt, PAGE } from "./listing.ts";
import { tasksInReview } from "./moving.ts";
import { GRID_TENANT, MOVED_TENANT } from "./populations.ts";
import { LIVE_SORT_PATH } from "./rows/live-sort-scale.ts";
import type { Asked, Service } from "./service.ts";
import type { Stage } from "./stage.ts";

const DIRECTORY = join(import.meta.dirname, "plans");

/** A request whose statement is among the hottest. */
interface Hot extends Asked {
  name: string;
  path: string;
  /** A part of the text of the statement that is meant. */
  statement: string;
}

/**
 * `npm run bench -- --explain`: keeps under bench/plans how Postgres runs the hottest statements, each as the Worker
 * sends it, with its very parameters. Nothing that they write stays.
 */
export async function explain(stage: Stage): Promise<void> {
  const sent: Statement[] = [];
  const rewrite = (statement: Statement) => {
    sent.push(statement);
    return statement;
  };
  const service = await stage.large({ rewrite });
  const requests = await hottest(service);
  await clearPlans();
  for (const [index, request] of requests.entries()) {
    // Caches fill first, as they are when a statement is hot.
    if (request.method === undefined) await service.call(request.path, request);
    sent.length = 0;
    await sendInVain(service, request);
    const plan = await planOf(service, request, sent);
    const name = `${String(index + 1).padStart(2, "0")}-${request.name}.txt`;
    await writeFile(join(DIRECTORY, name), `${stage.scale} tasks\n\n${plan}\n`);
    console.log(`  bench/plans/${name}`);
  }
}

/** Sends a request whose writes are taken back, so that they can be made once more where their plan is seen. */
async function sendInVain(service: Service, { path, ...asked }: Hot): Promise<void> {
  if (asked.method === undefined) {
    await service.call(path, asked);
    return;
  }
  const faults = `${service.proxy.url}/control/faults`;
  const fault = { kind: "cut-before-commit", times: null, match: { sql: "into operations" } };
  await fetch(faults, { method: "POST", body: JSON.stringify(fault) });
  await service.call(path, asked).catch(() => {});
  await fetch(faults, { method: "DELETE" });
}

/** The plan of the statement that has this part, as the application runs it. */
function planOf(
  service: Service,
  { name, statement: part }: Hot,
  sent: readonly Statement[],
): Promise<string> {
  const at = sent.findIndex(({ query }) => query.includes(part));
  const meant = sent[at];
  if (meant !== undefined) return sentPlan(service, meant, sent.slice(0, at));
  const call = sent.find(({ query }) => query.includes("prepared.record"));
  if (call === undefined) throw new Error(`${name} sent no statement with "${part}"`);
  return preparedPlan(service, call, part);
}

/** Runs what its batch had before the statement, and then tells the statement's plan. */
async function sentPlan(
  service: Service,
  meant: Statement,
  before: readonly Statement[],
): Promise<string> {
  const client = new Client({ connectionString: service.database.databaseUrl });
  await client.connect();
  try {
    await client.query("begin");
    for (const { query, values } of before.slice(before.findLastIndex(isOfTenant))) {
      await client.query(query, values);
    }
    await client.query("set local statement_timeout = 0");
    const { rows } = await client.query<{ "QUERY PLAN": string }>(
      `explain (analyze, buffers) ${meant.query}`,
      meant.values,
    );
    await client.query("rollback");
    return rows.map((row) => row["QUERY PLAN"]).join("\n");
  } finally {
    await client.end();
  }
}

/** Calls a prepared statement and lets PostgreSQL tell the plans within, which are kept from the first call on. */
async function preparedPlan(service: Service, call: Statement, part: string): Promise<string> {
  const client = new Client({ connectionString: service.database.superuserUrl });
  await client.connect();
  const told: string[] = [];
  client.on("notice", ({ message }) => told.push(message ?? ""));
  try {
    await client.query("load 'auto_explain'");
    await client.query(`set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on;
      set auto_explain.log_analyze = on; set auto_explain.log_buffers = on; set client_min_messages = log;
      set role ${APPLICATION_ROLE}`);
    for (let time = 0; time < 3; time += 1) {
      told.length = 0;
      await client.query("begin");
      await client.query(call.query, call.values);
      await client.query("rollback");
    }
  } finally {
    await client.end();
  }
  const plan = told.find((message) => message.includes(part));
  if (plan === undefined) throw new Error(`No plan with "${part}" was told`);
  // Before it stands the text of the statement, and perhaps its parameters.
  return plan.slice(plan.search(/^\S.*\(cost=/m));
}

async function clearPlans(): Promise<void> {
  await mkdir(DIRECTORY, { recursive: true });
  for (const name of await readdir(DIRECTORY)) await rm(join(DIRECTORY, name));
}

/** The ten that a busy service sends most, or that have most to do. */
async function hottest(service: Service): Promise<Hot[]> {
  const grid = { tenant: GRID_TENANT };
  const moved = { tenant: MOVED_TENANT };
  const tasks = await tasksInReview(service, MOVED_TENANT, 1_000);
  const [task] = tasks;
  if (task === undefined) throw new Error("There is no task to move");
  const ids = tasks.map(({ id }) => id);
  const change = { taskIds: ids, targetStatus: "CHANGES_REQUESTED", reason: "Explained." };
  const quiet = { runAttachedWorkflows: false };
  const page = "json_build_object('id', t.id";
  const list = (query: string) => `/v1/tasks?${query}&limit=${PAGE}`;
  return [
    { name: "newest", path: list("sort=-createdAt"), statement: page, ...grid },
    { name: "by-label", path: await pageAt(service, "label", 0.5), statement: page, ...grid },
    {
      name: "of-label",
      path: list("unifiedStatus=OUTPUT_FAILED&attention=errored"),
      statement: page,
      ...grid,
    },
    { name: "search", path: list("q=quixotic"), statement: page, ...grid },
    { name: "live-sort", path: LIVE_SORT_PATH, statement: page, ...grid },
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
