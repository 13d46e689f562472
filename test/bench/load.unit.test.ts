import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ARCHETYPES } from "../../bench/load/archetypes.ts";
import { loadDatabase } from "../../bench/load/load-database.ts";
import { NEEDLES } from "../../bench/load/multiply.ts";
import { inventTenant, storeTenant } from "../../scripts/stack/tenants.ts";
import { renderVerification, verifyDatabase } from "../../scripts/verify/verify-database.ts";
import { stateAsOf } from "../../src/actions/history/state-as-of.ts";
import { openDatabase, type TenantDatabase } from "../../src/db/connection/client.ts";
import { labelFactsOfStepsSql } from "../../src/db/tasks/label-sql.ts";
import { findTask } from "../../src/db/tasks/tasks.ts";
import { isStatusRelevant } from "../../src/domain/lifecycle/runs.ts";
import { freshDatabase, type TestDatabase } from "../support/database.ts";

const TASKS = 10_000;
const THOUSANDS = TASKS / 1_000;

let database: TestDatabase;
let tenant: TenantDatabase;

beforeAll(async () => {
  database = await freshDatabase();
  const invented = inventTenant("Loaded");
  await storeTenant(database.migrationDatabaseUrl, invented);
  await loadDatabase(database.superuserUrl, [{ tenantId: invented.id, tasks: TASKS }]);
  tenant = openDatabase(database).forTenant(invented.id);
}, 240_000);

afterAll(() => database.drop());

describe("10,000 tasks loaded for a benchmark", () => {
  test("satisfy every invariant and have intact hash chains", async () => {
    const verification = await verifyDatabase(database.migrationDatabaseUrl);
    expect(verification.isWhole, renderVerification(verification)).toBe(true);
    // A chain for each task, and one for the administration of the tenant.
    expect(verification.chains.chains).toBe(TASKS + 1);
  }, 120_000);

  test("have the labels of their archetypes, in proportion to the weights", async () => {
    const expected = new Map<string, number>();
    for (const { template, weight } of ARCHETYPES) {
      const { label } = template;
      expected.set(label, (expected.get(label) ?? 0) + weight * THOUSANDS);
    }
    const rows = await database.query(
      "owner",
      "select unified_status, count(*) from task_labels group by unified_status",
    );
    const found = rows.map(({ unified_status, count }) => [unified_status, Number(count)]);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
    expect(expected.size).toBe(13);
  });

  test("fold to the state in the tables", async () => {
    const rows = await database.query(
      "owner",
      `select distinct on (l.unified_status, t.event_seq, t.archived_at is null) t.id
       from tasks t join task_labels l on l.task_id = t.id`,
    );
    expect(rows.length).toBeGreaterThan(25);
    for (const { id } of rows) {
      const ref = { id: id ?? "" };
      const [folded, stored] = await Promise.all([
        stateAsOf(tenant, ref, { time: new Date().toISOString() }),
        findTask(tenant, ref),
      ]);
      // A history has only the runs that a label depends on.
      const openRuns = stored?.openRuns.filter(({ type }) => isStatusRelevant(type));
      expect(folded).toMatchObject({ ok: true, value: { ...stored, openRuns } });
    }
  });

  test("have the benchmark's search words in the expected number of titles", async () => {
    for (const [word, count] of Object.entries(NEEDLES)) {
      const rows = await database.query("owner", "select id from tasks where title like $1", [
        `%${word}%`,
      ]);
      expect(rows).toHaveLength(count);
    }
  });

  test("have the same label facts, whether gathered for all steps or looked up for each task", async () => {
    const rows = await database.query(
      "owner",
      `select * from (${labelFactsOfStepsSql("array(select current_step_id from tasks)")}) many
       full join task_facts each using (task_id)
       where (many.kind, many.status, many.gate, many.review_failed, many.running_workers)
         is distinct from (each.kind, each.status, each.gate, each.review_failed, each.running_workers)`,
    );
    expect(rows).toEqual([]);
  });

  test("have unique ids", async () => {
    const [row] = await database.query(
      "owner",
      `select count(*) - count(distinct id) as duplicates from (
         select id from tasks union all select id from task_versions union all select id from steps
         union all select id from reviews union all select id from worker_runs
         union all select distinct operation_id from step_events) named`,
    );
    expect(row).toEqual({ duplicates: "0" });
  });
});
