import { beforeAll, expect, inject, test } from "vitest";
import { planTeam } from "../../src/domain/seed/plan-team.ts";
import type { SeedOutcome } from "../../src/domain/seed/mix.ts";
import { freshApi, type Tenant, type TestApi } from "../support/api.ts";
import { chanceFrom } from "../support/chance.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import {
  ANCHOR,
  dyingDatabase,
  startStory,
  storyIn,
  type Telling,
  TEXTS,
  valueOf,
  WorkerEnded,
} from "../support/stories.ts";

const { seed } = inject("stack");
const DAYS = 14;
const BEGIN = Date.parse(ANCHOR) - DAYS * 24 * 60 * 60 * 1000;

let api: TestApi;
let first: { tenant: Tenant; telling: Telling; story: string[] };

beforeAll(async () => {
  api = await freshApi();
  first = await tell(async ({ tellUntil }) => tellUntil(ANCHOR));
});

/** Starts a story in a new demo, and tells it in some way. */
async function tell(how: (telling: Telling, tenant: Tenant) => Promise<void>, ofSeed = 1) {
  const tenant = await api.givenTenant("demo");
  const telling = valueOf(await started(tenant, ofSeed));
  await how(telling, tenant);
  expect(await telling.find()).toMatchObject({ state: "ended", actionsRefused: 0 });
  return { tenant, telling, story: await storyIn(api.database, tenant) };
}

async function started(tenant: Tenant, ofSeed: number) {
  const outcome = await startStory(api.database, tenant, { seed: ofSeed });
  return outcome.ok ? { ok: true as const, value: { value: outcome.value } } : outcome;
}

/** Ends the lease of work that died, as its time does. */
const endLease = (tenant: Tenant) =>
  api.database.query(
    "owner",
    "update seed_runs set lease_until = now() - interval '1 second' where tenant_id = $1",
    [tenant.id],
  );

/** Lets real time pass for a run, all at once. */
const passSeconds = (tenant: Tenant, seconds: number) =>
  api.database.query(
    "owner",
    `update seed_runs set tick_due_at = now(), ticked_at = now() - make_interval(secs => $2::integer)
    where tenant_id = $1`,
    [tenant.id, seconds],
  );

test("a story has everything in it that the plan has", async () => {
  const { run } = first.telling;
  const plan = planTeam(run, { index: 0, tasks: run.tasks }, TEXTS);
  const parts = plan.actions.reduce(
    (sum, { act, tasks }) => sum + (act.type === "recordEvaluation" ? tasks.length : 1),
    0,
  );
  expect((await first.telling.find()).actionsApplied).toBe(parts);
  const what = new Set(first.story.map((line) => line.split(" ")[0]));
  expect(what).toEqual(
    new Set("data eval insight label prompt review run step event task trial version".split(" ")),
  );
});

test("the same seed tells the same story, however it is divided, and however often work on it dies", async () => {
  const chance = chanceFrom(seed);
  let deaths = 0;
  const again = await tell(async (telling, tenant) => {
    for (let at = BEGIN; at < Date.parse(ANCHOR);) {
      at = Math.min(Date.parse(ANCHOR), at + (1 + chance.below(96)) * 60 * 60 * 1000);
      valueOf(await telling.advance({ runId: telling.run.id, until: new Date(at).toISOString() }));
      for (let life = 2 + chance.below(40); ; life *= 2) {
        const database = dyingDatabase(api.database, life);
        try {
          const { is } = await telling.work({ database, roundTripsMax: 20 + chance.below(60) });
          if (is === "idle") break;
          expect(is).toBe("unfinished");
        } catch (error) {
          if (!(error instanceof WorkerEnded)) throw error;
          deaths += 1;
          await endLease(tenant);
        }
      }
    }
  });
  expect(deaths).toBeGreaterThan(0);
  expect(again.story, `seed ${seed}`).toEqual(first.story);
});

test("a story with a speed goes on by ticks, and is the same", async () => {
  const again = await tell(async (telling, tenant) => {
    valueOf(await telling.advance({ runId: telling.run.id, speed: 100_000 }));
    let before = Date.parse(telling.run.appliedUntil);
    for (;;) {
      await passSeconds(tenant, 5);
      await telling.work();
      const { state, appliedUntil } = await telling.find();
      if (state === "ended") break;
      const simulated = (Date.parse(appliedUntil) - before) / 1000;
      expect(simulated).toBeGreaterThanOrEqual(500_000);
      expect(simulated).toBeLessThan(600_000);
      before = Date.parse(appliedUntil);
    }
  });
  expect(again.story).toEqual(first.story);
});

test("each task ends as planned, and every invariant holds", async () => {
  const { run } = first.telling;
  const { outcomes } = planTeam(run, { index: 0, tasks: run.tasks }, TEXTS);
  const rows = await api.database.query(
    "owner",
    "select unified_status as label, count(*) as n from task_labels where tenant_id = $1 group by 1",
    [first.tenant.id],
  );
  const count = (labels: readonly string[]) =>
    rows.reduce((sum, { label, n }) => sum + (labels.includes(label ?? "") ? Number(n) : 0), 0);
  const LABELS: Partial<Record<SeedOutcome, string[]>> = {
    delivered: ["DELIVERED"],
    approved: ["PASSED"],
    rejected: ["REJECTED"],
    duplicate: ["DUPLICATE"],
  };
  for (const [outcome, labels] of Object.entries(LABELS)) {
    expect(count(labels), outcome).toBe(outcomes.filter((one) => one === outcome).length);
  }
  await expectInvariantsHold(api.database);
});

test("another seed tells another story, and a deleted run archives its tasks and keeps their history", async () => {
  const tenant = await api.givenTenant("demo");
  const telling = valueOf(await started(tenant, 3));
  await telling.tellUntil(new Date(BEGIN + 5 * 24 * 60 * 60 * 1000).toISOString());
  const countOf = async (table: string) => {
    const [row] = await api.database.query(
      "owner",
      `select count(*) as n from ${table} and tenant_id = $1`,
      [tenant.id],
    );
    return Number(row?.["n"]);
  };
  expect(await storyIn(api.database, tenant)).not.toEqual(first.story);
  const [tasks, events] = [
    await countOf("tasks where true"),
    await countOf("step_events where true"),
  ];
  await telling.remove();
  expect((await telling.find()).state).toBe("deleted");
  expect(await countOf("tasks where archived_at is not null")).toBe(tasks);
  expect(await countOf("step_events where true")).toBe(events + tasks);
});
