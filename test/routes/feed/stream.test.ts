import { beforeAll, describe, expect, it } from "vitest";
import type { StepEventView } from "../../../src/actions/views/event-view.ts";
import { expectDone, freshApi, type TestApi } from "../../support/api.ts";
import { type OpenedStream, openStream, type StreamedEvent } from "../../support/event-stream.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

describe("The event stream", () => {
  it("sends the events of the feed uncached, and ends after its wait", async () => {
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

  it("sends new events while it is open", async () => {
    const stream = await openStream(api, "?after=now&wait=30");
    const next = stream.next();
    const task = await api.givenTask();
    expect(await next).toMatchObject({ event: { taskId: task.id, seq: 1 } });
    await stream.leave();
  });

  it("continues after `Last-Event-ID`, which overrides `after`", async () => {
    await api.givenTasks(3);
    await untilSettled();
    const all = await rest(await openStream(api, "?wait=0"));
    expect(all.length).toBeGreaterThanOrEqual(4);
    for (const [index, { id }] of all.entries()) {
      const resumed = await rest(await openStream(api, "?wait=0&after=now", id));
      expect(resumed).toEqual(all.slice(index + 1));
    }
  });

  it("sends an id to continue from even if it sent no event", async () => {
    await untilSettled();
    const stream = await openStream(api, "?after=now&wait=0");
    expect(await rest(stream)).toEqual([]);
    const task = await api.givenTask();
    await untilSettled();
    const resumed = await rest(await openStream(api, "?after=now&wait=0", stream.lastId()));
    expect(resumed).toMatchObject([{ event: { taskId: task.id } }]);
  });

  it("accepts the cursors of pages, and pages accept its ids", async () => {
    await untilSettled();
    const page = expectDone(await api.call<{ nextCursor: string }>("GET", "/events?limit=2"));
    const all = await rest(await openStream(api, "?wait=0"));
    const following = await rest(await openStream(api, `?wait=0&after=${page.nextCursor}`));
    expect(following).toEqual(all.slice(2));
    const one = await api.call<{ data: StepEventView[] }>("GET", `/events?after=${all[0]?.id}`);
    expect(expectDone(one).data).toEqual(all.slice(1).map(({ event }) => event));
  });

  it("sends no events of another tenant", async () => {
    await untilSettled();
    const theirs = await openStream({ ...api, tenant: api.otherTenant }, "?wait=0");
    expect(await rest(theirs)).toEqual([]);
  });

  it("stops reading when the client disconnects", async () => {
    const stream = await openStream(api, "?after=now&wait=300");
    void stream.next().catch(() => undefined);
    await untilReads(1);
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

/** Waits until the feed has caught up. Open transactions of other test files can delay it. */
async function untilSettled(): Promise<void> {
  await expect
    .poll(async () => {
      const page = await api.call<{ caughtUp: boolean }>("GET", "/events?limit=200");
      return expectDone(page).caughtUp;
    })
    .toBe(true);
}

/** Waits until the database was read `count` times. */
async function untilReads(count: number): Promise<void> {
  await api.database.resetRoundTrips();
  await expect.poll(() => api.database.roundTrips()).toBeGreaterThanOrEqual(count);
}
