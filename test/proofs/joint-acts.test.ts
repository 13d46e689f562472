import { beforeAll, expect, inject, test } from "vitest";
import type { NewTask } from "../../src/actions/tasks/create-task.ts";
import { openDatabase, type TenantDatabase } from "../../src/db/connection/client.ts";
import { freshApi, type Tenant, type TestApi } from "../support/api.ts";
import { chanceFrom } from "../support/chance.ts";
import { type ActedOn, givenTask, randomActs } from "../support/joint-acts.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { givenClock } from "../support/simulated-clock.ts";

const { seed } = inject("stack");

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

/** The n-th minute of a story in 2015. */
const minute = (n: number) => new Date(Date.UTC(2015, 0, 1, 9, n)).toISOString();

/** A view of a tenant for calls that are sent by themselves. */
function separately({ id }: Tenant, plannedAt: string | null): TenantDatabase {
  const database = openDatabase(api.database).forTenant(id);
  database.plannedAt = plannedAt;
  return database;
}

const TABLES = [
  "tasks",
  "task_versions",
  "steps",
  "step_events",
  "reviews",
  "worker_runs",
  "prompts",
  "data",
  "task_labels",
  "pipeline_dispatches",
];
/** Real times, and what differs between any two tenants. */
const LEFT_OUT = [
  "external_id_key",
  "not_before",
  "deadline_at",
  "next_attempt_at",
  "txid",
  "feed_id",
];

/** All rows of a tenant's tasks as sorted texts, without ids and hashes. */
async function rowsOf({ id }: Tenant): Promise<Record<string, string[]>> {
  const tables = TABLES.map(async (table) => {
    const rows = await api.database.query(
      "owner",
      `select regexp_replace((to_jsonb(t) - string_to_array($2, ','))::text,
         '[0-9a-f]{64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', '#', 'g') as row
       from ${table} t where tenant_id = $1 order by 1`,
      [id, LEFT_OUT.join()],
    );
    return [table, rows.map(({ row }) => row ?? "")] as const;
  });
  return Object.fromEntries(await Promise.all(tables));
}

/** Where the tasks begin: a new one first, and then one in each of the stages in the middle. */
const STARTS: NewTask["start"][] = [
  undefined,
  ...(["authoring", "pre_qa", "output_generation", "expert_review", "calibration"] as const).map(
    (kind) => ({ kind, status: "queued", reason: "Made elsewhere" }) as const,
  ),
];

type InRound = (calls: readonly (() => Promise<string>)[]) => Promise<string[]>;

test(`random acts have the same effects jointly as one after another (SEED=${seed})`, async () => {
  const chance = chanceFrom(seed);
  const rounds = Array.from({ length: 10 }, () => STARTS.map(() => randomActs(chance)));
  const tell = async (
    tenant: Tenant,
    viewAt: (plannedAt: string) => TenantDatabase,
    all: InRound,
  ) => {
    await givenClock(api.database, tenant.id, { at: minute(100_000) });
    const tasks: ActedOn[] = [];
    for (const [n, start] of STARTS.entries()) {
      tasks.push(await givenTask(viewAt(minute(n)), `Task ${n}`, start));
    }
    const outcomes: string[][] = [];
    for (const [round, ofTasks] of rounds.entries()) {
      const calls = ofTasks.flatMap((acts, n) =>
        acts.map((act, place) => () => {
          const at = minute(100 + round * 100 + n * 10 + place);
          return act(viewAt(at), tasks[n] ?? expect.fail("no task"));
        }),
      );
      outcomes.push(await all(calls));
    }
    return { outcomes, rows: await rowsOf(tenant) };
  };

  const [one, other] = [await api.givenTenant("demo"), await api.givenTenant("demo")];
  const expected = await tell(
    one,
    (at) => separately(one, at),
    async (calls) => {
      const outcomes = [];
      for (const call of calls) outcomes.push(await call());
      return outcomes;
    },
  );
  const joint = await openDatabase(api.database).jointly(other.id);
  const told = await tell(other, joint.at, (calls) => Promise.all(calls.map((call) => call())));
  expect(told).toEqual(expected);
  expect(told.outcomes.flat()).toContain("done");
  expect(joint.roundTrips).toBeLessThan(rounds.flat(2).length);
  await expectInvariantsHold(api.database);
});
