import { Client } from "pg";
import { uuidv7 } from "uuidv7";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { ARCHETYPES } from "../../bench/load/archetypes.ts";
import { loadDatabase } from "../../bench/load/load-database.ts";
import { isOfTenant, type Statement } from "../../scripts/stack/neon-protocol.ts";
import { startNeonProxy, type NeonProxy } from "../../scripts/stack/neon-proxy.ts";
import { inventTenant, storeTenant } from "../../scripts/stack/tenants.ts";
import { executeBulk } from "../../src/actions/bulk/execute.ts";
import { openDatabase } from "../../src/db/connection/client.ts";
import { freshDatabase, type TestDatabase } from "../support/database.ts";

const TASKS = 1_000;
const tenant = inventTenant("Moved");
const sent: Statement[] = [];

let database: TestDatabase;
let proxy: NeonProxy;

beforeAll(async () => {
  database = await freshDatabase();
  await storeTenant(database.migrationDatabaseUrl, tenant);
  const archetypes = ARCHETYPES.filter(({ name }) => name === "is in review");
  await loadDatabase(database.superuserUrl, [{ tenantId: tenant.id, tasks: TASKS, archetypes }]);
  const { hostname, port } = new URL(database.databaseUrl);
  proxy = await startNeonProxy({
    target: { host: hostname, port: Number(port) },
    rewrite: (statement) => {
      sent.push(statement);
      return statement;
    },
  });
}, 120_000);

afterAll(() => proxy.stop());

test("a bulk change of 1,000 tasks does not compare each of its rows with every other", async () => {
  const rows = await database.query("owner", "select id from tasks");
  const taskIds = rows.map(({ id }) => id ?? "");
  // The fault keeps the tasks from being moved, so that the same statement can be explained below.
  const fault = { kind: "unavailable", times: null, match: { sql: "newest_of_step" } };
  const added = await fetch(`${proxy.url}/control/faults`, {
    method: "POST",
    body: JSON.stringify(fault),
  });
  expect(added.status).toBe(201);
  const { databaseUrl } = database;
  const opened = openDatabase({ databaseUrl, fetchEndpoint: proxy.fetchEndpoint });
  const call = {
    database: opened.forTenant(tenant.id),
    actor: { id: "somebody", name: "Somebody", kind: "person", role: "reviewer" } as const,
    requestId: "request",
    operation: { id: uuidv7(), actorId: "somebody", route: "test", key: null, fingerprint: "f" },
  };
  const intent = { targetStatus: "PASSED" } as const;
  const change = { intent, reason: "Done", runAttachedWorkflows: true };
  await expect(executeBulk(call, { taskIds, ...change })).rejects.toThrow("did not answer");

  const discarded = await discardedByJoins();
  expect(discarded.moved).toBe(TASKS);
  expect(discarded.rows).toBeLessThan(10 * TASKS);
});

/** The members of a plan's node that this test reads. */
interface PlanNode {
  "Rows Removed by Join Filter"?: number;
  "Actual Loops": number;
  Plans?: PlanNode[];
}
const plans = z.array(z.object({ Plan: z.custom<PlanNode>() })).min(1);

/**
 * Runs the batch, explains its writing statement, and rolls back. Returns the number of rows that the join filters
 * discarded, and the number of moved tasks.
 */
async function discardedByJoins(): Promise<{ rows: number; moved: number }> {
  const at = sent.findIndex(({ query }) => query.includes("newest_of_step"));
  const start = sent.slice(0, at).findLastIndex(isOfTenant);
  const client = new Client({ connectionString: database.databaseUrl });
  await client.connect();
  try {
    await client.query("begin");
    for (const { query, values } of sent.slice(start, at)) await client.query(query, values);
    // The scope limits each statement to ten seconds, which this one can exceed on a machine under load.
    await client.query("set local statement_timeout = 0");
    const { query = "", values = [] } = sent[at] ?? {};
    const explained = await client.query<{ "QUERY PLAN": unknown }>(
      `explain (analyze, timing off, format json) ${query}`,
      values,
    );
    const moved = await client.query("select from step_events where type = 'bulk_transitioned'");
    await client.query("rollback");
    const [plan] = plans.parse(explained.rows[0]?.["QUERY PLAN"]);
    return { rows: plan === undefined ? Infinity : removed(plan.Plan), moved: moved.rows.length };
  } finally {
    await client.end();
  }
}

function removed(node: PlanNode): number {
  const own = (node["Rows Removed by Join Filter"] ?? 0) * node["Actual Loops"];
  return (node.Plans ?? []).reduce((sum, child) => sum + removed(child), own);
}
