import { beforeAll, describe, expect, it, test } from "vitest";
import type { SeedRunView } from "../../src/actions/views/seed-run-view.ts";
import { seedMix } from "../../src/domain/seed/mix.ts";
import { expectDone, expectProblem, freshApi, type Tenant, type TestApi } from "../support/api.ts";
import { contentsOf, countRows } from "../support/contents.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { ANCHOR, BEGIN, delayedQueue, seedRunsOf } from "../support/seed-runs.ts";

const queue = delayedQueue();
const webhooks = delayedQueue();
let api: TestApi;
beforeAll(async () => {
  api = await freshApi({ SEED_QUEUE: queue, WEBHOOK_QUEUE: webhooks });
});

/** A demo of its own, because a tenant tells one story at a time. */
async function givenDemo() {
  const tenant = await api.givenTenant("demo");
  queue.sent.length = 0;
  return { tenant, ...seedRunsOf(api, tenant) };
}

interface Time {
  time?: { simulated: boolean; now: string; speed: number };
}
const timeOf = async (tenant: Tenant) =>
  expectDone(await api.call<Time>("GET", "/me", { tenant })).time;

const message = ({ id: tenantId }: Tenant, runId: string, delaySeconds = 0) => ({
  body: { version: 1, tenantId, runId },
  delaySeconds,
});

describe("A seed run", () => {
  it("starts at the beginning of its story, with the clock, the people and the taxonomy", async () => {
    const { tenant, start, find } = await givenDemo();
    const answer = await start();
    const run = expectDone(answer, 201);
    expect(answer.headers.get("location")).toBe(`/v1/seed/runs/${run.id}`);
    expect(run).toMatchObject({
      state: "active",
      seed: 1,
      tasks: 6,
      days: 14,
      begin: BEGIN,
      anchor: "2026-11-30T12:00:00.000000Z",
      mix: seedMix.parse(undefined),
      speed: 0,
      clock: BEGIN,
      wantedUntil: BEGIN,
      progress: {
        share: 0,
        until: null,
        teams: { done: 0, total: 1 },
        actions: { applied: 0, refused: 0 },
      },
      nextActionAt: null,
    });
    expect(await find(run.id)).toEqual({
      ...run,
      counts: { created: 0, archived: 0, byUnifiedStatus: {} },
    });
    expect(await timeOf(tenant)).toEqual({ simulated: true, now: BEGIN, speed: 0 });
    const { people, taxonomy } = await countRows(api.database, tenant.id);
    expect(people).toBeGreaterThan(3);
    expect(taxonomy).toBe(170);
    expect(queue.sent).toEqual([]);
  });

  it("goes on in the background if it starts with a speed", async () => {
    const { tenant, start } = await givenDemo();
    const { id } = expectDone(await start({ speed: 60 }), 201);
    expect(queue.sent).toEqual([message(tenant, id)]);
  });

  it("ends now by default, after a quarter, with the shares that the caller names", async () => {
    const { start } = await givenDemo();
    const now = Date.now();
    const outcomes = { delivered: 0.75, rejected: 0.25 };
    const mix = { outcomes, rates: { held: 0 } };
    const run = expectDone(await start({ anchor: undefined, days: undefined, mix }), 201);
    expect(run.days).toBe(91);
    expect(Math.abs(Date.parse(run.anchor) - now)).toBeLessThan(60_000);
    expect(run.anchor).toMatch(/\.000000Z$/);
    expect(run.mix).toEqual(seedMix.parse(mix));
  });

  it("is started once under a key, whatever the first answer came to", async () => {
    const { tenant, start } = await givenDemo();
    const key = { idempotencyKey: "a-story" };
    const first = await start({ speed: 60 }, key);
    const rows = await countRows(api.database, tenant.id);
    const again = await start({ speed: 60 }, key);
    expect(again.body).toEqual(expectDone(first, 201));
    expect(again.headers.get("location")).toBe(first.headers.get("location"));
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(await countRows(api.database, tenant.id)).toEqual(rows);
    expectProblem(await start({ seed: 2 }, key), "idempotency_key_reused", 422);
  });

  it("is refused while another one is open, and if it would begin in the past of the clock", async () => {
    const { tenant, start, advance } = await givenDemo();
    const { id } = expectDone(await start(), 201);
    expect(expectProblem(await start({ seed: 2 }), "conflict", 409)).toMatchObject({
      existing: { id },
    });
    expectDone(await advance(id, { to: ANCHOR }));
    const before = await contentsOf(api.database);
    const { issues } = expectProblem(await start(), "validation_failed", 400) as unknown as {
      issues: object[];
    };
    expect(issues).toEqual([
      {
        path: ["anchor"],
        code: "too_early",
        message: expect.stringContaining("The earliest anchor is 2026-12-14T12:00:00.000Z."),
      },
    ]);
    const second = "2026-12-14T11:59:59.999Z";
    expectProblem(await start({ anchor: second }), "validation_failed", 400);
    expect(await contentsOf(api.database)).toEqual(before);
    const next = expectDone(await start({ anchor: "2026-12-14T12:00:00.999Z" }), 201);
    expect(next.begin).toBe("2026-11-30T12:00:00.000000Z");
    expect((await timeOf(tenant))?.now).toBe(next.begin);
  });

  it("begins where the clock is by default, to the second", async () => {
    const { tenant, start, remove } = await givenDemo();
    const { id } = expectDone(await start({ anchor: "2060-01-01T00:00:00Z", speed: 0 }), 201);
    expectDone(await remove(id));
    await api.database.query(
      "owner",
      "update simulated_clocks set at = at + interval '1 microsecond' where tenant_id = $1",
      [tenant.id],
    );
    const next = expectDone(await start({ anchor: undefined }), 201);
    expect(next.anchor).toBe("2060-01-01T00:00:01.000000Z");
  });

  const INVALID: object[] = [
    { seed: -1 },
    { seed: 2_147_483_648 },
    { seed: 1.5 },
    { tasks: 0 },
    { tasks: 20_001 },
    { days: 13 },
    { days: 367 },
    { anchor: "1999-12-31T23:59:59Z" },
    { anchor: "2100-01-01T00:00:00Z" },
    { anchor: "2026-11-30" },
    { speed: -1 },
    { speed: 604_801 },
    { mix: { outcomes: { delivered: 0.5 } } },
    { mix: { rates: { held: 1.1 } } },
    { mix: { luck: 1 } },
  ];
  it.each(INVALID)("does not start with %j", async (body) => {
    const tenant = await api.demoTenant();
    const before = await contentsOf(api.database);
    const answer = await seedRunsOf(api, tenant).start(body);
    expectProblem(answer, "validation_failed", 400);
    expect(await contentsOf(api.database)).toEqual(before);
  });

  it("advances to a time or by some seconds, to its end at most, and shows how far it is", async () => {
    const { tenant, start, advance, find } = await givenDemo();
    const { id } = expectDone(await start(), 201);
    const half = expectDone(await advance(id, { to: "2026-11-23T14:00:00+02:00" }));
    expect(half).toMatchObject({
      state: "active",
      clock: "2026-11-23T12:00:00.000000Z",
      wantedUntil: "2026-11-23T12:00:00.000000Z",
      progress: { share: 0.5, until: null, actions: { refused: 0 } },
    });
    const { nextActionAt } = half;
    expect(Date.parse(nextActionAt ?? "")).toBeGreaterThan(Date.parse(half.clock));
    expect((await timeOf(tenant))?.now).toBe(half.clock);

    const before = expectDone(await advance(id, { by: 3600 }));
    expect(before.clock).toBe("2026-11-23T13:00:00.000000Z");
    const again = expectDone(await advance(id, { to: before.clock }));
    expect(again.progress).toEqual(before.progress);
    const all = expectDone(await advance(id, { to: "2030-01-01T00:00:00Z" }));
    expect(all).toMatchObject({
      state: "ended",
      clock: all.anchor,
      progress: { share: 1, actions: { refused: 0 } },
      nextActionAt: null,
    });
    expect(await timeOf(tenant)).toEqual({ simulated: true, now: all.anchor, speed: 0 });
    const { counts, ...run } = await find(id);
    expect(run).toEqual(all);
    const labels = Object.values(counts.byUnifiedStatus);
    expect(counts).toMatchObject({ created: 6, archived: 0 });
    expect(labels.reduce((sum, tasks) => sum + tasks, 0)).toBe(6);
    expect(queue.sent).toEqual([]);
    await expectInvariantsHold(api.database);
  });

  it("tells webhooks what happens, like any call", async () => {
    const { tenant, start, advance } = await givenDemo();
    const body = { url: "https://hooks.example.com/stepledger", events: ["task.label_changed"] };
    expectDone(await api.call("PUT", "/webhooks/hook", { tenant, body }), 201);
    const { id } = expectDone(await start(), 201);
    webhooks.sent.length = 0;
    expectDone(await advance(id, { to: ANCHOR }));
    expect(webhooks.sent.map((one) => one.body)).toEqual([{ version: 1, tenantId: tenant.id }]);
  });

  it("advances once under a key", async () => {
    const { start, advance } = await givenDemo();
    const { id } = expectDone(await start(), 201);
    const key = { idempotencyKey: "an-hour" };
    const first = await advance(id, { by: 3600 }, key);
    const again = await advance(id, { by: 3600 }, key);
    expect(again.body).toEqual(expectDone(first));
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(expectDone(await advance(id, { by: 3600 })).clock).toBe("2026-11-16T14:00:00.000000Z");
  });

  it("takes another speed from now on, and stands still with 0", async () => {
    const { tenant, start, advance, find } = await givenDemo();
    const { id } = expectDone(await start(), 201);
    const running = expectDone(await advance(id, { speed: 60 }));
    expect(running.speed).toBe(60);
    expect((await timeOf(tenant))?.speed).toBe(60);
    const [sent, ...more] = queue.sent.splice(0);
    expect([sent?.body, ...more]).toEqual([message(tenant, id).body]);
    expect(sent?.delaySeconds).toBeGreaterThanOrEqual(5);
    expect(sent?.delaySeconds).toBeLessThanOrEqual(600);

    // Ten minutes pass before the tick is due. They count, and none after the pause.
    await api.database.query(
      "owner",
      `update seed_runs set ticked_at = now() - interval '10 minutes', tick_due_at = now() + interval '1 minute'
      where id = $1`,
      [id],
    );
    const paused = expectDone(await advance(id, { speed: 0 }));
    const told = (Date.parse(paused.clock) - Date.parse(running.clock)) / 1000;
    expect(told).toBeGreaterThanOrEqual(36_000);
    expect(told).toBeLessThan(36_000 + 60 * 60);
    expect(await timeOf(tenant)).toMatchObject({ speed: 0, now: paused.clock });
    expect(queue.sent).toEqual([]);
    await api.consume("stepledger-seed", [message(tenant, id).body]);
    expect((await find(id)).clock).toBe(paused.clock);
    expect(queue.sent).toEqual([]);
  });

  it.each([
    {},
    { to: ANCHOR, by: 60 },
    { by: 0 },
    { by: 366 * 86_400 + 1 },
    { speed: -1 },
    { to: "2026-11-30" },
  ])("does not advance with %j", async (body) => {
    const { advance } = seedRunsOf(api, await api.demoTenant());
    expectProblem(await advance(crypto.randomUUID(), body), "validation_failed", 400);
  });

  it("never goes back, and goes no further when it is over", async () => {
    const { start, advance, remove, find } = await givenDemo();
    const { id } = expectDone(await start(), 201);
    expectDone(await advance(id, { by: 3600 }));
    const early = await advance(id, { to: BEGIN });
    expect(expectProblem(early, "validation_failed", 400)).toMatchObject({
      issues: [{ path: ["to"], code: "too_early" }],
    });
    expectDone(await advance(id, { to: ANCHOR }));
    expectProblem(await advance(id, { by: 1 }), "conflict", 409);
    expectDone(await remove(id));
    expectProblem(await advance(id, { by: 1 }), "conflict", 409);
    expect((await find(id)).state).toBe("deleted");
  });

  it("goes on in the background if other work on it is in progress", async () => {
    const { start, advance, remove } = await givenDemo();
    const { id } = expectDone(await start(), 201);
    await api.database.query(
      "owner",
      "update seed_runs set lease_holder = gen_random_uuid(), lease_until = now() + interval '1 minute' where id = $1",
      [id],
    );
    const answer = await advance(id, { by: 3600 });
    const waiting = expectDone(answer, 202);
    expect(answer.headers.get("retry-after")).toBe("5");
    expect(waiting).toMatchObject({
      clock: BEGIN,
      wantedUntil: "2026-11-16T13:00:00.000000Z",
    });
    expect(expectDone(await remove(id), 202).state).toBe("deleting");
    // The sweep finds what the other work leaves.
    expect(queue.sent).toEqual([]);
  });

  it("archives its tasks when it is deleted, and leaves their history as it is", async () => {
    const { tenant, start, advance, remove, find } = await givenDemo();
    const { id } = expectDone(await start({ speed: 60 }), 201);
    expectDone(await advance(id, { to: "2026-11-27T12:00:00Z" }));
    const events = "select seq, hash from step_events where tenant_id = $1";
    const before = await api.database.query("owner", events, [tenant.id]);
    queue.sent.length = 0;
    const deleted = expectDone(await remove(id));
    expect(deleted).toMatchObject({ state: "deleted", speed: 0, nextActionAt: null });
    expect((await timeOf(tenant))?.speed).toBe(0);
    const { counts } = await find(id);
    expect(counts.created).toBeGreaterThan(0);
    expect(counts).toEqual({ ...counts, archived: counts.created, byUnifiedStatus: {} });
    const after = await api.database.query("owner", events, [tenant.id]);
    expect(after).toEqual(expect.arrayContaining(before));
    expect(after).toHaveLength(before.length + counts.created);
    expect(expectDone(await remove(id))).toEqual(deleted);
    expect(queue.sent).toEqual([]);
    await expectInvariantsHold(api.database);
  });

  it("is deleted after its end only while no other is open", async () => {
    const { start, advance, remove } = await givenDemo();
    const { id } = expectDone(await start(), 201);
    expectDone(await advance(id, { to: ANCHOR }));
    const { id: next } = expectDone(await start({ anchor: undefined }), 201);
    expect(expectProblem(await remove(id), "conflict", 409)).toMatchObject({
      existing: { id: next },
    });
    expectDone(await remove(next));
    expect(expectDone(await remove(id)).state).toBe("deleted");
  });

  it("is listed, newest first, page by page", async () => {
    const { tenant, start, remove } = await givenDemo();
    const ids: string[] = [];
    for (let seed = 0; seed < 3; seed += 1) {
      const { id } = expectDone(await start({ seed }), 201);
      expectDone(await remove(id));
      ids.unshift(id);
    }
    const read = async (query: string) =>
      expectDone(
        await api.call<{ data: SeedRunView[]; nextCursor: string | null }>(
          "GET",
          `/seed/runs?${query}`,
          { tenant, as: "viewer" },
        ),
      );
    const first = await read("limit=2");
    const second = await read(`limit=2&cursor=${first.nextCursor}`);
    expect([...first.data, ...second.data].map(({ id }) => id)).toEqual(ids);
    expect(second.nextCursor).toBeNull();
  });

  it("of another tenant does not exist", async () => {
    const { start } = await givenDemo();
    const { id } = expectDone(await start(), 201);
    const { advance, remove, tenant } = await givenDemo();
    expectProblem(await advance(id, { by: 1 }), "not_found", 404);
    expectProblem(await remove(id), "not_found", 404);
    expectProblem(await api.call("GET", `/seed/runs/${id}`, { tenant }), "not_found", 404);
  });
});

test.each([
  ["POST", ""],
  ["GET", ""],
  ["GET", "/0199d2f5-0000-7000-8000-000000000007"],
  ["POST", "/0199d2f5-0000-7000-8000-000000000007/advance"],
  ["DELETE", "/0199d2f5-0000-7000-8000-000000000007"],
])(
  "In a customer's tenant, %s /seed/runs%s is refused, and nothing is written",
  async (...call) => {
    const [method, path] = call;
    const before = await contentsOf(api.database);
    const body = method === "POST" ? { body: { seed: 1, tasks: 6, days: 14, by: 60 } } : {};
    const answer = await api.call(method, `/seed/runs${path}`, body);
    expectProblem(answer, "not_a_demo", 403);
    expect(await contentsOf(api.database)).toEqual(before);
  },
);
