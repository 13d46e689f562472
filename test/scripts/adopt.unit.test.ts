import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { PROJECT_DIRECTORY } from "../../scripts/stack/stack.ts";
import { inventTenant, storeTenant } from "../../scripts/stack/tenants.ts";
import { freshDatabase, type TestDatabase } from "../support/database.ts";
import { runProgram } from "../support/node/programs.ts";

let database: TestDatabase;
const tenant = inventTenant("Adopting");
const UNKNOWN = "0199d2f5-0000-7000-8000-000000000014";

beforeAll(async () => {
  database = await freshDatabase();
  await storeTenant(database.migrationDatabaseUrl, tenant);
});
beforeEach(async () => {
  await database.query("owner", "delete from sweeps");
  await database.query("owner", "delete from orphaned_objects");
});

const run = (...args: string[]) =>
  runProgram([process.execPath, join(PROJECT_DIRECTORY, "scripts", "adopt.ts"), ...args], {
    MIGRATION_DATABASE_URL: database.migrationDatabaseUrl,
  });
const begin = (bucket: { number: number; id: string } | null) =>
  database.query("application", "select begun_number as number from begin_sweep($1, $2)", [
    bucket?.number ?? null,
    bucket?.id ?? null,
  ]);
const givenDue = (count: number) =>
  database.query(
    "owner",
    `insert into orphaned_objects (tenant_id, object_key, orphaned_at)
    select $1, n::text, now() - interval '40 days' from generate_series(1, $2::integer) n`,
    [tenant.id, count],
  );

describe("npm run adopt", () => {
  test("has nothing to do if nothing stops the sweep", async () => {
    await begin(null);
    await givenDue(3);
    const { code, stdout } = await run("--yes");
    expect(code).toBe(0);
    expect(stdout).toContain("Nothing stops the sweep.");
    expect(stdout).toContain(`tenant ${tenant.id}: 3 objects`);
  });

  test("shows what it found and changes nothing without a confirmation", async () => {
    for (let number = 1; number <= 10; number += 1) await begin(null);
    expect(await begin({ number: 14, id: UNKNOWN })).toEqual([{ number: null }]);
    await givenDue(2);
    const { code, stdout } = await run();
    expect(code).toBe(1);
    expect(stdout).toContain(`sweep 14 (${UNKNOWN}), which this database does not know`);
    expect(stdout).toContain("The newest sweep of this database is 10");
    expect(stdout).toContain(`tenant ${tenant.id}: 2 objects`);
    expect(await begin({ number: 14, id: UNKNOWN })).toEqual([{ number: null }]);
  });

  test("takes over the bucket's number, and starts the 30 days anew", async () => {
    await begin(null);
    await begin({ number: 14, id: UNKNOWN });
    await givenDue(2);
    const { code, stdout } = await run("--yes");
    expect(code).toBe(0);
    expect(stdout).toContain("The next sweep continues after 14.");
    expect(await begin({ number: 14, id: UNKNOWN })).toEqual([{ number: "15" }]);
    const due =
      "select count(*) from orphaned_objects where orphaned_at < now() - interval '1 hour'";
    expect(await database.query("owner", due)).toEqual([{ count: "0" }]);
  });

  test("lets the sweep delete what it held", async () => {
    await givenDue(101);
    const claim = "select count(*) from claim_due_orphans(1000)";
    expect(await database.query("application", claim)).toEqual([{ count: "0" }]);
    const { stdout } = await run("--yes");
    expect(stdout).toContain(`tenant ${tenant.id}: 101 objects`);
    expect(stdout).toContain("The next sweep deletes 101 objects");
    expect(await database.query("application", claim)).toEqual([{ count: "101" }]);
  });

  test("is not possible for the application's role", async () => {
    await begin(null);
    for (const statement of [
      "update sweeps set state = 'adopted'",
      "select * from sweeps",
      "update orphaned_objects set orphaned_at = now() - interval '1 year'",
      "delete from orphaned_objects",
    ]) {
      await expect(database.query("application", statement)).rejects.toMatchObject({
        code: "42501",
      });
    }
  });
});
