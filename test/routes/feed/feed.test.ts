import { beforeAll, describe, expect, it } from "vitest";
import type { Moved } from "../../../src/actions/moves/move-task.ts";
import type { EvalEventView, StepEventView } from "../../../src/actions/views/event-view.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";

interface FeedPage {
  data: (StepEventView | EvalEventView)[];
  nextCursor: string;
  caughtUp: boolean;
}

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const readPage = async (query = "", tenant = api.tenant) =>
  expectDone(await api.call<FeedPage>("GET", `/events${query}`, { as: "viewer", tenant }));

/** Reads to the end. Open transactions of other test files can delay the feed. */
async function readAll(after?: string, limit = 200) {
  const data: FeedPage["data"] = [];
  for (let cursor = after; ;) {
    const page = await readPage(`?limit=${limit}&wait=2${cursor ? `&after=${cursor}` : ""}`);
    data.push(...page.data);
    cursor = page.nextCursor;
    if (page.caughtUp) return { data, cursor };
  }
}

describe("The event feed", () => {
  it("has the events of all tasks of a tenant, each once across pages", async () => {
    const [one, other] = [await api.givenTask(), await api.givenTask()];
    await move(one.currentStep.id, "running");
    await move(other.currentStep.id, "failed");
    const { data } = await readAll(undefined, 1);
    const found = data.flatMap((event) =>
      [one.id, other.id].includes(event.taskId) ? [[event.taskId, event.seq]] : [],
    );
    expect(found).toEqual([
      [one.id, 1],
      [other.id, 1],
      [one.id, 2],
      [other.id, 2],
    ]);
    const whole = await readAll();
    expect(whole.data).toEqual(data);
    const events = await api.call<FeedPage>("GET", `/tasks/${one.id}/events`);
    expect(data.filter(({ taskId }) => taskId === one.id)).toEqual(expectDone(events).data);
  });

  it("always returns a cursor, from which the next call continues", async () => {
    const { cursor } = await readAll();
    const empty = await readPage(`?after=${cursor}`);
    expect(empty).toMatchObject({ data: [], caughtUp: true });
    const task = await api.givenTask();
    const { data } = await readAll(empty.nextCursor);
    expect(data).toMatchObject([{ stream: "task", taskId: task.id, seq: 1 }]);
  });

  it("returns an empty page with a cursor for a tenant without events", async () => {
    const page = await readPage("", api.otherTenant);
    expect(page).toMatchObject({ data: [], caughtUp: true });
    expect(await readPage(`?after=${page.nextCursor}`, api.otherTenant)).toMatchObject({
      data: [],
    });
  });

  it("can start with new events only", async () => {
    await api.givenTask();
    await readAll();
    const { data, nextCursor } = await readPage("?after=now");
    expect(data).toEqual([]);
    const task = await api.givenTask();
    const read = await readAll(nextCursor);
    expect(read.data.map(({ taskId }) => taskId)).toEqual([task.id]);
  });

  it("marks the events of tasks and evals by `stream`", async () => {
    const task = await api.givenTask();
    const body = { name: "accuracy", k: 2 };
    expectDone(await api.call("POST", `/tasks/${task.id}/evals`, { body }), 201);
    const { data } = await readAll();
    const of = data.filter(({ taskId }) => taskId === task.id);
    expect(of).toMatchObject([
      { stream: "task", type: "task_created" },
      { stream: "eval", type: "eval_created", from: null, to: "draft" },
    ]);
  });
});

describe("Waiting for an event", () => {
  it("returns as soon as there is one", async () => {
    const { cursor } = await readAll();
    const waiting = readPage(`?after=${cursor}&wait=30`);
    const task = await api.givenTask();
    const { data } = await waiting;
    expect(data).toMatchObject([{ taskId: task.id }]);
  });

  it("returns an empty page after the wait, with few reads of the database", async () => {
    const { cursor } = await readAll();
    await api.database.resetRoundTrips();
    const answer = await api.call<FeedPage>("GET", `/events?after=${cursor}&wait=1`);
    expect(expectDone(answer)).toMatchObject({ data: [], caughtUp: true });
    const reads = await api.database.roundTrips();
    expect(reads).toBeLessThanOrEqual(5);
    expect(answer.headers.get("server-timing")).toContain(`${reads} round trips`);
  });
});

describe("A feed cursor", () => {
  it("of another tenant, edited, or of another list is rejected", async () => {
    const { cursor } = await readAll();
    const path = `/events?after=${cursor}`;
    const theirs = await api.call("GET", path, { tenant: api.otherTenant });
    expectProblem(theirs, "invalid_cursor", 400);
    expectProblem(await api.call("GET", `${path}A`), "invalid_cursor", 400);
    await api.givenTask();
    await api.givenTask();
    const list = expectDone(await api.call<FeedPage>("GET", "/tasks?limit=1"));
    const foreign = await api.call("GET", `/events?after=${list.nextCursor}`);
    expectProblem(foreign, "invalid_cursor", 400);
  });

  it("of another database is rejected by pages and streams", async () => {
    const { cursor } = await readAll();
    const [{ source = "" } = {}] = await api.database.query(
      "superuser",
      "select pg_get_functiondef('feed_generation'::regproc) as source",
    );
    const elsewhere = (source ?? "").replace("concat_ws(", "concat_ws('elsewhere' || ");
    await api.database.query("superuser", elsewhere);
    for (const path of ["/events", "/events/stream"]) {
      const answer = await api.call("GET", `${path}?after=${cursor}&wait=0`);
      expectProblem(answer, "invalid_cursor", 400);
    }
    await api.database.query("superuser", source ?? "");
    expect(await readPage(`?after=${cursor}`)).toMatchObject({ data: [] });
  });
});

describe("A feed page", () => {
  it.each(["?limit=0", "?limit=201", "?wait=31", "?wait=-1", "?wait=1&wait=1", "?cursor=a"])(
    "with %s is rejected",
    async (query) => {
      expectProblem(await api.call("GET", `/events${query}`), "validation_failed", 400);
    },
  );

  it("of long events is short, with `caughtUp: false`", async () => {
    const { cursor } = await readAll();
    const task = await api.givenTask();
    const text = "long ".repeat(100_000);
    for (let count = 0; count < 6; count += 1) {
      const body = { title: `${count}`, externalId: `long-${count}` };
      expectDone(await api.call("PATCH", `/tasks/${task.id}`, { body }));
    }
    await lengthen(task.id, text);
    const page = await readPage(`?after=${cursor}&wait=5`);
    expect(page.caughtUp).toBe(false);
    expect(page.data.length).toBeLessThan(7);
    const { data } = await readAll(page.nextCursor);
    expect([...page.data, ...data].map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });
});

async function move(stepId: string, status: string): Promise<Moved> {
  return expectDone(await api.call<Moved>("PATCH", `/steps/${stepId}`, { body: { status } }));
}

/** Makes the payloads of a task's events longer than any route allows, directly in the database. */
async function lengthen(taskId: string, text: string): Promise<void> {
  await api.database.transaction("superuser", [
    { text: "set local session_replication_role = replica" },
    {
      text: "update step_events set payload = json_build_object('text', $2::text)::text where task_id = $1",
      values: [taskId, text],
    },
  ]);
}
