import { beforeAll, describe, expect, test } from "vitest";
import { openDatabase, type TenantDatabase } from "../../src/db/connection/client.ts";
import {
  beginSeedDeletion,
  insertSeedRun,
  type NewSeedRun,
  wishOfSeedRun,
} from "../../src/db/seed/change-seed-runs.ts";
import { claimSlice, recordProgress } from "../../src/db/seed/seed-work.ts";
import { seedMix } from "../../src/domain/seed/mix.ts";
import { freshApi, type TestApi } from "../support/api.ts";
import { openTransaction } from "../support/model/locks.ts";
import { ANCHOR, BEGIN } from "../support/seed-runs.ts";
import { givenClock } from "../support/simulated-clock.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const operation = () => {
  const id = crypto.randomUUID();
  return { id, actorId: "a test", route: "test", key: null, fingerprint: id };
};

const newRun = (): NewSeedRun => ({
  id: crypto.randomUUID(),
  seed: 1,
  tasks: 5,
  anchor: ANCHOR,
  days: 14,
  mix: seedMix.parse(undefined),
  speed: 0,
  createdBy: "a test",
  begin: BEGIN,
});

/** What a write returned. It is judged by the rows, because the state that the caller has read is out of date. */
const rowsOf = async (written: ReturnType<typeof insertSeedRun>) => {
  const done = await written;
  return done.outcome === "written" ? done.rows : expect.fail(done.outcome);
};

async function givenDemo(): Promise<{ id: string; database: TenantDatabase }> {
  const { id } = await api.givenTenant("demo");
  return { id, database: openDatabase(api.database).forTenant(id) };
}

/** A run of which a day is wanted. */
async function givenRun(state = "active") {
  const { database } = await givenDemo();
  const run = newRun();
  expect(await rowsOf(insertSeedRun(database, run, operation()))).toHaveLength(1);
  await api.database.query(
    "owner",
    "update seed_runs set state = $2, wanted_until = applied_until + interval '1 day' where id = $1",
    [run.id, state],
  );
  const claim = (holder: string = crypto.randomUUID()) => claimSlice(database, run.id, holder);
  return { database, id: run.id, claim };
}

describe("A story", () => {
  test("starts once: one of several simultaneous starts succeeds", async () => {
    const { database } = await givenDemo();
    const starts = [1, 2, 3].map(() => insertSeedRun(database, newRun(), operation()));
    const started = await Promise.all(starts.map(rowsOf));
    expect(started.flat()).toHaveLength(1);
  });

  test("does not begin in the past of a clock that moved after it was read", async () => {
    const { id, database } = await givenDemo();
    await givenClock(api.database, id, { at: "2026-11-16T12:00:00.000001Z" });
    expect(await rowsOf(insertSeedRun(database, newRun(), operation()))).toEqual([]);
  });

  test("is not advanced if it ended after it was read", async () => {
    const { id, database } = await givenRun("ended");
    const wish = { bySeconds: 60, operation: operation() };
    expect(await rowsOf(wishOfSeedRun(database, id, wish))).toEqual([]);
  });

  test("is not deleted again if its deletion ended after it was read", async () => {
    const { id, database } = await givenRun("deleted");
    expect(await rowsOf(beginSeedDeletion(database, id, operation()))).toEqual([]);
  });

  test.each(["ended", "deleting", "deleted"])("goes no further when it is %s", async (state) => {
    const { claim } = await givenRun(state);
    expect(await claim()).toBeNull();
  });

  test("is told by one of several messages that arrive at once", async () => {
    const { id, claim } = await givenRun();
    const locked = await openTransaction(api.database, [
      { text: "select from seed_runs where id = $1 for update", values: [id] },
    ]);
    const claims = [1, 2, 3].map(() => claim());
    const waiting = () =>
      api.database.query(
        "superuser",
        "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      );
    await expect.poll(waiting).toHaveLength(3);
    await locked.end();
    const claimed = await Promise.all(claims);
    expect(claimed.filter((slice) => slice !== null)).toHaveLength(1);
  });

  test("is told although the answer to the claim of its next part was lost", async () => {
    const { claim } = await givenRun();
    const holder = crypto.randomUUID();
    const first = await claim(holder);
    expect(first?.isResumed).toBe(false);
    const again = await claim(holder);
    expect(again).toMatchObject({ isResumed: true, run: { sliceUntil: first?.run.sliceUntil } });
    expect(await claim()).toBeNull();
  });

  test("stops when other work has taken over", async () => {
    const { database, id, claim } = await givenRun();
    const [mine, theirs] = [crypto.randomUUID(), crypto.randomUUID()];
    await claim(mine);
    await api.database.query(
      "owner",
      "update seed_runs set lease_until = now() - interval '1 second' where id = $1",
      [id],
    );
    expect(await claim(theirs)).toMatchObject({ isResumed: true });
    const record = (holder: string) =>
      recordProgress(
        database,
        { id, holder },
        {
          teamsDone: 0,
          batchesDone: 1,
          nextActionAt: null,
          actionsApplied: 0,
          actionsRefused: 0,
          isLast: false,
          state: "active",
        },
      );
    expect([await record(mine), await record(theirs)]).toEqual([false, true]);
  });
});
