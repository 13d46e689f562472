import { sql } from "drizzle-orm";
import { afterEach, beforeAll, expect, test } from "vitest";
import { type JointDatabase, openDatabase } from "../../src/db/connection/client.ts";
import { freshApi, type Tenant, type TestApi } from "../support/api.ts";
import { type FaultOptions, ON_WRITE } from "../support/database.ts";
import { type ActedOn, givenTask, promptAct } from "../support/joint-acts.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { retryWithoutWaiting } from "../support/model/quick-retries.ts";

retryWithoutWaiting();

let api: TestApi;
let tenant: Tenant;
let joint: JointDatabase;
let task: ActedOn;
beforeAll(async () => {
  api = await freshApi();
});
afterEach(() => api.database.clearFaults());

const CALLS = 16;
const times = <Made>(make: (n: number) => Made): Made[] =>
  Array.from({ length: CALLS }, (_, n) => make(n));

/** A tenant with one task, its joint database, and the number of its round trips so far. */
async function given(): Promise<number> {
  tenant = await api.givenTenant();
  joint = await openDatabase(api.database).jointly(tenant.id);
  task = await givenTask(joint.at(null), "Before");
  return joint.roundTrips;
}

/** Records prompts and creates tasks, half of them prepared statements, all at the same time. */
const actJointly = () =>
  Promise.allSettled([
    ...times((n) => promptAct(`Prompt ${n}`)(joint.at(null), task)),
    ...times((n) => givenTask(joint.at(null), `Task ${n}`)),
  ]);

const byCode = (one: string, other: string) => (one < other ? -1 : 1);

/** How often each prompt, task and operation is there, without the task that was there before. */
async function effects() {
  const rows = await api.database.query(
    "owner",
    `select content as what from prompts where tenant_id = $1
     union all select title from tasks where tenant_id = $1 and title <> 'Before'
     union all select 'operation' from operations where tenant_id = $1`,
    [tenant.id],
  );
  return rows.map(({ what }) => what ?? "").toSorted(byCode);
}

const ONCE = [
  ...times((n) => `Prompt ${n}`),
  ...times((n) => `Task ${n}`),
  ...Array.from({ length: 2 * CALLS + 1 }, () => "operation"),
].toSorted(byCode);

const FAULTS: [what: string, fault: FaultOptions, roundTripsMax: number][] = [
  ["whose answer is lost after the commit", { kind: "cut-after-commit" }, 3 + 2 * CALLS + 1],
  ["whose connection breaks before the commit", { kind: "cut-before-commit" }, 3],
  ["that the database rolls back", { kind: "sqlstate", code: "40001" }, 3],
  ["that does not arrive", { kind: "unavailable" }, 3],
  ["whose answers are lost again and again", { kind: "cut-after-commit", times: 7 }, 5 * CALLS],
  ["whose connection breaks again and again", { kind: "cut-before-commit", times: 7 }, 5 * CALLS],
  ["that the database rolls back again and again", { kind: "sqlstate", times: 70 }, 8 * CALLS],
];

test.each(FAULTS)(
  "a joint transaction %s has each effect once",
  async (_, fault, roundTripsMax) => {
    const before = await given();
    await api.database.faults({ ...fault, ...ON_WRITE });
    for (const { status } of await actJointly()) expect(status).toBe("fulfilled");
    expect(await effects()).toEqual(ONCE);
    expect(joint.roundTrips - before).toBeLessThanOrEqual(roundTripsMax);
  },
);

test("if every answer is lost, each call finds what it has written", async () => {
  await given();
  await api.database.faults({ kind: "cut-after-commit", times: null, ...ON_WRITE });
  await actJointly();
  await api.database.clearFaults();
  const written = await effects();
  expect(new Set(written).size).toBe(new Set(ONCE).size);
  expect(written).toEqual(ONCE);
  await expectInvariantsHold(api.database);
});

test("while the database is out, each call fails as by itself, and few round trips are tried", async () => {
  const before = await given();
  await api.database.faults({ kind: "unavailable", times: null });
  const settled = await actJointly();
  const outage = { sqlState: null, isCommitUnknown: true };
  for (const { status, ...rest } of settled) {
    expect([status, rest]).toMatchObject([
      "rejected",
      { reason: { name: "DatabaseUnavailable", outage } },
    ]);
  }
  expect(joint.roundTrips - before).toBeLessThanOrEqual(5 * 7);
});

test("a call reports that it may have been written if the joint transaction may have been", async () => {
  await given();
  await api.database.faults({ kind: "cut-before-commit", ...ON_WRITE });
  await api.database.faults({ kind: "sqlstate", code: "40001", times: null, ...ON_WRITE });
  for (const settled of await actJointly()) {
    expect(settled).toMatchObject({
      reason: { outage: { sqlState: "40001", isCommitUnknown: true } },
    });
  }
});

test("a call that always fails does not take others with it", async () => {
  await given();
  await api.database.faults({ kind: "sqlstate", times: null, sql: "select 'unlucky'" });
  const [unlucky, acts] = await Promise.all([
    joint
      .at(null)
      .writeIdempotently(sql`select 'unlucky'`)
      .catch((error: unknown) => error),
    actJointly(),
  ]);
  expect(unlucky).toMatchObject({ outage: { sqlState: "40001", isCommitUnknown: false } });
  for (const { status } of acts) expect(status).toBe("fulfilled");
  expect(await effects()).toEqual(ONCE);
});
