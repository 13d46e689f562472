import { beforeAll, describe, expect, it, test } from "vitest";
import type { Role } from "../../src/domain/actor.ts";
import {
  contractOf,
  givenThings,
  namesIn,
  type Named,
  type Sample,
  SAMPLES,
  sendSample,
  titleOf,
} from "../contracts/support/samples.ts";
import { deliver, givenDispatch } from "../support/dispatches.ts";
import { type Answer, expectDone, freshApi, type TestApi } from "../support/api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

/** What a call costs: how often it goes to the database, the first time and when it is repeated under its key. */
interface Cost {
  first: number;
  /** Absent where a call takes no key. */
  repeated?: number;
  /** How often more once it is answered: to send on what it left in the outbox. */
  after?: number;
}

const READ: Cost = { first: 1 };
/** Load, decide, record; a repeat is found while loading. */
const MOVE: Cost = { first: 2, repeated: 1 };
/** Nothing needs to be known before; a repeat fails to record and then reads what the first one stored. */
const MAKE: Cost = { first: 1, repeated: 2 };

/** One claim of what lies in the outbox, and one word that it was sent. */
const RELAY = 2;

/** Its ledger is read again, so that a repeat goes on with what is left to do. */
const BULK: Cost = { first: 2, repeated: 2 };

/** Every route of the contract list, with the budget that it has to keep. */
const COSTS: Record<string, Cost> = {
  "POST /v1/tasks": MAKE,
  "POST /v1/tasks under an external id": MAKE,
  "POST /v1/tasks with a start": MAKE,
  "POST /v1/tasks/import": MAKE,
  "POST /v1/tasks/import under an external id": MAKE,
  "POST /v1/tasks/import with a start": MAKE,
  "GET /v1/tasks": READ,
  "GET /v1/tasks by operation and external id": READ,
  "GET /v1/tasks/counts": READ,
  "GET /v1/tasks/counts by operation and external id": READ,
  "GET /v1/tasks/ids": READ,
  "GET /v1/tasks/ids by operation and external id": READ,
  "POST /v1/tasks/lookup": READ,
  "GET /v1/tasks/{taskId}": READ,
  "GET /v1/tasks/{taskId} as it was": READ,
  "PATCH /v1/tasks/{taskId}": MOVE,
  "POST /v1/tasks/{taskId}/archive": MOVE,
  "POST /v1/tasks/{taskId}/restore": MOVE,
  "POST /v1/tasks/{taskId}/notes": MOVE,
  "POST /v1/tasks/{taskId}/versions": MOVE,
  "GET /v1/tasks/{taskId}/versions": READ,
  "GET /v1/tasks/{taskId}/versions/{number}": READ,
  "GET /v1/tasks/{taskId}/versions/{number}/diff/{other}": READ,
  "GET /v1/tasks/{taskId}/status": READ,
  "GET /v1/tasks/{taskId}/status as it was": READ,
  "GET /v1/tasks/{taskId}/timeline": READ,
  "GET /v1/tasks/{taskId}/lineage": READ,
  "GET /v1/tasks/{taskId}/lineage as it was": READ,
  "GET /v1/tasks/{taskId}/events": READ,
  "GET /v1/tasks/{taskId}/events/verify": READ,
  "GET /v1/events": READ,
  "GET /v1/events/stream": READ,
  "GET /v1/tasks/export.csv": READ,
  "GET /v1/tasks/export.csv by operation and external id": READ,
  "GET /v1/tasks/export.ndjson": READ,
  "GET /v1/tasks/export.ndjson by operation and external id": READ,
  "GET /v1/events/export.csv": READ,
  "GET /v1/events/export.csv of a task": READ,
  "GET /v1/events/export.ndjson": READ,
  "GET /v1/events/export.ndjson of a task": READ,
  "GET /v1/trials/export.csv": READ,
  "GET /v1/trials/export.csv of a task and an eval": READ,
  "GET /v1/prompts/export.csv": READ,
  "GET /v1/prompts/export.csv of a task, its version and step": READ,
  "GET /v1/trials/export.ndjson": READ,
  "GET /v1/trials/export.ndjson of a task and an eval": READ,
  "GET /v1/prompts/export.ndjson": READ,
  "GET /v1/prompts/export.ndjson of a task, its version and step": READ,
  "GET /v1/tasks/{taskId}/steps": READ,
  "GET /v1/steps/{stepId}": READ,
  "GET /v1/steps/{stepId}/events": READ,
  "PATCH /v1/steps/{stepId}": MOVE,
  "PATCH /v1/steps/{stepId} to duplicate": MOVE,
  "PATCH /v1/steps/{stepId}/gate": MOVE,
  "POST /v1/steps/{stepId}/dispatch": { ...MOVE, after: RELAY },
  "POST /v1/tasks/{taskId}/advance": MOVE,
  "POST /v1/tasks/{taskId}/rework": MOVE,
  "POST /v1/moves to a status": MOVE,
  "POST /v1/moves to an end": MOVE,
  "POST /v1/moves onward": MOVE,
  "POST /v1/moves back": MOVE,
  "POST /v1/tasks/{taskId}/reviews": MOVE,
  "POST /v1/tasks/{taskId}/reviews with a move": MOVE,
  "GET /v1/tasks/{taskId}/reviews": READ,
  "POST /v1/tasks/{taskId}/worker-runs": MAKE,
  "POST /v1/worker-runs/claim": MAKE,
  "PATCH /v1/worker-runs/{runId}": MOVE,
  "GET /v1/worker-runs": READ,
  "GET /v1/worker-runs by task and step": READ,
  "POST /v1/bulk/preview": READ,
  "POST /v1/bulk/preview of duplicates": READ,
  "POST /v1/bulk/preview of a filter": READ,
  "POST /v1/bulk/execute": BULK,
  "POST /v1/bulk/execute of duplicates": BULK,
  "POST /v1/bulk/execute of an action": { ...BULK, after: RELAY },
  "POST /v1/bulk/operations/{operationId}/cancel": MOVE,
  "POST /v1/bulk/operations/{operationId}/retry-failed": BULK,
  "POST /v1/bulk/operations/{operationId}/revert": BULK,
  "GET /v1/analytics/events": READ,
  "GET /v1/stats/outcomes": READ,
  "GET /v1/stats/throughput": READ,
  "GET /v1/stats/stage-times": READ,
  "GET /v1/stats/failures": READ,
  "GET /v1/bulk/operations": READ,
  "GET /v1/bulk/operations/{operationId}": READ,
  "GET /v1/bulk/operations/{operationId}/items": READ,
  "POST /v1/tasks/{taskId}/evals": MOVE,
  "GET /v1/evals": READ,
  "GET /v1/evals by task": READ,
  "GET /v1/evals/{evalId}": READ,
  "PATCH /v1/evals/{evalId}": MOVE,
  "GET /v1/evals/{evalId}/events": READ,
  "GET /v1/evals/{evalId}/events/verify": READ,
  "GET /v1/evals/{evalId}/trials": READ,
  "POST /v1/evals/{evalId}/trials": MOVE,
  "POST /v1/evals/{evalId}/trials of many trials": MOVE,
  "PATCH /v1/trials/{trialId}": MOVE,
  "POST /v1/trials/{trialId}/retract": MOVE,
  "POST /v1/evals/record": MOVE,
  "GET /v1/evals/{evalId}/summary": READ,
  "GET /v1/evals/summary": READ,
  "GET /v1/evals/summary by operation and external id": READ,
  "POST /v1/tasks/{taskId}/prompts": MAKE,
  "GET /v1/prompts": READ,
  "GET /v1/prompts by task, version and step": READ,
  "POST /v1/tasks/{taskId}/data": MAKE,
  "GET /v1/data": READ,
  "GET /v1/data by task": READ,
  "GET /v1/data/{dataId}": READ,
  "PUT /v1/data/{dataId}/content": { first: 2 },
  "GET /v1/data/{dataId}/content": READ,
  "POST /v1/insights": MAKE,
  "GET /v1/insights": READ,
  "GET /v1/insights by task, eval and trial": READ,
  "PATCH /v1/insights/{insightId}": MOVE,
  "GET /v1/data/{dataId}/lineage": READ,
  "GET /v1/pipelines": READ,
  "PUT /v1/pipelines/{name}": { first: 1 },
  "POST /v1/pipelines/{name}/rotate": MAKE,
  "GET /v1/dispatches": READ,
  "GET /v1/dispatches by task and operation": READ,
  "GET /v1/dispatches/{dispatchId}": READ,
  "POST /v1/dispatches/{dispatchId}/retry": { ...MAKE, after: RELAY },
  "POST /v1/dispatches/{dispatchId}/recall": MAKE,
  "GET /v1/registry": { first: 0 },
  "GET /v1/me": READ,
  "POST /v1/api-keys": MAKE,
  "GET /v1/api-keys": READ,
  "DELETE /v1/api-keys/{keyId}": { first: 1 },
  "GET /v1/webhooks": READ,
  "PUT /v1/webhooks/{name}": { first: 1 },
  "POST /v1/webhooks/{name}/ping": READ,
  "POST /v1/webhooks/{name}/rotate": MAKE,
  "GET /v1/webhooks/{name}/deliveries": READ,
  "POST /v1/webhooks/{name}/deliveries/{deliveryId}/retry": MAKE,
  "DELETE /v1/webhooks/{name}": { first: 1 },
};

it("every sample has its budget", () => {
  expect(SAMPLES.map(titleOf).toSorted()).toEqual(Object.keys(COSTS).toSorted());
});

/** From now on: before what others write at this moment a stream would look again until it has caught up. */
const MEASURED: readonly (typeof SAMPLES)[number][] = SAMPLES.map((sample) =>
  titleOf(sample) === "GET /v1/events/stream" ? { ...sample, query: "after=now&wait=0" } : sample,
);

describe("round trips to the database, counted on the way there", () => {
  test.each(MEASURED.map((sample) => [titleOf(sample), sample] as const))(
    "%s costs what its budget says, and says what it costs",
    async (title, sample) => {
      const { first, repeated, after = 0 } = COSTS[title] ?? {};
      const named = namesIn(sample, await givenThings(api, sample));
      const idempotencyKey = crypto.randomUUID();
      const keyed = repeated === undefined ? {} : { idempotencyKey };
      expect(await costOf(sample, named, keyed)).toBe(first);
      expect(await api.database.roundTrips()).toBe((first ?? 0) + after);
      if (repeated !== undefined) expect(await costOf(sample, named, keyed)).toBe(repeated);
    },
  );

  test.each([1, 100, 1000])(
    "a change of %i tasks costs no more than a change of one",
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

      const moves = taskIds.map((task) => ({ task, status: "duplicate" }));
      const moved = await counted(() => api.call("POST", "/moves", { body: { moves } }));
      expect(moved.roundTrips).toBe(2);
      expect(expectDone(moved.answer)).toMatchObject({ counts: { changed: count } });
    },
  );

  it("a delivery costs two, one on each side of its endpoint's answer", async () => {
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

  it("a bulk change that asks for pipelines costs no more than one that does not", async () => {
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

  it("an import of 500 tasks costs one", async () => {
    const tasks = Array.from({ length: 500 }, (_, index) => ({ title: `Task ${index}` }));
    const { roundTrips } = await counted(() =>
      api.call("POST", "/tasks/import", { body: { tasks } }),
    );
    expect(roundTrips).toBe(1);
  });

  it("a refusal costs no more than the look that it follows from", async () => {
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

  it("a key costs one look where it is new, and none where it was used a moment ago", async () => {
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
    expect(costs).toEqual([2, 1, 1]);
  });

  it("the Worker's own health costs nothing, and its readiness one look", async () => {
    await api.database.resetRoundTrips();
    await api.fetch("/healthz");
    expect(await api.database.roundTrips()).toBe(0);
    await api.fetch("/readyz");
    expect(await api.database.roundTrips()).toBe(1);
  });
});

/** Sends a sample and returns how often it went to the database, which its answer also says. */
async function costOf(sample: Sample, named: Named, options: object): Promise<number> {
  const send = () => sendSample(api, sample, named, options);
  const { answer, roundTrips } = await counted(send, sample.as);
  expect(answer.status, answer.text).toBe(contractOf(sample).response.status);
  return roundTrips;
}

/** Sends a call of that role, and returns how often it went to the database with its key already cached. */
async function counted<Body>(call: () => Promise<Answer<Body>>, as: Role = "admin") {
  const answers: Answer<Body>[] = [];
  const roundTrips = await api.roundTripsOf(async () => answers.push(await call()), [as]);
  const [answer = expect.fail("There is no answer")] = answers;
  expect(toldRoundTrips(answer)).toBe(roundTrips);
  return { answer, roundTrips };
}

/** What `Server-Timing` says. */
function toldRoundTrips({ headers }: Answer<unknown>): number {
  const told = headers.get("server-timing") ?? "";
  const [, count] = /^db;desc="(\d+) round trips?";dur=\d+\.\d$/.exec(told) ?? [];
  return count === undefined ? expect.fail(`Server-Timing says ${told}`) : Number(count);
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
