import { beforeAll, describe, expect, test } from "vitest";
import { recordEvaluation } from "../../src/actions/evals/record-evaluation.ts";
import { addNote } from "../../src/actions/moves/add-note.ts";
import { moveTasks } from "../../src/actions/moves/move-tasks.ts";
import { createTask } from "../../src/actions/tasks/create-task.ts";
import { importTasks } from "../../src/actions/tasks/import-tasks.ts";
import type { StepEventView } from "../../src/actions/views/event-view.ts";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import { openDatabase } from "../../src/db/connection/client.ts";
import { moveSimulatedClock } from "../../src/db/tenants/simulated-clock.ts";
import type { Outcome } from "../../src/domain/refusals.ts";
import { expectDone, freshApi, type Tenant, type TestApi } from "../support/api.ts";
import { chanceFrom } from "../support/chance.ts";
import { importedState } from "../support/imported-state.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { untilSettled } from "../support/settled.ts";
import { actionCall, givenClock } from "../support/simulated-clock.ts";

const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const DAY_MS = 86_400_000;

let api: TestApi;
let customer: Tenant;
let demo: Tenant;
beforeAll(async () => {
  api = await freshApi();
  customer = api.tenant;
  demo = await api.givenTenant("demo");
});

/** The n-th day of a story in 2015. */
const day = (n: number) => new Date(Date.UTC(2015, 0, 1 + n, 9)).toISOString();
const databaseOf = ({ id }: Tenant) => openDatabase(api.database).forTenant(id);
const valueOf = <Value>(outcome: Outcome<{ value: Value }>): Value =>
  outcome.ok ? outcome.value.value : expect.fail(outcome.refusal.detail);
const newTask = (title: string) => {
  const fields = { title, externalId: null, taxonomyCode: null, priority: 0, assignee: null };
  return { fields, content: { brief: title } };
};

/** Runs statements as the application's role, in the scope of a tenant, and returns the rows of the last. */
async function asApplication({ id }: Tenant, ...texts: string[]) {
  const results = await api.database.transaction("application", [
    { text: "select set_config('app.tenant_id', $1, true)", values: [id] },
    ...texts.map((text) => ({ text })),
  ]);
  return results.at(-1) ?? [];
}

/** Plans and records the histories of three tasks through actions, with planned times in each way that actions take them. */
async function tellStory(tenant: Tenant): Promise<string[]> {
  const database = databaseOf(tenant);
  const rows = [0, 1].map((n) => ({ task: newTask(`Imported ${n}`), at: day(n) }));
  const imported = valueOf(await importTasks(actionCall(database), rows, { isDryRun: false }));
  database.plannedAt = day(2);
  const created = valueOf(await createTask(actionCall(database), newTask("Created")));
  database.plannedAt = null;
  const ids = [...imported.items.flatMap(({ id }) => id ?? []), created.id];
  const running = {
    type: "transition",
    status: "running",
    runAttachedWorkflows: false,
  } as const;
  const moves = ids.map((id, n) => ({ task: { id }, command: running, at: day(3 + n) }));
  valueOf(await moveTasks(actionCall(database), moves));
  database.plannedAt = day(7);
  const note = { task: { id: created.id }, text: "A remark" };
  valueOf(await addNote({ ...actionCall(database), ifMatch: null }, note));
  database.plannedAt = null;
  const maker = { modelRevision: null, agent: null, agentRevision: null, provider: null };
  const results = ids.map((id, n) => ({
    task: { id },
    k: 1,
    model: "heron",
    ...maker,
    passed: true,
    usage: null,
    at: day(8 + n),
  }));
  const evaluation = { name: "Pass", k: 1, slotBy: undefined, results, complete: true };
  valueOf(await recordEvaluation(actionCall(database), evaluation));
  return ids;
}

/** The times of everything that a tenant's tasks contain, in the order of the columns' names. */
const timesOf = ({ id }: Tenant) =>
  api.database.query(
    "owner",
    `select 'task ' || title as what, iso(created_at) as at from tasks where tenant_id = $1
     union all select 'version', iso(created_at) from task_versions where tenant_id = $1
     union all select 'step', iso(created_at) from steps where tenant_id = $1
     union all select e.type || e.seq, iso(e.at) from step_events e where tenant_id = $1
     union all select 'eval', iso(created_at) from evals where tenant_id = $1
     union all select 'trial', iso(created_at) from trials where tenant_id = $1
     union all select e.type, iso(e.at) from eval_step_events e where tenant_id = $1 order by 2, 1`,
    [id],
  );

test("in a customer's tenant, nothing sets the clock or the time of what is written", async () => {
  await givenClock(api.database, demo.id, { at: day(0) });
  const since = Date.now() - 60_000;
  const move = "select move_simulated_clock('2015-01-01Z', 0)";
  const attempts: [string, string][] = [
    [`insert into simulated_clocks values ('${customer.id}', '2015-01-01Z', 0, now())`, "42501"],
    ["update simulated_clocks set at = '2015-01-01Z'", "42501"],
    ["delete from simulated_clocks", "42501"],
    [`update tenants set kind = 'demo' where id = '${customer.id}'`, "42501"],
    ["alter function writer_clock_of owner to stepledger_app", "42501"],
    [move, "SL001"],
  ];
  for (const [text, code] of attempts) {
    await expect(asApplication(customer, text), text).rejects.toMatchObject({ code });
    if (text !== move) {
      await expect(asApplication(demo, text), text).rejects.toMatchObject({ code });
    }
  }
  const refused = await moveSimulatedClock(databaseOf(customer), {
    at: day(0),
    speed: 0,
    until: null,
  });
  expect(refused).toMatchObject({ ok: false, refusal: { code: "not_a_demo" } });

  const [read = {}] = await asApplication(
    customer,
    "select set_config('app.planned_at', '2015-01-01Z', true), set_config('search_path', 'pg_temp, public', true)",
    `select iso(writer_clock()) as set, iso(tenant_now()) as now, iso(writer_clock_of('${demo.id}')) as of_demo`,
  );
  for (const [name, at] of Object.entries(read)) {
    expect(Date.parse(at ?? ""), name).toBeGreaterThan(since);
  }
  await tellStory(customer);
  const times = await timesOf(customer);
  expect(times.length).toBeGreaterThan(20);
  for (const { what, at } of times) expect(Date.parse(at ?? ""), what ?? "").toBeGreaterThan(since);
  const me = expectDone(await api.call<{ tenant: object }>("GET", "/me", { tenant: customer }));
  expect(me).not.toHaveProperty("time");
  expect(me.tenant).toMatchObject({ kind: "customer" });
  await expectInvariantsHold(api.database);
});

describe("a simulated clock", () => {
  const read = async (tenant: Tenant) => {
    const [row] = await asApplication(tenant, "select iso(writer_clock()) as at");
    return row?.["at"] ?? expect.fail("no time");
  };

  test(`never falls, however it is set (SEED=${SEED})`, async () => {
    const chance = chanceFrom(SEED);
    const tenant = await api.givenTenant("demo");
    const shown = [await givenClock(api.database, tenant.id, { at: day(0) })];
    const speeds = [0, 0.5, 1, 3600, 604_800];
    for (let round = 0; round < 15; round += 1) {
      const settings = Array.from({ length: 1 + chance.below(3) }, () => {
        const at = chance.isHit(0.3) ? null : day(chance.below(300));
        return { at, speed: speeds[chance.below(5)] ?? 0, until: day(chance.below(400)) };
      });
      const before = shown.at(-1) ?? "";
      const set = settings.map((setting) => givenClock(api.database, tenant.id, setting));
      for (const at of await Promise.all(set)) expect(at >= before).toBe(true);
      shown.push(await read(tenant), await read(tenant));
    }
    expect(shown).toEqual(shown.toSorted());
  });

  test("runs at its speed, and stops at its end", async () => {
    const tenant = await api.givenTenant("demo");
    await givenClock(api.database, tenant.id, { at: day(0), speed: 604_800, until: day(1) });
    await expect.poll(() => read(tenant)).toBe(day(1).replace("Z", "000Z"));
    const time = { simulated: true, now: day(1).replace("Z", "000Z"), speed: 0 };
    expect(expectDone(await api.call("GET", "/me", { tenant }))).toMatchObject({ time });
    await givenClock(api.database, tenant.id, { at: day(2), speed: 0.5, until: day(900) });
    const { time: running } = expectDone(
      await api.call<{ time: { now: string; speed: number } }>("GET", "/me", { tenant }),
    );
    expect(running.speed).toBe(0.5);
    expect(Date.parse(running.now)).toBeGreaterThanOrEqual(Date.parse(day(2)));
    expect(Date.parse(running.now)).toBeLessThan(Date.parse(day(3)));
  });

  test("cannot run away: a fast one needs an end", async () => {
    const tenant = await api.givenTenant("demo");
    for (const speed of [2, -1, 604_801, NaN]) {
      const setting = { at: day(0), speed, until: null };
      await expect(moveSimulatedClock(databaseOf(tenant), setting)).rejects.toMatchObject({
        sqlState: "23514",
      });
    }
    expect(expectDone(await api.call("GET", "/me", { tenant }))).not.toHaveProperty("time");
  });
});

describe("in a demo with a simulated clock", () => {
  let tenant: Tenant;
  let ids: string[];
  beforeAll(async () => {
    tenant = await api.givenTenant("demo");
    await givenClock(api.database, tenant.id, { at: day(30) });
    ids = await tellStory(tenant);
  });
  const get = async <Body>(path: string) =>
    expectDone(await api.call<Body>("GET", path, { tenant }));
  const eventsOf = async (id: string) =>
    (await get<{ data: StepEventView[] }>(`/tasks/${id}/events`)).data;
  const iso = (n: number) => day(n).replace("Z", "000Z");

  test("everything has the time that was planned for it", async () => {
    const times = new Set((await timesOf(tenant)).map(({ at }) => at));
    expect([...times]).toEqual([0, 1, 2, 3, 4, 5, 7, 8, 9, 10].map(iso));
    const [first, second, third] = await Promise.all(ids.map(eventsOf));
    expect([first, second].map((events) => events?.map(({ at }) => at))).toEqual([
      [iso(0), iso(3)],
      [iso(1), iso(4)],
    ]);
    expect(third?.map(({ at }) => at)).toEqual([iso(2), iso(5), iso(7)]);
  });

  test("a planned time before the last one of its task does not let time fall", async () => {
    const database = databaseOf(tenant);
    const [id = ""] = ids;
    const note = { type: "note", text: "Late" } as const;
    const at = [day(20), day(10)];
    for (const time of at) {
      valueOf(await moveTasks(actionCall(database), [{ task: { id }, command: note, at: time }]));
    }
    expect((await eventsOf(id)).slice(-2).map((event) => event.at)).toEqual([iso(20), iso(20)]);
  });

  test("what nobody planned has the time of the clock", async () => {
    const body = { text: "Now" };
    expectDone(await api.call("POST", `/tasks/${ids[1]}/notes`, { tenant, body }), 201);
    expect((await eventsOf(ids[1] ?? "")).at(-1)?.at).toBe(iso(30));
  });

  test("filters, asOf, statistics and the feed show the planned days", async () => {
    const list = await get<{ data: TaskView[] }>(
      `/tasks?createdAfter=${day(0)}&createdBefore=${day(2)}`,
    );
    expect(list.data.map(({ id }) => id)).toEqual([ids[1]]);
    const was = await get<TaskView>(`/tasks/${ids[2]}?asOf=${day(4)}`);
    expect(was.currentStep.status).toBe("queued");
    const { buckets } = await get<{ buckets: { start: string; created: number }[] }>(
      "/stats/throughput",
    );
    // The default window ends on the day that the clock shows.
    expect(Date.parse(buckets.at(-1)?.start ?? "")).toBe(
      Math.floor(Date.parse(day(30)) / DAY_MS) * DAY_MS,
    );
    const { tasks } = await get<{ tasks: number }>(`/stats/outcomes?from=${day(-1)}`);
    expect(tasks).toBe(3);
    const throughput = await get<{ buckets: { created: number }[] }>(
      `/stats/throughput?from=${day(0)}&to=${day(5)}`,
    );
    expect(throughput.buckets.map(({ created }) => created)).toEqual([1, 1, 1, 0, 0, 0]);
    // The feed has the order of writing, and stops before transactions of other tests.
    await untilSettled(api.database);
    const { data } = await get<{ data: { taskId: string; at: string }[] }>("/events?limit=200");
    expect(data.slice(0, 3).map(({ taskId }) => taskId)).toEqual(ids);
  });

  test("a step is idle by the tenant's clock", async () => {
    const at = { kind: "output_generation", status: "running" } as const;
    const [slow, fast] = [await api.givenTenant("demo"), await api.givenTenant("demo")];
    for (const one of [slow, fast]) await givenClock(api.database, one.id, { at: day(0) });
    const tasks = await Promise.all([slow, fast].map((one) => api.givenTask({ tenant: one, at })));
    await givenClock(api.database, fast.id, { at: day(1) });
    await api.sweep();
    const attention = await Promise.all(
      [slow, fast].map(async (one, n) => {
        const answer = await api.call<TaskView>("GET", `/tasks/${tasks[n]?.id}`, { tenant: one });
        return expectDone(answer).attention;
      }),
    );
    expect(attention).toEqual([[], ["idle"]]);
  });

  test("histories verify, and all invariants hold", async () => {
    for (const id of ids) {
      const { valid } = await get<{ valid: boolean }>(`/tasks/${id}/events/verify`);
      expect(valid).toBe(true);
    }
    await api.database.transaction("owner", importedState(tenant.id));
    await expectInvariantsHold(api.database);
  });
});
