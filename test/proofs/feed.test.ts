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
/** Tasks that all writers meet at, beside one of their own. */
const SHARED = 4;

/** What a reader tells of an event: enough to know it by. */
type Seen = Pick<StepEventView, "taskId" | "seq">;

describe("a reader beside 32 writers, some of which commit late", () => {
  it("sees every event once and each task's in order, in pages and in a stream that breaks", async () => {
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
    // Without such pairs this would have proven nothing.
    expect(await lateEvents()).toBeGreaterThan(0);
  });

  it("waits for one that has written and not committed, and then shows all that came after", async () => {
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

/** Reads on in pages until all is written and read. */
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

/** Reads on in streams that break after some events, each begun where the one before broke off. */
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

/** Writes notes to these tasks in turn, whatever stands in the way. */
async function write(tasks: readonly string[]): Promise<void> {
  for (let count = 0; count < NOTES_EACH; count += 1) {
    await note(tasks[count % tasks.length] ?? "");
  }
}

/** A note is an event; one that met a lock or lost its races is sent again. */
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

/** Locks a task again and again: who writes to it has its transaction's id by then, and commits late. */
async function holdBack(task: string, isDone: () => boolean): Promise<void> {
  while (!isDone()) {
    await api.database.transaction("superuser", [
      { text: "select from tasks where id = $1 for no key update", values: [task] },
      { text: "select pg_sleep(0.12)" },
    ]);
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
}

/** Writes the next event of a task from below, and commits only when it is told to. */
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

/** All events, as the table has them. */
async function writtenEvents(): Promise<Seen[]> {
  const rows = await api.database.query("superuser", "select task_id, seq from step_events");
  return inOrder(rows.map(({ task_id, seq }) => ({ taskId: task_id ?? "", seq: Number(seq) })));
}

/** How many events were written by a transaction that began before one whose event is older. */
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

/** The tasks whose events were not seen by seq. */
function tasksOutOfOrder(seen: readonly Seen[]): string[] {
  const byTask = Map.groupBy(seen, ({ taskId }) => taskId);
  return [...byTask].flatMap(([taskId, events]) =>
    events.every(({ seq }, index) => seq === index + 1) ? [] : [taskId],
  );
}
