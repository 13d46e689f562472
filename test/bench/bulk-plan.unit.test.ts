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
import { createTokenSigner } from "../../src/actions/call/signed-token.ts";
import { openDatabase } from "../../src/db/connection/client.ts";
import { freshDatabase, type TestDatabase } from "../support/database.ts";

const TASKS = 1_000;
const SECRET = "a secret of the tests, long enough to sign with";
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

test("a bulk of 1,000 tasks compares none of its rows with every other", async () => {
  const rows = await database.query("owner", "select id from tasks");
  const taskIds = rows.map(({ id }) => id ?? "");
  // Nothing is moved: what would move them is asked for its plan below.
  const fault = { kind: "unavailable", times: null, match: { sql: "newest_of_step" } };
  await fetch(`${proxy.url}/control/faults`, { method: "POST", body: JSON.stringify(fault) });
  const { databaseUrl } = database;
  const opened = openDatabase({ databaseUrl, fetchEndpoint: proxy.fetchEndpoint });
  const call = {
    database: opened.forTenant(tenant.id),
    actor: { id: "somebody", name: "Somebody", kind: "person", role: "reviewer" } as const,
    requestId: "request",
    operation: { id: uuidv7(), actorId: "somebody", route: "test", key: null, fingerprint: "f" },
    seal: { signer: createTokenSigner(SECRET), secret: SECRET },
    now: new Date(),
  };
  const intent = { targetStatus: "PASSED" } as const;
  const change = { intent, reason: "Done", runAttachedWorkflows: true };
  await expect(executeBulk(call, { taskIds, ...change, onStale: "abort" })).rejects.toThrow(
    "did not answer",
  );

  const compared = await comparedInVain();
  expect(compared.moved).toBe(TASKS);
  expect(compared.rows).toBeLessThan(10 * TASKS);
});

/** A node of a plan, with what is looked at here. */
interface PlanNode {
  "Rows Removed by Join Filter"?: number;
  "Actual Loops": number;
  Plans?: PlanNode[];
}
const plans = z.array(z.object({ Plan: z.custom<PlanNode>() })).min(1);

/** Runs the batch with its writing statement explained, and takes it back: how many rows its joins threw away. */
async function comparedInVain(): Promise<{ rows: number; moved: number }> {
  const at = sent.findIndex(({ query }) => query.includes("newest_of_step"));
  const begun = sent.slice(0, at).findLastIndex(isOfTenant);
  const client = new Client({ connectionString: database.databaseUrl });
  await client.connect();
  try {
    await client.query("begin");
    for (const { query, values } of sent.slice(begun, at)) await client.query(query, values);
    const { query = "", values = [] } = sent[at] ?? {};
    const explained = await client.query<{ "QUERY PLAN": unknown }>(
      `explain (analyze, format json) ${query}`,
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
