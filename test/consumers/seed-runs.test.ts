import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { SeedRunView } from "../../src/actions/views/seed-run-view.ts";
import { workOnRun } from "../../src/actions/seed/work-on-run.ts";
import { type JointDatabase, openDatabase } from "../../src/db/connection/client.ts";
import { expectDone, freshApi, type Tenant, type TestApi } from "../support/api.ts";
import { passDeadlines } from "../support/run-rows.ts";
import { openTransaction } from "../support/model/locks.ts";
import { ANCHOR, delayedQueue, seedRunsOf } from "../support/seed-runs.ts";
import seedTexts from "../../assets/seed/texts.json" with { type: "json" };
import type { SeedTexts } from "../../src/domain/seed/texts.ts";
import { planTeam } from "../../src/domain/seed/plan-team.ts";

// A test checks the format of the asset.
const texts = seedTexts as unknown as SeedTexts;
const queue = delayedQueue();
const QUEUE = "stepledger-seed";
let api: TestApi;
beforeAll(async () => {
  api = await freshApi({ SEED_QUEUE: queue });
});
beforeEach(() => void (queue.sent.length = 0));

/** Starts a run with a speed, and takes its first message. */
async function givenRun(body: object = { speed: 60 }) {
  const tenant = await api.givenTenant("demo");
  const calls = seedRunsOf(api, tenant);
  const { id } = expectDone(await calls.start(body), 201);
  const message = { version: 1, tenantId: tenant.id, runId: id };
  queue.sent.length = 0;
  return { tenant, id, message, ...calls };
}

/** Delivers a message, and returns what became of it and what was sent. */
async function deliver(message: object, attempts = 1) {
  const result = await api.consume(QUEUE, [message], attempts);
  const sent = queue.sent.splice(0);
  return { isRetried: result.retryMessages.length > 0, sent };
}

/** Sets the run's times to so many real seconds from now. */
const setTimes = (
  id: string,
  times: Partial<Record<"tick_due_at" | "ticked_at" | "lease_until", number>>,
) =>
  api.database.query(
    "owner",
    `update seed_runs r set tick_due_at = coalesce(t.tick_due_at, r.tick_due_at),
       ticked_at = coalesce(t.ticked_at, r.ticked_at), lease_until = coalesce(t.lease_until, r.lease_until)
     from (select now() + make_interval(secs => ($2::json ->> 'tick_due_at')::integer) as tick_due_at,
       now() + make_interval(secs => ($2::json ->> 'ticked_at')::integer) as ticked_at,
       now() + make_interval(secs => ($2::json ->> 'lease_until')::integer) as lease_until) t
     where r.id = $1`,
    [id, JSON.stringify(times)],
  );

const holdLease = async (id: string, seconds: number) => {
  await api.database.query(
    "owner",
    "update seed_runs set lease_holder = gen_random_uuid() where id = $1",
    [id],
  );
  await setTimes(id, { lease_until: seconds });
};

describe("A message of a seed run", () => {
  test("applies what is due, and asks for the message of the next tick", async () => {
    const { id, message, find } = await givenRun();
    await setTimes(id, { ticked_at: -600, tick_due_at: 0 });
    const before = await find(id);
    const { isRetried, sent } = await deliver(message);
    expect(isRetried).toBe(false);
    expect(sent).toEqual([{ body: message, delaySeconds: expect.any(Number) }]);
    const { clock, wantedUntil } = await find(id);
    expect(wantedUntil).toBe(clock);
    const told = (Date.parse(clock) - Date.parse(before.clock)) / 1000;
    expect(told).toBeGreaterThanOrEqual(36_000);
    expect(told).toBeLessThan(36_000 + 3600);
    const [due] = await api.database.query(
      "owner",
      "select ceil(extract(epoch from tick_due_at - now()))::text as seconds from seed_runs where id = $1",
      [id],
    );
    expect(Math.abs(Number(due?.["seconds"]) - (sent[0]?.delaySeconds ?? 0))).toBeLessThan(5);
  });

  test("is dropped if it is a duplicate, so that the pace stays the same", async () => {
    const { id, message, find } = await givenRun();
    await setTimes(id, { ticked_at: -60, tick_due_at: 0 });
    const answers = [await deliver(message)];
    const { clock } = await find(id);
    for (let copy = 0; copy < 3; copy += 1) answers.push(await deliver(message));
    expect(answers.map(({ sent }) => sent.length)).toEqual([1, 0, 0, 0]);
    expect(answers.some(({ isRetried }) => isRetried)).toBe(false);
    expect((await find(id)).clock).toBe(clock);
  });

  test("is dropped if a call has set another tick, whose message goes on", async () => {
    const { id, message, advance, find } = await givenRun();
    await deliver(message);
    await setTimes(id, { ticked_at: -600, tick_due_at: 300 });
    expectDone(await advance(id, { by: 24 * 3600 }));
    expect(queue.sent.splice(0)).toHaveLength(1);
    const { clock } = await find(id);
    expect(await deliver(message)).toEqual({ isRetried: false, sent: [] });
    // The time before the call does not count again.
    await setTimes(id, { tick_due_at: 0 });
    expect((await deliver(message)).sent).toHaveLength(1);
    expect(Date.parse((await find(id)).clock) - Date.parse(clock)).toBeLessThan(3_600_000);
  });

  test("comes again if it is a moment too early, and asks for no other", async () => {
    const { id, message } = await givenRun();
    await deliver(message);
    await setTimes(id, { tick_due_at: 3 });
    expect(await deliver(message)).toEqual({ isRetried: true, sent: [] });
    await setTimes(id, { tick_due_at: 5 });
    expect(await deliver(message)).toEqual({ isRetried: false, sent: [] });
  });

  test("comes again a few times while other work is in progress", async () => {
    const { id, message, find } = await givenRun();
    await holdLease(id, 60);
    const before = await find(id);
    expect(await deliver(message)).toEqual({ isRetried: true, sent: [] });
    expect(await deliver(message, 4)).toEqual({ isRetried: false, sent: [] });
    expect(await find(id)).toEqual(before);
    await holdLease(id, -1);
    expect((await deliver(message)).sent).toHaveLength(1);
  });

  test.each(["paused", "ended", "deleted"])("has no effect on a run that is %s", async (state) => {
    const { id, message, advance, remove, find } = await givenRun();
    if (state === "paused") expectDone(await advance(id, { speed: 0 }));
    if (state === "ended") expectDone(await advance(id, { to: ANCHOR }));
    if (state === "deleted") expectDone(await remove(id));
    queue.sent.length = 0;
    const before = await find(id);
    expect(await deliver(message)).toEqual({ isRetried: false, sent: [] });
    expect(await find(id)).toEqual(before);
  });

  test("goes on with work that stopped at its budget, or was interrupted", async () => {
    const { tenant, id, message, find } = await givenRun({ speed: 0 });
    await want(id, ANCHOR);
    const { joint, ...work } = await workWith(tenant, id, 40);
    expect(work).toEqual({ is: "unfinished" });
    expect(joint.outgoing.seedRuns).toEqual([{ runId: id, delaySeconds: 0 }]);
    const half = await find(id);
    expect(half).toMatchObject({ state: "active", progress: { until: half.anchor } });
    expect(await deliver(message)).toEqual({ isRetried: false, sent: [] });
    expect(await find(id)).toMatchObject({ state: "ended", progress: { actions: { refused: 0 } } });
  });

  test("of a tenant that is gone has no effect", async () => {
    const { message } = await givenRun();
    const unknown = { ...message, runId: crypto.randomUUID() };
    expect(await deliver(unknown)).toEqual({ isRetried: false, sent: [] });
  });
});

const want = (id: string, until: string) =>
  api.database.query("owner", "update seed_runs set wanted_until = $2 where id = $1", [id, until]);

/** Works on a run outside the Worker. `meanwhile` runs before progress is recorded for the first time. */
function workWith(
  { id: tenantId }: Tenant,
  runId: string,
  roundTripsMax: number,
  meanwhile: () => Promise<unknown> = async () => {},
) {
  const database = openDatabase(api.database);
  let writes = 0;
  const jointly = async () => {
    const joint = await database.jointly(tenantId);
    const at: JointDatabase["at"] = (plannedAt) => {
      const view = joint.at(plannedAt);
      const write = view.writeIdempotently.bind(view);
      view.writeIdempotently = async <Row>(...statements: Parameters<typeof write>) => {
        writes += 1;
        // The first claims the slice.
        if (writes === 2) await meanwhile();
        return write<Row>(...statements);
      };
      return view;
    };
    return Object.assign(Object.create(joint) as JointDatabase, { at });
  };
  return workOnRun(
    { database: { jointly }, texts, requestId: "a test" },
    { tenantId, runId },
    { roundTripsMax },
  );
}

describe("Work on a run that is deleted meanwhile", () => {
  test("stops telling, and archives all that was told", async () => {
    const { tenant, id, remove, find } = await givenRun({ speed: 0, tasks: 12 });
    await want(id, ANCHOR);
    // A part is told. The next work claims the rest, and is then overtaken.
    await workWith(tenant, id, 60);
    const removed: SeedRunView[] = [];
    const { is } = await workWith(tenant, id, 10_000, async () => {
      removed.push(expectDone(await remove(id), 202));
    });
    expect(is).toBe("idle");
    const { state, counts, progress } = await find(id);
    expect(state).toBe("deleted");
    expect(progress.actions).toEqual(removed[0]?.progress.actions);
    expect(counts.created).toBeGreaterThan(0);
    expect(counts.archived).toBe(counts.created);
  });
});

describe("The sweep", () => {
  const sweep = async () => {
    await api.sweep();
    return queue.sent.splice(0).map(({ body }) => body);
  };

  test("revives a run whose message was lost, once, and the lost time does not count", async () => {
    const { id, message, find } = await givenRun();
    await deliver(message);
    const { clock } = await find(id);
    await setTimes(id, { ticked_at: -170, tick_due_at: -110 });
    expect(await sweep()).toEqual([]);
    await setTimes(id, { ticked_at: -3610, tick_due_at: -3600 });
    expect(await sweep()).toEqual([message]);
    expect(await sweep()).toEqual([]);
    expect((await deliver(message)).sent).toHaveLength(1);
    const told = (Date.parse((await find(id)).clock) - Date.parse(clock)) / 1000;
    expect(told).toBeGreaterThanOrEqual(600);
    expect(told).toBeLessThan(60 * 41);
  });

  test("leaves alone what is at work, paused or over, and resumes a deletion and a wish", async () => {
    const late = { ticked_at: -3610, tick_due_at: -3600 };
    const busy = await givenRun();
    await holdLease(busy.id, 60);
    await setTimes(busy.id, late);
    const paused = await givenRun();
    expectDone(await paused.advance(paused.id, { speed: 0 }));
    await setTimes(paused.id, late);
    const over = await givenRun();
    expectDone(await over.remove(over.id));
    await setTimes(over.id, late);
    queue.sent.length = 0;
    expect(await sweep()).toEqual([]);

    const wished = await givenRun({ speed: 0 });
    await want(wished.id, ANCHOR);
    await setTimes(wished.id, late);
    expect(await sweep()).toEqual([wished.message]);
    const deleting = await givenRun({ speed: 0 });
    await holdLease(deleting.id, 60);
    expectDone(await deleting.remove(deleting.id), 202);
    await holdLease(deleting.id, -1);
    await setTimes(deleting.id, late);
    expect(await sweep()).toEqual([deleting.message]);
    await deliver(deleting.message);
    expect((await deleting.find(deleting.id)).state).toBe("deleted");
  });

  test("does not wait for a run that another sweep is claiming", async () => {
    const { id, message } = await givenRun();
    await setTimes(id, { ticked_at: -3610, tick_due_at: -3600 });
    const other = await openTransaction(api.database, [
      { text: "select from seed_runs where id = $1 for update", values: [id] },
    ]);
    expect(await sweep()).toEqual([]);
    await other.end();
    expect(await sweep()).toEqual([message]);
  });

  test("never closes the runs of simulated workers, however late they are", async () => {
    const { id, advance, find } = await givenRun({ speed: 0 });
    const run = { ...(await find(id)), anchor: ANCHOR };
    const { actions } = planTeam(run, { index: 0, tasks: run.tasks }, texts);
    const begun = actions.find(({ act }) => act.type === "startRun")?.at;
    expectDone(await advance(id, { to: begun }));
    const real = await api.givenTask({ at: { kind: "output_generation", status: "queued" } });
    const started = await api.call<{ id: string }>("POST", `/tasks/${real.id}/worker-runs`, {
      as: "service",
      body: { type: "OUTPUT_GENERATION" },
    });
    const { id: realRun } = expectDone(started, 201);
    const open = () =>
      api.database.query(
        "superuser",
        "select id from worker_runs where state in ('QUEUED', 'RUNNING') order by id",
      );
    const runs = await open();
    expect(runs.length).toBeGreaterThan(1);
    const ids = runs.map((one) => one["id"] ?? "");
    await passDeadlines(api.database, ids);
    await sweep();
    expect(await open()).toEqual(runs.filter((one) => one["id"] !== realRun));
  });
});
