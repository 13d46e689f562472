import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrateDatabase } from "../../scripts/stack/migrate.ts";
import { verifyDatabase } from "../../scripts/verify/verify-database.ts";
import { markIdleSteps } from "../../src/actions/runs/mark-idle-steps.ts";
import { holdBlockedSteps } from "../../src/actions/upkeep/hold-blocked-steps.ts";
import { openDatabase } from "../../src/db/connection/client.ts";
import {
  type EarlierDatabase,
  givenEarlierDatabase,
} from "../support/earlier-release/given-earlier-database.ts";
import { countedQueues } from "../support/queues.ts";

let earlier: EarlierDatabase;
let client: Client;
beforeAll(async () => {
  earlier = await givenEarlierDatabase();
  await migrateDatabase(earlier.ownerUrl);
  client = new Client({ connectionString: earlier.superuserUrl });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await earlier.drop();
});

/** The external ids of the tasks that each invariant names, or of the tasks of the runs and steps that it names. */
async function findings(): Promise<Record<string, string[]>> {
  const { invariants, ...others } = await verifyDatabase(earlier.ownerUrl);
  expect(others).toMatchObject({
    catalog: { differences: [] },
    references: { broken: [] },
    labels: { drifted: [] },
    chains: { broken: [] },
    contents: { forged: [] },
  });
  const named: [string, string[]][] = [];
  for (const { name, rows, examples } of invariants) {
    if (rows === 0) continue;
    expect(examples, name).toHaveLength(rows);
    const { rows: tasks } = await client.query<{ name: string }>(
      `select distinct t.external_id as name from tasks t
       where t.id::text = any($1) or exists (select from steps s where s.task_id = t.id and s.id::text = any($1))
         or exists (select from worker_runs w where w.task_id = t.id and w.id::text = any($1)) order by 1`,
      // The original of a duplicate is not what the row is about.
      [
        examples.flatMap((example) =>
          Object.entries(example).flatMap(([column, value]) =>
            column === "duplicate_of" ? [] : [String(value)],
          ),
        ),
      ],
    );
    named.push([name, tasks.map((task) => task.name)]);
  }
  return Object.fromEntries(named);
}

const SWALLOWED = ["swallowed-and-blocked", "swallowed-and-paused", "swallowed-then-unblocked"];
const LASTING = {
  "duplicates-name-tasks-that-are-worked-on": [
    "chain-a",
    "of-archived",
    "of-rejected",
    "ring-a",
    "ring-b",
  ],
  "ended-runs-have-moved-their-step": SWALLOWED,
  "late-reports-are-whole": ["emptied-report", "late-reports"],
};

test("verify names what an earlier release lost, misplaced or misapplied, and nothing else", async () => {
  expect(await findings()).toEqual({
    ...LASTING,
    "idle-steps-ask-for-attention": ["swallowed-then-unblocked"],
  });
});

test("the migrations mark the older of two evals of one name", async () => {
  const { rows } = await client.query(
    `select e.twin_of is null as is_live, v.type, v.actor_kind
     from evals e join tasks t on t.id = e.task_id
       join eval_step_events v on v.eval_id = e.id and v.seq = e.event_seq
     where t.external_id = 'twin-evals' order by e.id`,
  );
  expect(rows).toMatchObject([{ is_live: false, actor_kind: "system" }, { is_live: true }]);
});

test("the sweeps hold what was blocked by hand, and ask for attention where a report was swallowed", async () => {
  const database = openDatabase(earlier);
  expect(await holdBlockedSteps(database, { requestId: "sweep" })).toBe(3);
  expect(await markIdleSteps({ database, queues: countedQueues() }, { requestId: "sweep" })).toBe(
    1,
  );
  const { rows } = await client.query(
    `select t.external_id as name, s.held_gate, l.attention
     from tasks t join steps s on s.id = t.current_step_id join task_labels l on l.task_id = t.id
     where s.held_seq is not null or 'idle' = any(l.attention) order by 1`,
  );
  expect(rows).toEqual([
    { name: "blocked-by-hand", held_gate: "locked", attention: ["blocked"] },
    { name: "blocked-while-running", held_gate: "pending", attention: ["blocked"] },
    { name: "swallowed-and-blocked", held_gate: "pending", attention: ["blocked"] },
    { name: "swallowed-then-unblocked", held_gate: null, attention: ["idle"] },
  ]);
  // Applying the migrations and the sweeps again changes nothing.
  await migrateDatabase(earlier.ownerUrl);
  expect(await holdBlockedSteps(database, { requestId: "sweep" })).toBe(0);
  expect(await findings()).toEqual(LASTING);
});
