import { beforeAll, describe, expect, inject, test } from "vitest";
import type { MovedMany } from "../../src/actions/moves/move-tasks.ts";
import type { BulkExecution } from "../../src/actions/views/bulk-views.ts";
import { INVARIANTS } from "../../src/db/invariants/index.ts";
import { type Answer, type CallOptions, freshApi, type TestApi } from "../support/api.ts";
import { freshDatabase } from "../support/database.ts";
import { countDeadlocks, watchForDeadlocks } from "../support/model/deadlocks.ts";
import { numberedTo, readEvents } from "../support/model/history.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { inParallel, tally } from "../support/model/load.ts";
import { silenceLog } from "../support/model/quiet.ts";

const { hotMoves: MOVES } = inject("stack");
const HOT_TASKS = 4;
const CLIENTS = 32;

silenceLog();

let api: TestApi;
/** The hot tasks, and a cold one that every bulk refuses. A refused task must not be locked. */
let tasks: { id: string; stepId: string; eventSeq: number }[];
let cold: string;

beforeAll(async () => {
  api = await freshApi();
  await watchForDeadlocks(api.database);
  const given = await Promise.all(
    Array.from({ length: HOT_TASKS }, () =>
      api.givenTask({ at: { kind: "expert_review", status: "in_review" } }),
    ),
  );
  tasks = given.map(({ id, currentStep, eventSeq }) => ({ id, stepId: currentStep.id, eventSeq }));
  cold = (await api.givenTask()).id;
});

/** Returns the tasks in a different order for each number. Code that locks in the requested order will deadlock. */
function shuffled<Item>(items: readonly Item[], number: number): Item[] {
  const left = [...items];
  const order: Item[] = [];
  for (let rest = number; left.length > 0; rest = Math.floor(rest / 7)) {
    order.push(...left.splice(rest % left.length, 1));
  }
  return order;
}

interface Load {
  /** How many moves one call requests. */
  moves: number;
  call: (number: number) => [method: string, path: string, options: CallOptions];
}

const STATUSES = ["paused", "in_review"];
const pick = <Item>(items: readonly Item[], number: number): Item =>
  items[number % items.length] ?? expect.fail("Nothing to pick from");

const manyMoves: Load = {
  moves: HOT_TASKS,
  call: (number) => {
    const moves = shuffled(tasks, number * 31).map(({ id }, index) => ({
      task: id,
      status: pick(STATUSES, number + index),
    }));
    return ["POST", "/moves", { body: { moves } }];
  },
};
const bulk: Load = {
  moves: HOT_TASKS,
  call: (number) => {
    const taskIds = shuffled([...tasks.map(({ id }) => id), cold], number * 17);
    const targetStatus = pick(["IN_REVIEW", "CHANGES_REQUESTED"], number);
    return [
      "POST",
      "/bulk/execute",
      { body: { taskIds, targetStatus, reason: "Hot" }, idempotencyKey: `bulk-${number}` },
    ];
  },
};
const note: Load = {
  moves: 1,
  call: (number) => ["POST", `/tasks/${pick(tasks, number).id}/notes`, { body: { text: "Hot" } }],
};
const gate: Load = {
  moves: 1,
  call: (number) => [
    "PATCH",
    `/steps/${pick(tasks, number).stepId}/gate`,
    { body: { gate: pick(["blocked", "evaluating", "waived"], number), reason: "Often" } },
  ],
};
const edit: Load = {
  moves: 1,
  // A new external id changes a key, which takes a stronger row lock.
  call: (number) => {
    const task = pick(tasks, number);
    return ["PATCH", `/tasks/${task.id}`, { body: { externalId: `hot-${number}` } }];
  },
};
const review: Load = {
  moves: 1,
  call: (number) => [
    "POST",
    `/tasks/${pick(tasks, number).id}/reviews`,
    { body: { kind: "expert", outcome: "passed", move: { status: "approved" } } },
  ],
};
const run: Load = {
  moves: 1,
  call: (number) => [
    "POST",
    `/tasks/${pick(tasks, number).id}/worker-runs`,
    { as: "service", body: { type: "PAYMENT" } },
  ],
};

/** Mostly calls that lock all hot tasks, because only those can deadlock. */
const MIX: readonly Load[] = [
  ...Array.from({ length: 18 }, () => manyMoves),
  ...Array.from({ length: 5 }, () => bulk),
  note,
  gate,
  edit,
  review,
  run,
];

function plan(): Load[] {
  const loads: Load[] = [];
  for (let asked = 0; asked < MOVES;) {
    const load = pick(MIX, loads.length);
    loads.push(load);
    asked += load.moves;
  }
  return loads;
}

/** Checks one invariant after another during the load, until the load is done and each was checked once. */
async function watchInvariants(
  isDone: () => boolean,
): Promise<{ looksMeanwhile: number; broken: string[] }> {
  const broken: string[] = [];
  let looks = 0;
  let looksMeanwhile = 0;
  while (!isDone() || looks < INVARIANTS.length) {
    if (!isDone()) looksMeanwhile += 1;
    const { name, sql } = pick(INVARIANTS, looks);
    if ((await api.database.query("owner", sql)).length > 0) broken.push(name);
    looks += 1;
    if (!isDone()) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { looksMeanwhile, broken };
}

describe(`${MOVES} moves of ${HOT_TASKS} hot tasks`, () => {
  test(
    "cause no deadlock, report exactly what they wrote, and never break an invariant",
    { timeout: 120_000 },
    async () => {
      const loads = plan();
      let done = false;
      const watched = watchInvariants(() => done);
      const answers = await inParallel(
        { count: loads.length, clients: CLIENTS },
        async (number): Promise<Answer<unknown>> => api.call(...pick(loads, number).call(number)),
      ).finally(() => {
        done = true;
      });

      const faults = answers.filter(({ status }) => status >= 400 && status !== 409);
      expect(faults.map(({ text }) => text)).toEqual([]);
      const { looksMeanwhile, broken } = await watched;
      expect(looksMeanwhile).toBeGreaterThan(0);
      expect(broken).toEqual([]);

      const reported = answers.map((answer, number) => eventsOf(pick(loads, number), answer));
      const written = await Promise.all(tasks.map(({ id }) => readEvents(api, id)));
      for (const events of written) {
        expect(events.map(({ seq }) => seq)).toEqual(numberedTo(events.length));
      }
      const before = sum(tasks.map(({ eventSeq }) => eventSeq));
      expect(sum(written.map(({ length }) => length)) - before).toBe(sum(reported));
      expect(sum(reported)).toBeGreaterThan(CLIENTS);
      await expectInvariantsHold(api.database);
      expect(await countDeadlocks(api.database)).toBe(0);
    },
  );

  test("would have been counted if they had caused a deadlock", async () => {
    const database = await freshDatabase();
    await database.query("owner", "create table pairs as select generate_series(1, 2) as id");
    const lock = (id: number) => ({ text: `update pairs set id = id where id = ${id}` });
    const sleep = { text: "select pg_sleep(0.3)" };
    const ends = await Promise.allSettled([
      database.transaction("owner", [lock(1), sleep, lock(2)]),
      database.transaction("owner", [lock(2), sleep, lock(1)]),
    ]);
    expect(tally(ends.map(({ status }) => status))).toEqual({ fulfilled: 1, rejected: 1 });
    expect(await countDeadlocks(database)).toBe(1);
  });
});

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Returns how many events the answer reports as written. */
function eventsOf(load: Load, { status, body }: Answer<unknown>): number {
  if (status >= 300) return 0;
  if (load === manyMoves) return (body as MovedMany).counts.changed;
  if (load === bulk) return (body as BulkExecution).counts.changed;
  return load === run ? 0 : (body as { events: unknown[] }).events.length;
}
