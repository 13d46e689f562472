import { beforeAll, describe, expect, it } from "vitest";
import type { StepEventView } from "../../src/actions/views/event-view.ts";
import { expectDone, freshApi, type TestApi } from "../support/api.ts";
import { openStream } from "../support/event-stream.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const WRITERS = 32;
const NOTES_EACH = 6;
/** Tasks that all writers share. Each also has its own. */
const SHARED = 4;

/** What identifies an event. */
type Seen = Pick<StepEventView, "taskId" | "seq">;

describe("a reader of the feed during writes by 32 clients, some of which commit late", () => {
  it("sees every event once and each task's events in order, in pages and in a stream that disconnects", async () => {
    const shared = await api.givenTasks(SHARED);
    const own = await api.givenTasks(WRITERS);
    let isOver = false;
    const isDone = () => isOver;

    const reading = [readPages(isDone), readStream(isDone)];
    const holding = [...shared, ...own.slice(0, 4)].map((task) => holdBack(task, isDone));
    const writing = own.map((task, index) => write([task, shared[index % SHARED] ?? task]));
    await Promise.all(writing).finally(() => (isOver = true));
    await Promise.all(holding);

    const written = await writtenEvents();
    expect(written).toHaveLength(SHARED + WRITERS + WRITERS * NOTES_EACH);
    for (const seen of await Promise.all(reading)) {
      expect(inOrder(seen)).toEqual(written);
      expect(tasksOutOfOrder(seen)).toEqual([]);
    }
    // Without such pairs the test would prove nothing.
    expect(await lateEvents()).toBeGreaterThan(0);
  });

  it("waits for a writer that has not committed, and then shows everything that came after it", async () => {
    const [held = "", free = ""] = await api.givenTasks(2);
    await readPages(() => true);
    const start = expectDone(await api.call<FeedPage>("GET", "/events?after=now")).nextCursor;
    const late = await writeAndHold(held);
    await note(free);

    const early = await api.call<FeedPage>("GET", `/events?after=${start}`);
    expect(expectDone(early)).toMatchObject({ data: [], caughtUp: false });
    await late.commit();
    const seen = await readPages(() => true, start);
    expect(seen).toEqual([
      { taskId: held, seq: 2 },
      { taskId: free, seq: 2 },
    ]);
  });
});

interface FeedPage {
  data: StepEventView[];
  nextCursor: string;
  caughtUp: boolean;
}

/** Reads pages until everything is written and read. */
async function readPages(isDone: () => boolean, start?: string): Promise<Seen[]> {
  const seen: Seen[] = [];
  for (let cursor = start; ;) {
    const wasDone = isDone();
    const after = cursor === undefined ? "" : `&after=${cursor}`;
    const answer = await api.call<FeedPage>("GET", `/events?limit=20&wait=1${after}`);
    const page = expectDone(answer);
    seen.push(...page.data.map(({ taskId, seq }) => ({ taskId, seq })));
    if (wasDone && page.caughtUp) return seen;
    cursor = page.nextCursor;
  }
}

const EVENTS_A_CONNECTION = 50;

/** Reads streams that break off after some events. Each resumes where the previous one stopped. */
async function readStream(isDone: () => boolean): Promise<Seen[]> {
  const seen: Seen[] = [];
  for (let lastId: string | undefined; ;) {
    const wasDone = isDone();
    const stream = await openStream(api, "?wait=2", lastId);
    let count = 0;
    while (count < EVENTS_A_CONNECTION) {
      const next = await stream.next();
      if (next === undefined) break;
      count += 1;
      lastId = next.id;
      seen.push({ taskId: next.event.taskId, seq: next.event.seq });
    }
    await stream.leave();
    if (wasDone && count === 0) return seen;
  }
}

/** Writes notes to these tasks in turn, and repeats those that fail. */
async function write(tasks: readonly string[]): Promise<void> {
  for (let count = 0; count < NOTES_EACH; count += 1) {
    await note(tasks[count % tasks.length] ?? "");
  }
}

/** Writes a note, which is an event. Sends it again if it met a lock or lost its races. */
async function note(task: string): Promise<void> {
  const idempotencyKey = crypto.randomUUID();
  for (;;) {
    const body = { text: "A note" };
    const answer = await api.call("POST", `/tasks/${task}/notes`, { body, idempotencyKey });
    if (answer.status === 201) return;
    expect(answer.body).toMatchObject({
      error: expect.stringMatching(/stale|in_progress|unavail/),
    });
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

/** Writes the next event of a task directly, in a transaction that stays open until `commit`. */
async function writeAndHold(task: string): Promise<{ commit: () => Promise<void> }> {
  await api.database.query("superuser", "create table may_commit ()");
  const transaction = api.database.transaction("superuser", [
    { text: "set local session_replication_role = replica" },
    { text: "set local statement_timeout = '10s'" },
    {
      text: `insert into step_events
        select (jsonb_populate_record(e, jsonb_build_object('seq', 2, 'txid', pg_current_xact_id()::text,
          'feed_id', nextval('feed_id')))).* from step_events e where task_id = $1`,
      values: [task],
    },
    {
      text: `do $$ begin
        while not exists (select from may_commit) loop perform pg_sleep(0.02); end loop;
      end $$`,
    },
  ]);
  await expect
    .poll(() => api.database.query("superuser", HOLDING), { interval: 20 })
    .toHaveLength(1);
  return {
    commit: async () => {
      await api.database.query("superuser", "insert into may_commit default values");
      await transaction;
    },
  };
}

const HOLDING = `select from pg_stat_activity
  where datname = current_database() and query like 'do $$%may_commit%' and backend_xid is not null`;

/** All events in the table. */
async function writtenEvents(): Promise<Seen[]> {
  const rows = await api.database.query("superuser", "select task_id, seq from step_events");
  return inOrder(rows.map(({ task_id, seq }) => ({ taskId: task_id ?? "", seq: Number(seq) })));
}

/** Counts events of transactions that began before the transaction of an older event. */
async function lateEvents(): Promise<number> {
  const [row] = await api.database.query(
    "superuser",
    `select count(*) from step_events late where exists (
      select from step_events e where e.txid > late.txid and e.at < late.at - interval '50 ms')`,
  );
  return Number(row?.["count"]);
}

function inOrder(events: readonly Seen[]): Seen[] {
  return events.toSorted(
    (one, other) => one.taskId.localeCompare(other.taskId) || one.seq - other.seq,
  );
}

/** The tasks whose events were not seen in order of seq. */
function tasksOutOfOrder(seen: readonly Seen[]): string[] {
  const byTask = Map.groupBy(seen, ({ taskId }) => taskId);
  return [...byTask].flatMap(([taskId, events]) =>
    events.every(({ seq }, index) => seq === index + 1) ? [] : [taskId],
  );
}
