import { beforeAll, describe, expect, it, test } from "vitest";
import type { Role } from "../../src/domain/actor.ts";
import { RELAY, type Sample, titleOf } from "../support/samples/sample.ts";
import { SAMPLES } from "../support/samples/samples.ts";
import { type Named, namesIn, sendSample, statusOf } from "../support/samples/send-sample.ts";
import { givenThings } from "../support/samples/things.ts";
import { deliver, givenDispatch } from "../support/dispatches.ts";
import { type Answer, expectDone, freshApi, type TestApi } from "../support/api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
  await api.demoTenant();
});

/** The stream starts at `now`: it would otherwise query again for events that other tests are writing. */
const MEASURED: readonly Sample[] = SAMPLES.map((sample) =>
  titleOf(sample) === "GET /v1/events/stream" ? { ...sample, query: "after=now&wait=0" } : sample,
);

describe("round trips to the database, counted by the proxy", () => {
  test.each(MEASURED.map((sample) => [titleOf(sample), sample] as const))(
    "%s takes as many as its budget says, and reports them",
    async (_, sample) => {
      const { first, repeated, after = 0 } = sample.cost;
      const named = namesIn(sample, await givenThings(api, sample));
      const idempotencyKey = crypto.randomUUID();
      const keyed = repeated === undefined ? {} : { idempotencyKey };
      expect(await costOf(sample, named, keyed)).toBe(first);
      expect(await api.database.roundTrips()).toBe(first + after);
      if (repeated !== undefined) expect(await costOf(sample, named, keyed)).toBe(repeated);
    },
  );

  test.each([1, 100, 1000])(
    "a change of %i tasks takes as many as a change of one",
    async (count) => {
      const taskIds = await givenSubmitted(count);
      const change = { taskIds, targetStatus: "REJECTED", reason: "Out of scope" };
      const preview = await counted(() =>
        api.call<{ planToken: string }>("POST", "/bulk/preview", { body: change }),
      );
      expect(preview.roundTrips).toBe(1);

      const { planToken } = expectDone(preview.answer);
      const body = { ...change, planToken };
      const executed = await counted(() =>
        api.call("POST", "/bulk/execute", { body, idempotencyKey: `change-of-${count}` }),
      );
      expect(executed.roundTrips).toBe(2);
      expect(expectDone(executed.answer)).toMatchObject({ counts: { changed: count } });

      const moves = taskIds.map((task) => ({ task, status: "duplicate", reason: "Twins" }));
      const moved = await counted(() => api.call("POST", "/moves", { body: { moves } }));
      expect(moved.roundTrips).toBe(2);
      expect(expectDone(moved.answer)).toMatchObject({ counts: { changed: count } });
    },
  );

  it("a delivery takes two, one before and one after its endpoint's response", async () => {
    const body = { endpoint: "https://checks.example.com/hook" };
    expectDone(await api.call("PUT", "/pipelines/quality_automation", { body }));
    const id = await givenDispatch(api);
    await api.database.resetRoundTrips();
    let before = 0;
    const fetch = async () => {
      before = await api.database.tenantRoundTrips();
      return new Response(null, { status: 200 });
    };
    await deliver(api, id, { fetch });
    expect([before, await api.database.tenantRoundTrips()]).toEqual([1, 2]);
  });

  it("a bulk change with pipelines takes no more than one without", async () => {
    const at = { kind: "output_generation", status: "failed" } as const;
    const [one, other] = [await api.givenTask({ at }), await api.givenTask({ at })];
    const executed = await counted(() =>
      api.call("POST", "/bulk/execute", {
        idempotencyKey: "with-pipelines",
        body: {
          taskIds: [one.id, other.id],
          targetStatus: "SUBMITTED",
          reason: "The machines are back",
          runAttachedWorkflows: true,
        },
      }),
    );
    expect(executed.roundTrips).toBe(2);
    expect(await api.database.roundTrips()).toBe(2 + RELAY);
    expect(expectDone(executed.answer)).toMatchObject({ dispatched: 2 });
  });

  it("an import of 500 tasks takes one", async () => {
    const tasks = Array.from({ length: 500 }, (_, index) => ({ title: `Task ${index}` }));
    const { roundTrips } = await counted(() =>
      api.call("POST", "/tasks/import", { body: { tasks } }),
    );
    expect(roundTrips).toBe(1);
  });

  it("a refusal takes no more than the load that it is based on", async () => {
    const task = await api.givenTask();
    const path = `/steps/${task.currentStep.id}`;
    const refused = await counted(() => api.call("PATCH", path, { body: { status: "approved" } }));
    expect([refused.answer.status, refused.roundTrips]).toEqual([409, 1]);
    const mayNot = await counted(
      () => api.call("PATCH", path, { as: "viewer", body: { status: "running" } }),
      "viewer",
    );
    expect([mayNot.answer.status, mayNot.roundTrips]).toEqual([403, 0]);
    const invalid = await counted(() => api.call("PATCH", path, { body: { status: "unknown" } }));
    expect([invalid.answer.status, invalid.roundTrips]).toEqual([400, 0]);
  });

  it("a key takes one lookup when it is new and a note of its use after the answer, and none when it was just used", async () => {
    const made = await api.call<{ key: string }>("POST", "/api-keys", {
      body: { name: "A new key", role: "viewer" },
    });
    const bearer = expectDone(made, 201).key;
    await api.database.resetRoundTrips();
    const costs = [];
    for (const expected of [2, 1, 1]) {
      const answer = await api.call("GET", "/me", { bearer });
      costs.push(await api.database.roundTrips());
      expect(toldRoundTrips(answer)).toBe(expected);
      await api.database.resetRoundTrips();
    }
    expect(costs).toEqual([3, 1, 1]);
  });

  it("the health check takes none, and the readiness check one", async () => {
    await api.database.resetRoundTrips();
    await api.fetch("/healthz");
    expect(await api.database.roundTrips()).toBe(0);
    await api.fetch("/readyz");
    expect(await api.database.roundTrips()).toBe(1);
  });
});

/** Sends a sample and returns its number of round trips, which the response must also report. */
async function costOf(sample: Sample, named: Named, options: object): Promise<number> {
  const send = () => sendSample(api, sample, named, options);
  const { answer, roundTrips } = await counted(send, sample.as);
  expect(answer.status, answer.text).toBe(statusOf(sample));
  return roundTrips;
}

/** Sends a call and returns its number of round trips with the key already cached. */
async function counted<Body>(call: () => Promise<Answer<Body>>, as: Role = "admin") {
  const answers: Answer<Body>[] = [];
  const roundTrips = await api.roundTripsOf(async () => answers.push(await call()), [as]);
  const [answer = expect.fail("There is no response")] = answers;
  expect(toldRoundTrips(answer)).toBe(roundTrips);
  return { answer, roundTrips };
}

/** Returns the number of round trips in `Server-Timing`. */
function toldRoundTrips({ headers }: Answer<unknown>): number {
  const timing = headers.get("server-timing") ?? "";
  const [, count] = /^db;desc="(\d+) round trips?";dur=\d+\.\d$/.exec(timing) ?? [];
  return count === undefined ? expect.fail(`Server-Timing says ${timing}`) : Number(count);
}

async function givenSubmitted(count: number): Promise<string[]> {
  const start = { kind: "output_generation", status: "queued", reason: "Made elsewhere" };
  const ids: string[] = [];
  while (ids.length < count) {
    const length = Math.min(500, count - ids.length);
    const tasks = Array.from({ length }, (_, index) => ({ title: `Task ${index}`, start }));
    const made = await api.call<{ items: { id: string }[] }>("POST", "/tasks/import", {
      body: { tasks },
    });
    ids.push(...expectDone(made).items.map(({ id }) => id));
  }
  return ids;
}
