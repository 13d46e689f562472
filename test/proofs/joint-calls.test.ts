import { type SQL, sql } from "drizzle-orm";
import { beforeAll, describe, expect, test } from "vitest";
import { addNote } from "../../src/actions/moves/add-note.ts";
import { recordPrompt } from "../../src/actions/content/record-prompt.ts";
import { createTask } from "../../src/actions/tasks/create-task.ts";
import { openDatabase, type Operation } from "../../src/db/connection/client.ts";
import { connect } from "../../src/db/connection/driver.ts";
import { freshApi, type Tenant, type TestApi } from "../support/api.ts";
import { type ActedOn, givenTask, promptAct, valueOf } from "../support/joint-acts.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { actionCall, givenClock } from "../support/simulated-clock.ts";

let api: TestApi;
let demo: Tenant;
beforeAll(async () => {
  api = await freshApi();
  demo = await api.demoTenant();
  await givenClock(api.database, demo.id, { at: minute(100_000) });
});

/** The n-th minute of a story in 2015. */
const minute = (n: number) => new Date(Date.UTC(2015, 0, 1, 9, n)).toISOString();
const jointly = ({ id }: Tenant) => openDatabase(api.database).jointly(id);

test("calls made at the same time share round trips, and the joint database counts them", async () => {
  const joint = await jointly(demo);
  const task = await givenTask(joint.at(minute(0)), "Many prompts");
  const before = joint.roundTrips;
  await api.database.resetRoundTrips();
  const prompts = Array.from({ length: 200 }, (_, n) =>
    promptAct(`Prompt ${n}`)(joint.at(minute(n)), task),
  );
  expect(new Set(await Promise.all(prompts))).toEqual(new Set(["done"]));
  expect(joint.roundTrips - before).toBe(2);

  const tasks = await Promise.all(
    [1, 2, 3].map((n) => givenTask(joint.at(minute(n)), `Task ${n}`)),
  );
  const note = ({ id }: ActedOn) =>
    addNote({ ...actionCall(joint.at(null)), ifMatch: null }, { task: { id }, text: "Seen" });
  await Promise.all([...tasks.map(note), promptAct("x".repeat(3_000_000))(joint.at(null), task)]);
  // One for the tasks; one for loads and the prompt; one for the notes.
  expect(joint.roundTrips - before).toBe(2 + 1 + 2);
  expect(await api.database.roundTrips()).toBe(5);
  expect(await api.database.tenantRoundTrips()).toBe(5);
});

test("calls meet that are made after different numbers of microtasks", async () => {
  const joint = await jointly(demo);
  const later = async (microtasks: number) => {
    for (let n = 0; n < microtasks; n += 1) await Promise.resolve();
    return joint.at(null).read(sql`select 1`);
  };
  await Promise.all([0, 1, 10, 100, 1000].map(later));
  expect(joint.roundTrips).toBe(1);
});

test("a large call does not travel with others beyond the limit of bytes", async () => {
  const joint = await jointly(demo);
  const texts = [1, 2, 3].map(
    (n) => sql`select length(${"x".repeat(2_500_000)}) + ${n}::integer as n`,
  );
  const rows = await Promise.all(texts.map((text) => joint.at(null).read(text)));
  expect(rows).toEqual([[{ n: 2_500_001 }], [{ n: 2_500_002 }], [{ n: 2_500_003 }]]);
  expect(joint.roundTrips).toBe(3);
});

describe("in one transaction", () => {
  test("each call writes at its own planned time, also prepared ones, and without one by the clock", async () => {
    const joint = await jointly(demo);
    const task = await givenTask(joint.at(minute(1)), "Times");
    const before = joint.roundTrips;
    const plans = [minute(20), null, minute(10)];
    const [, created] = await Promise.all([
      Promise.all(plans.map((at) => promptAct(`Prompt at ${at}`)(joint.at(at), task))),
      Promise.all(plans.map((at) => givenTask(joint.at(at), `Created at ${at}`))),
    ]);
    // The function reads the setting, as a prepared statement without a time of its own does.
    const shown = await Promise.all(
      plans.map(async (at) => {
        const [row] = await joint
          .at(at)
          .writeIdempotently<{ at: string }>(sql`select iso(writer_clock()) as at`);
        return row?.at;
      }),
    );
    expect(joint.roundTrips - before).toBe(2);
    const iso = (at: string | null) => (at ?? minute(100_000)).replace("Z", "000Z");
    expect(shown).toEqual(plans.map(iso));
    const written = await api.database.query(
      "owner",
      `select content as what, iso(created_at) as at from prompts where task_id = $1
       union all select title, iso(created_at) from tasks where id = any($2)`,
      [task.id, created.map(({ id }) => id)],
    );
    expect(new Map(written.map(({ what, at }) => [what, at]))).toEqual(
      new Map(
        plans.flatMap((at) => [
          [`Prompt at ${at}`, iso(at)],
          [`Created at ${at}`, iso(at)],
        ]),
      ),
    );
  });

  test("constraints wait until the end of each call", async () => {
    const joint = await jointly(demo);
    const { id } = await givenTask(joint.at(minute(1)), "Two statements");
    const before = joint.roundTrips;
    const pointTo = (step: SQL) =>
      sql`update task_versions set current_step_id = ${step} where task_id = ${id}`;
    const away = pointTo(sql`gen_random_uuid()`);
    const back = pointTo(sql`(select t.current_step_id from tasks t where t.id = task_id)`);
    const write = () => joint.at(null).writeIdempotently(away, back);
    await Promise.all([write(), write()]);
    expect(joint.roundTrips - before).toBe(1);
    await expect(
      Promise.all([write(), joint.at(null).writeIdempotently(away)]),
    ).rejects.toMatchObject({
      sqlState: "23503",
    });
    await expectInvariantsHold(api.database);
  });

  test("calls on one task that meet are decided again", async () => {
    const joint = await jointly(demo);
    const task = await givenTask(joint.at(null), "Popular");
    const notes = ["a", "b", "c"].map((text) =>
      addNote({ ...actionCall(joint.at(null)), ifMatch: null }, { task: { id: task.id }, text }),
    );
    const seqs = (await Promise.all(notes)).map((noted) => valueOf(noted).events[0]?.seq);
    expect(new Set(seqs)).toEqual(new Set([2, 3, 4]));
  });

  test("a refused call and a repeated one do not disturb the others", async () => {
    const joint = await jointly(demo);
    const task = await givenTask(joint.at(null), "Busy");
    const content = "Once";
    const keyed = { ...actionCall(joint.at(null)).operation, key: crypto.randomUUID() };
    const record = (operation: Operation = actionCall(joint.at(null)).operation) =>
      recordPrompt({ ...actionCall(joint.at(null)), operation }, { task, role: "user", content });
    const first = valueOf(await record(keyed));
    const wrong = joint
      .at(null)
      .writeIdempotently(sql`select 1 / 0`)
      .catch((error: unknown) => error);
    const fields = {
      title: "Same",
      externalId: "same",
      taxonomyCode: null,
      priority: 0,
      assignee: null,
    };
    const create = () => createTask(actionCall(joint.at(null)), { fields, content: {} });
    const before = joint.roundTrips;
    const [repeat, created, again, refused, other, fault] = await Promise.all([
      record({ ...keyed, id: crypto.randomUUID() }),
      create(),
      create(),
      record({ ...keyed, fingerprint: "another" }),
      record(),
      wrong,
    ]);
    expect(repeat).toMatchObject({ ok: true, value: { replayed: true, value: first } });
    expect([created.ok, other.ok]).toEqual([true, true]);
    expect(again).toMatchObject({ ok: false, refusal: { code: "conflict" } });
    expect(refused).toMatchObject({ ok: false, refusal: { code: "idempotency_key_reused" } });
    expect(fault).toMatchObject({ sqlState: "22012" });
    expect(joint.roundTrips - before).toBeGreaterThan(1);
    const [count] = await api.database.query(
      "owner",
      "select count(*) from prompts where task_id = $1",
      [task.id],
    );
    expect(count).toEqual({ count: "2" });
  });
});

test("what the writes ask for is collected, whichever view wrote it", async () => {
  const joint = await jointly(demo);
  joint.at(null).sendAgain();
  joint.at(null).outgoing.operations.push("an operation");
  expect(joint.outgoing).toMatchObject({
    dispatches: true,
    events: true,
    operations: ["an operation"],
  });
});

test("a statement returns the same rows in a batch as by itself", async () => {
  const types = await api.database.query(
    "owner",
    `select distinct format_type(t.type, null) as type from pg_proc p, unnest(p.proallargtypes) as t(type)
     where p.pronamespace = 'prepared'::regnamespace`,
  );
  const samples = new Map(
    Object.entries({
      boolean: true,
      integer: 7,
      json: '{"a":[1,null,"ä"],"b":{"c":1.5}}',
      text: "ü '",
      uuid: crypto.randomUUID(),
    }),
  );
  const values = types.map(
    ({ type }) => samples.get(type ?? "") ?? expect.fail(`no sample of ${type}`),
  );
  const columns = types.flatMap(({ type }, n) => [
    `$${n + 1}::${type} as a${n}`,
    `null::${type} as b${n}`,
  ]);
  const query = { sql: `select ${columns.join()} from generate_series(1, 2)`, params: values };
  const { query: send, write, read } = connect(api.database);
  const rows = await send(query);
  expect(rows).toHaveLength(2);
  expect(await write([query])).toEqual([rows]);
  expect(await read([query, query])).toEqual([rows, rows]);
});

test("times are text, with their microseconds", async () => {
  const time = "2026-01-02 03:04:05.678901";
  const query = {
    sql: `select '${time}'::timestamp as one, array['${time}Z'::timestamptz] as many, '1 day'::interval as span`,
    params: [],
  };
  const rows = await connect(api.database).query(query);
  expect(rows).toEqual([{ one: time, many: `{"${time}+00"}`, span: "1 day" }]);
});
