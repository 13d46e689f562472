import { beforeAll, describe, expect, inject, it } from "vitest";
import { pumpWebhooks } from "../../src/actions/webhooks/pump-webhooks.ts";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import { openDatabase, type TenantDatabase } from "../../src/db/connection/client.ts";
import { DatabaseUnavailable } from "../../src/db/connection/faults.ts";
import type { RecordedEvent } from "../../src/domain/lifecycle/fold.ts";
import { fold } from "../../src/domain/lifecycle/fold.ts";
import { STEP_KINDS } from "../../src/domain/lifecycle/statuses.ts";
import { allowedNext } from "../../src/domain/lifecycle/transitions.ts";
import { attentionOf } from "../../src/domain/status/attention.ts";
import { factsOf, resolve } from "../../src/domain/status/resolve.ts";
import { WEBHOOK_DATA } from "../../src/domain/webhooks/data.ts";
import { TASK_EVENTS, type TaskEvent } from "../../src/domain/webhooks/events.ts";
import { readPendingEvents, recordDeliveries } from "../../src/db/webhooks/webhook-pump.ts";
import { freshApi, type TestApi } from "../support/api.ts";
import { readEvents } from "../support/model/history.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { openTransaction, untilBlocked } from "../support/model/locks.ts";
import { silenceLog } from "../support/model/quiet.ts";
import { untilSettled } from "../support/settled.ts";

const { seed } = inject("stack");
silenceLog();

const WRITERS = 12;
const CALLS_EACH = 14;
/** Tasks that all writers share. Each also has its own. */
const SHARED = 4;
const PUMPS = 4;

let api: TestApi;
let database: TenantDatabase;
beforeAll(async () => {
  api = await freshApi();
  database = forTenant();
});

const forTenant = (): TenantDatabase =>
  openDatabase({
    databaseUrl: api.database.databaseUrl,
    fetchEndpoint: api.database.fetchEndpoint,
  }).forTenant(api.tenant.id);

describe("concurrent pumps that break anywhere, during writes some of which commit late", () => {
  it(
    `send each webhook every change once, as its history records it (replay with SEED=${seed})`,
    { timeout: 120_000 },
    async () => {
      await putWebhook("all", [...TASK_EVENTS]);
      await putWebhook("labels", ["task.label_changed"]);
      await putWebhook("disabled", [...TASK_EVENTS], { enabled: false });
      await putWebhook("deaf", ["bulk.finished"]);
      const shared = await api.givenTasks(SHARED);
      const own = await api.givenTasks(WRITERS);
      const tasks = [...shared, ...own];
      let isOver = false;
      const isDone = () => isOver;

      const pumping = Array.from({ length: PUMPS }, () => pump(isDone));
      const breaking = breakPumps(isDone, chanceFrom(seed));
      const holding = [...shared, ...own.slice(0, 3)].map((task) => holdBack(task, isDone));
      const writing = own.map((task, index) => write([task, ...shared], chanceFrom(seed + index)));
      const late = putLate();
      await Promise.all(writing).finally(() => (isOver = true));
      await Promise.all([...pumping, breaking, ...holding]);
      await api.database.clearFaults();
      const { before, after } = await late;

      // A pump that breaks off leaves the rest to the next one.
      await untilSettled(api.database);
      expect(await pumpWebhooks(database)).toBe("caught_up");
      const wanted = await changesOf(tasks);
      expect(await deliveredTo("all")).toEqual(wanted.map(({ message }) => message));
      expect(await deliveredTo("labels")).toEqual(
        wanted.flatMap(({ event, message }) => (event === "task.label_changed" ? [message] : [])),
      );
      expect(await deliveredTo("disabled")).toEqual([]);
      expect(await deliveredTo("deaf")).toEqual([]);

      const deliveredLate = new Set(await deliveredTo("late"));
      for (const { source, message } of wanted) {
        if (before.has(source)) expect(deliveredLate, message).not.toContain(message);
        if (!after.has(source)) expect(deliveredLate, message).toContain(message);
      }
      expect(deliveredLate.size).toBe((await deliveredTo("late")).length);
      expect(wanted.map(({ message }) => message)).toEqual(
        expect.arrayContaining([...deliveredLate]),
      );

      await expectInvariantsHold(api.database);
      // Without these the test would prove little.
      expect(await lateEvents()).toBeGreaterThan(0);
      expect(before.size).toBeGreaterThan(0);
      expect(deliveredLate.size).toBeGreaterThan(0);
    },
  );

  it("deliver nothing that is not settled, and everything once it is", async () => {
    await putWebhook("all", [...TASK_EVENTS]);
    const [task = ""] = await api.givenTasks(1);
    await untilSettled(api.database);
    expect(await pumpWebhooks(database)).toBe("caught_up");
    const earlier = await deliveredTo("all");
    const older = await holdTransaction();
    await block(task);
    expect(await pumpWebhooks(database)).toBe("unsettled");
    expect(await deliveredTo("all")).toEqual(earlier);
    await older.end();
    await untilSettled(api.database);
    expect(await pumpWebhooks(database)).toBe("caught_up");
    expect((await deliveredTo("all")).length).toBe(earlier.length + 1);
  });

  it("deliver to a webhook nothing from before its creation, not even what was unsettled then", async () => {
    const [known = "", other = ""] = await api.givenTasks(2);
    const older = await holdTransaction();
    await block(known);
    await putWebhook("new", [...TASK_EVENTS]);
    await putWebhook("all", [...TASK_EVENTS], { enabled: false });
    await putWebhook("all", [...TASK_EVENTS]);
    const earlier = await deliveredTo("all");
    await block(other);
    await older.end();
    await untilSettled(api.database);
    expect(await pumpWebhooks(database)).toBe("caught_up");
    expect(await deliveredTo("new")).toEqual([expect.stringContaining(other)]);
    expect((await deliveredTo("all")).length, "enabled again").toBe(earlier.length + 1);
  });

  it("read many changes page by page, and stop at the limit of one piece of work", async () => {
    await putWebhook("all", [...TASK_EVENTS]);
    const many = 3;
    for (let count = 0; count < many; count += 1) await api.givenTasks(500);
    await untilSettled(api.database);
    await api.database.resetRoundTrips();
    expect(await pumpWebhooks(database)).toBe("caught_up");
    expect(await api.database.roundTrips()).toBeGreaterThan(2 * many - 1);
    await expectInvariantsHold(api.database);
  });
});

describe("Pumps that have read the same changes", () => {
  /** What a pump has read: one change, and the webhooks that have not got it. */
  async function givenRead() {
    await putWebhook("all", [...TASK_EVENTS]);
    await untilSettled(api.database);
    await pumpWebhooks(database);
    const [task = ""] = await api.givenTasks(1);
    await untilSettled(api.database);
    const { listeners, events } = await readPendingEvents(database);
    const [last = expect.fail("no event")] = events;
    const { txid, feedId } = last;
    const message = {
      txid,
      feedId,
      event: "task.label_changed" as const,
      source: `${task}/1`,
      data: "{}",
      occurredAt: new Date().toISOString(),
    };
    const sent = () =>
      api.database.query(
        "owner",
        "select webhook_name from webhook_deliveries where source = $1 and event = $2 order by 1",
        [message.source, message.event],
      );
    return { listeners, upTo: last, messages: [message], sent };
  }

  it("deliver them once, one after the other", async () => {
    const { sent, ...read } = await givenRead();
    expect(await recordDeliveries(database, read)).toBe(true);
    const first = await sent();
    expect(await recordDeliveries(database, read)).toBe(false);
    expect(await sent()).toEqual(first);
  });

  it("deliver them once if both wait for a webhook at the same moment", async () => {
    const { sent, ...read } = await givenRead();
    const holding = await openTransaction(api.database, [
      { text: "select from webhooks for update" },
    ]);
    const recording = [1, 2].map(() => recordDeliveries(forTenant(), read));
    await untilBlocked(api.database, recording.length);
    await holding.end();
    expect((await Promise.all(recording)).filter(Boolean)).toHaveLength(1);
    expect(await sent()).not.toEqual([]);
  });

  it("deliver nothing again to a webhook that is ahead of another one", async () => {
    await putWebhook("another", [...TASK_EVENTS]);
    const { sent, ...read } = await givenRead();
    const [ahead = expect.fail("no webhook")] = read.listeners;
    expect(await recordDeliveries(database, { ...read, listeners: [ahead] })).toBe(true);
    // With one more change, both go on to the same position.
    await api.givenTasks(1);
    await untilSettled(api.database);
    expect(await pumpWebhooks(database)).toBe("caught_up");
    expect(await sent()).toHaveLength(read.listeners.length);
  });

  it("move no webhook back, and none that was disabled after it was read", async () => {
    const { sent, ...read } = await givenRead();
    const [first = expect.fail("no webhook")] = read.listeners;
    const before = await sent();
    const back = { ...read, upTo: { txid: first.txid, feedId: first.feedId } };
    expect(await recordDeliveries(database, back)).toBe(false);
    await api.database.query("owner", "update webhooks set enabled = false");
    expect(await recordDeliveries(database, read)).toBe(false);
    await api.database.query("owner", "update webhooks set enabled = true");
    expect(await sent()).toEqual(before);
  });
});

async function putWebhook(name: string, events: string[], more: object = {}): Promise<void> {
  const body = { url: "https://hooks.example.com", events, ...more };
  expect((await api.call("PUT", `/webhooks/${name}`, { body })).status).toBeLessThan(300);
}

/** Creates a webhook during the writes. Returns the events that existed before and after. */
async function putLate(): Promise<{ before: Set<string>; after: Set<string> }> {
  const count = async () => (await sources()).size;
  await expect.poll(count, { interval: 20, timeout: 30_000 }).toBeGreaterThan(40);
  const before = await sources();
  await putWebhook("late", [...TASK_EVENTS]);
  return { before, after: await sources() };
}

async function sources(): Promise<Set<string>> {
  const rows = await api.database.query(
    "superuser",
    "select concat_ws('/', task_id, seq) as source from step_events",
  );
  return new Set(rows.map(({ source }) => source ?? ""));
}

/** Pumps repeatedly, as queue messages would, and retries after each break. */
async function pump(isDone: () => boolean): Promise<void> {
  const tenant = forTenant();
  while (!isDone()) {
    try {
      await pumpWebhooks(tenant);
    } catch (error) {
      if (!(error instanceof DatabaseUnavailable)) throw error;
    }
  }
}

/** Cuts off the pumps' statements before or after their commit, sometimes for more attempts than they make. */
async function breakPumps(isDone: () => boolean, chance: () => number): Promise<void> {
  while (!isDone()) {
    const kind = chance() < 0.5 ? "cut-before-commit" : "cut-after-commit";
    const times = 1 + Math.floor(chance() * 24);
    await api.database.faults({ kind, times, sql: "from listener l join webhooks" });
    // The pumps stop when the writes are done, and can leave faults that no statement meets any more.
    await expect
      .poll(async () => isDone() || (await api.database.waitingFaults()) === 0, { interval: 20 })
      .toBe(true);
  }
}

/**
 * Locks a task again and again. A writer that waits for the lock already has its transaction id, and so commits late.
 */
async function holdBack(task: string, isDone: () => boolean): Promise<void> {
  while (!isDone()) {
    await api.database.transaction("superuser", [
      { text: "select from tasks where id = $1 for no key update", values: [task] },
      { text: "select pg_sleep(0.12)" },
    ]);
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
}

/** Opens a transaction with an id, which stays open until `end`. */
async function holdTransaction(): Promise<{ end: () => Promise<void> }> {
  await api.database.transaction("superuser", [
    { text: "drop table if exists may_end" },
    { text: "create table may_end ()" },
  ]);
  const held = api.database.transaction("superuser", [
    { text: "set local statement_timeout = '10s'" },
    { text: "select pg_current_xact_id()" },
    {
      text: `do $$ begin
        while not exists (select from may_end) loop perform pg_sleep(0.02); end loop;
      end $$`,
    },
  ]);
  const holding = `select from pg_stat_activity
    where datname = current_database() and query like 'do $$%may_end%' and backend_xid is not null`;
  await expect
    .poll(() => api.database.query("superuser", holding), { interval: 20 })
    .toHaveLength(1);
  return {
    end: async () => {
      await api.database.query("superuser", "insert into may_end default values");
      await held;
    },
  };
}

const block = (task: string) =>
  api.call<TaskView>("GET", `/tasks/${task}`).then(({ body }) =>
    api.call("PATCH", `/steps/${body.currentStep.id}/gate`, {
      body: { gate: "blocked", reason: "Waiting" },
    }),
  );

/** Changes these tasks in turn. Refusals and lost races are ignored, because they write no event. */
async function write(tasks: readonly string[], chance: () => number): Promise<void> {
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(chance() * items.length)];
  for (let count = 0; count < CALLS_EACH; count += 1) {
    const id = tasks[count % tasks.length] ?? "";
    const { body: task } = await api.call<TaskView>("GET", `/tasks/${id}`);
    const { kind, status, id: stepId } = task.currentStep;
    const [method, path, body] = pick<[string, string, object]>([
      ["PATCH", `/steps/${stepId}`, { status: pick(allowedNext(kind, status)) ?? "queued" }],
      ["PATCH", `/steps/${stepId}`, { status: pick(allowedNext(kind, status)) ?? "queued" }],
      ["POST", `/tasks/${id}/advance`, {}],
      [
        "PATCH",
        `/steps/${stepId}/gate`,
        { gate: pick(["waived", "blocked", "errored"]), reason: "At random" },
      ],
      ["POST", `/tasks/${id}/rework`, { toKind: pick(STEP_KINDS) }],
      ["POST", `/tasks/${id}/notes`, { text: "A note" }],
      ["POST", `/tasks/${id}/reviews`, { kind: "expert", outcome: pick(["passed", "failed"]) }],
      ["POST", `/tasks/${id}/versions`, { content: {}, firstKind: "pre_qa" }],
    ]) ?? ["", "", {}];
    const isPlain = path.endsWith("notes") || path.endsWith("reviews");
    const sent = isPlain
      ? body
      : {
          ...body,
          reason: "At random",
          ...(path.endsWith("/gate") ? {} : { runAttachedWorkflows: false }),
        };
    const { status: code, text } = await api.call(method, path, { body: sent });
    expect([200, 201, 409, 503], `${method} ${path}: ${text}`).toContain(code);
  }
}

/** A change that must be delivered, in the form of its row. */
interface Wanted {
  event: TaskEvent;
  source: string;
  message: string;
}

/** The changes that must be delivered, computed by folding each prefix of each history. */
async function changesOf(tasks: readonly string[]): Promise<Wanted[]> {
  const wanted: Wanted[] = [];
  for (const taskId of tasks) {
    const events = await readEvents(api, taskId);
    const recorded = events.map(({ from, to, ...event }): RecordedEvent => {
      return { ...event, fromStatus: from, toStatus: to };
    });
    events.forEach(({ seq, at, bulkOperationId }, index) => {
      const [before, now] = [index, index + 1].map((length) =>
        length === 0 ? null : fold(recorded.slice(0, length)),
      );
      if (!now) return;
      const about = { taskId, externalId: now.externalId, eventSeq: seq, at };
      const source = `${taskId}/${seq}`;
      const tell = (event: TaskEvent, data: object) => {
        wanted.push({
          event,
          source,
          message: `${event} ${source} ${JSON.stringify(sorted(data))}`,
        });
      };
      const [from, to] = [before ? resolve(factsOf(before)) : null, resolve(factsOf(now))];
      if (from !== to) {
        tell("task.label_changed", { ...about, title: now.title, from, to, bulkOperationId });
      }
      const [known, attention] = [
        before ? attentionOf(factsOf(before)) : [],
        attentionOf(factsOf(now)),
      ];
      const added = attention.filter((code) => !known.includes(code));
      const removed = known.filter((code) => !attention.includes(code));
      if (added.length + removed.length > 0) {
        tell("task.attention", { ...about, added, removed, attention });
      }
    });
  }
  return wanted.toSorted((one, other) => (one.message < other.message ? -1 : 1));
}

/** The messages that were delivered to a webhook, one line each. */
async function deliveredTo(name: string): Promise<string[]> {
  const rows = await api.database.query(
    "superuser",
    `select event, source, data from webhook_deliveries where webhook_name = $1`,
    [name],
  );
  return rows
    .map(({ event, source, data }) => {
      const type = TASK_EVENTS.find((known) => known === event) ?? expect.fail(`${event}`);
      const parsed = WEBHOOK_DATA[type].parse(JSON.parse(data ?? ""));
      return `${event} ${source} ${JSON.stringify(sorted(parsed))}`;
    })
    .toSorted((one, other) => (one < other ? -1 : 1));
}

/** The same with sorted members. */
const sorted = (data: object) =>
  Object.fromEntries(Object.entries(data).toSorted(([one], [other]) => (one < other ? -1 : 1)));

/** Counts events of transactions that began before the transaction of an older event. */
async function lateEvents(): Promise<number> {
  const [row] = await api.database.query(
    "superuser",
    `select count(*) from step_events late where exists (
      select from step_events e where e.txid > late.txid and e.at < late.at - interval '50 ms')`,
  );
  return Number(row?.["count"]);
}

/** Returns a generator of numbers from 0 to 1 that the seed reproduces (mulberry32). */
function chanceFrom(from: number): () => number {
  let state = from | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
