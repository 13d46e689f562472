import type { SQL } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";
import { uuidv7 } from "uuidv7";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { connect } from "../../client/index.ts";
import { recordEvaluation } from "../../src/actions/evals/record-evaluation.ts";
import { openDatabase } from "../../src/db/connection/client.ts";
import { startService, type TestService } from "../support/node/service.ts";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

const TASKS = 400;
/** For all nodes of a plan together. A nested loop would read hundreds. */
const ROWS_OF_TASK_MAX = 100;

/** Creates many tasks with an eval of this name, in which trial 1 is recorded. */
async function givenEvaluated(name: string): Promise<string[]> {
  const stepledger = connect({ baseUrl: service.baseUrl, key: service.tenant.keys.admin });
  const tasks = Array.from({ length: TASKS }, (_, index) => ({ title: `${name} ${index}` }));
  const { items } = await stepledger.importTasks({ body: { tasks } });
  const ids = items.flatMap(({ id }) => id ?? []);
  const results = ids.map((task) => ({ task, model: "solver", k: 1, passed: true }));
  await stepledger.recordEvaluation({ body: { name, k: 2, results } });
  return ids;
}

/** Returns the statement that loads the input for trial 2 of each task, and the one that would record it. */
async function statementsOf(name: string, tasks: readonly string[]): Promise<SQL[]> {
  const database = openDatabase(service.database).forTenant(service.tenant.id);
  const read = vi.spyOn(database, "read");
  const write = vi.spyOn(database, "write").mockResolvedValue({ outcome: "in_progress" });
  const maker = { modelRevision: null, agent: null, agentRevision: null, provider: null };
  const nobody = { ...maker, usage: null };
  await recordEvaluation(
    {
      database,
      actor: { id: "somebody", name: "Somebody", kind: "person", role: "operator" },
      requestId: "request",
      operation: { id: uuidv7(), actorId: "somebody", route: "test", key: null, fingerprint: "f" },
    },
    {
      name,
      k: 2,
      slotBy: undefined,
      complete: false,
      results: tasks.map((id) => {
        return { task: { id }, model: "solver", k: 2, passed: true, ...nobody };
      }),
    },
  );
  const [[loading] = []] = read.mock.calls;
  const recording = write.mock.calls[0]?.[1].at(-1);
  return [loading, recording].filter((statement) => statement !== undefined);
}

interface PlanNode {
  "Actual Rows": number;
  "Actual Loops": number;
  "Rows Removed by Filter"?: number;
  "Rows Removed by Join Filter"?: number;
  Plans?: PlanNode[];
}

/** Counts the rows that the nodes of a plan return or discard. */
function rowsOf(node: PlanNode): number {
  const removed =
    (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Join Filter"] ?? 0);
  const own = (node["Actual Rows"] + removed) * node["Actual Loops"];
  return (node.Plans ?? []).reduce((sum, below) => sum + rowsOf(below), own);
}

async function rowsLookedAt(statement: SQL): Promise<number> {
  const { sql, params } = new PgDialect().sqlToQuery(statement);
  const [, rows] = await service.database.transaction("application", [
    { text: "select set_config('app.tenant_id', $1, true)", values: [service.tenant.id] },
    { text: `explain (analyze, format json) ${sql}`, values: params as string[] },
  ]);
  const [{ Plan: plan }] = JSON.parse(rows?.[0]?.["QUERY PLAN"] ?? "") as [{ Plan: PlanNode }];
  return rowsOf(plan);
}

test.each([
  ["has no statistics", null],
  ["has statistics", "analyze"],
])(
  "an evaluation over many tasks reads a few rows per task when the planner %s",
  async (name, analyze) => {
    const tasks = await givenEvaluated(name);
    if (analyze !== null) await service.database.query("owner", analyze);
    const statements = await statementsOf(name, tasks);
    expect(statements).toHaveLength(2);
    for (const statement of statements) {
      expect((await rowsLookedAt(statement)) / TASKS).toBeLessThan(ROWS_OF_TASK_MAX);
    }
  },
);
