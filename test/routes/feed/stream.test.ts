import { beforeAll, describe, expect, it } from "vitest";
import type { StepEventView } from "../../../src/actions/views/event-view.ts";
import { expectDone, freshApi, type TestApi } from "../../support/api.ts";
import { type OpenedStream, openStream, type StreamedEvent } from "../../support/event-stream.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

describe("the stream of the feed", () => {
  it("sends what the feed holds, is never kept by anybody on the way, and ends when its time is up", async () => {
    const task = await api.givenTask();
    await untilSettled();
    const stream = await openStream(api, "?wait=0");
    expect(stream.response.headers.get("content-type")).toBe("text/event-stream");
    expect(stream.response.headers.get("cache-control")).toBe("no-store");
    const sent = await rest(stream);
    const feed = await api.call<{ data: StepEventView[] }>("GET", "/events?limit=200");
    expect(sent.map(({ event }) => event)).toEqual(expectDone(feed).data);
    expect(sent.at(-1)?.event.taskId).toBe(task.id);
  });

  it("sends what happens while it is open", async () => {
    const stream = await openStream(api, "?after=now&wait=30");
    const next = stream.next();
    const task = await api.givenTask();
    expect(await next).toMatchObject({ event: { taskId: task.id, seq: 1 } });
    await stream.leave();
  });

  it("goes on behind any event that a reader saw last, whatever the address says", async () => {
    await api.givenTasks(3);
    await untilSettled();
    const all = await rest(await openStream(api, "?wait=0"));
    expect(all.length).toBeGreaterThanOrEqual(4);
    for (const [index, { id }] of all.entries()) {
      const resumed = await rest(await openStream(api, "?wait=0&after=now", id));
      expect(resumed).toEqual(all.slice(index + 1));
    }
  });

  it("tells a reader to whom nothing was sent where to go on", async () => {
    await untilSettled();
    const stream = await openStream(api, "?after=now&wait=0");
    expect(await rest(stream)).toEqual([]);
    const task = await api.givenTask();
    await untilSettled();
    const resumed = await rest(await openStream(api, "?after=now&wait=0", stream.lastId()));
    expect(resumed).toMatchObject([{ event: { taskId: task.id } }]);
  });

  it("takes the cursors of pages, and pages take its own", async () => {
    await untilSettled();
    const page = expectDone(await api.call<{ nextCursor: string }>("GET", "/events?limit=2"));
    const all = await rest(await openStream(api, "?wait=0"));
    const behind = await rest(await openStream(api, `?wait=0&after=${page.nextCursor}`));
    expect(behind).toEqual(all.slice(2));
    const one = await api.call<{ data: StepEventView[] }>("GET", `/events?after=${all[0]?.id}`);
    expect(expectDone(one).data).toEqual(all.slice(1).map(({ event }) => event));
  });

  it("sends nothing of another tenant", async () => {
    await untilSettled();
    const theirs = await openStream({ ...api, tenant: api.otherTenant }, "?wait=0");
    expect(await rest(theirs)).toEqual([]);
  });

  it("stops looking when its reader has gone", async () => {
    const stream = await openStream(api, "?after=now&wait=300");
    void stream.next().catch(() => undefined);
    await looks(1);
    await stream.leave();
    const before = await api.database.roundTrips();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect((await api.database.roundTrips()) - before).toBeLessThanOrEqual(1);
  });
});

async function rest(stream: OpenedStream): Promise<StreamedEvent[]> {
  const events: StreamedEvent[] = [];
  for (let next = await stream.next(); next !== undefined; next = await stream.next()) {
    events.push(next);
  }
  return events;
}

/** What other test files are writing may hold the reader back for a while. */
async function untilSettled(): Promise<void> {
  await expect
    .poll(async () => {
      const page = await api.call<{ caughtUp: boolean }>("GET", "/events?limit=200");
      return expectDone(page).caughtUp;
    })
    .toBe(true);
}

/** Waits until the database was looked at so often. */
async function looks(count: number): Promise<void> {
  await api.database.resetRoundTrips();
  await expect.poll(() => api.database.roundTrips()).toBeGreaterThanOrEqual(count);
}
