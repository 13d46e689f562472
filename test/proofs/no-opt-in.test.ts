import fc from "fast-check";
import { beforeAll, describe, expect, inject, test } from "vitest";
import type { BulkExecution } from "../../src/actions/views/bulk-views.ts";
import type { Role } from "../../src/domain/actor.ts";
import { BULK_TARGETS } from "../../src/domain/bulk/matrix.ts";
import { STEP_KINDS, STEP_STATUSES } from "../../src/domain/lifecycle/statuses.ts";
import { UNIFIED_STATUSES } from "../../src/domain/status/unified.ts";
import { expectDone, freshApi, PLACE_OF_LABEL, type TestApi } from "../support/api.ts";
import { silenceLog } from "../support/model/quiet.ts";
import { type CountingQueue, countingQueue } from "../support/queues.ts";

const { seed } = inject("stack");
const CALLS = 150;
/** Tasks per label, from which bulk calls pick a random part. */
const TASKS_EACH = 12;

silenceLog();

let api: TestApi;
let queue: CountingQueue;
let tasks: string[];

beforeAll(async () => {
  queue = countingQueue();
  api = await freshApi({ DISPATCH_QUEUE: queue });
  tasks = [];
  for (const label of UNIFIED_STATUSES) {
    for (let made = 0; made < TASKS_EACH; made += 1) {
      tasks.push((await api.givenTask({ at: PLACE_OF_LABEL[label] })).id);
    }
  }
}, 120_000);

/** Values that are not the literal `true`, and no value. */
const notTrue = fc.constantFrom(undefined, false, "true", "false", 1, 0, null, [], [true], {});
const flagged = notTrue.map((runAttachedWorkflows) =>
  runAttachedWorkflows === undefined ? {} : { runAttachedWorkflows },
);

interface RandomCall {
  path: string;
  body: object;
  as: Role;
  method?: "PATCH";
}

const someTasks = fc.shuffledSubarray(
  Array.from({ length: UNIFIED_STATUSES.length * TASKS_EACH }, (_, index) => index),
  { minLength: 1 },
);
const oneTask = someTasks.map(([index = 0]) => index);
const reason = "It has to be";

/** A call that may move tasks and does not opt in to pipelines. */
const anyCall: fc.Arbitrary<() => Promise<RandomCall>> = fc.oneof(
  fc
    .record({ indexes: someTasks, target: fc.constantFrom(...BULK_TARGETS), flag: flagged })
    .map(({ indexes, target, flag }) => async (): Promise<RandomCall> => ({
      path: "/bulk/execute",
      as: "reviewer",
      body: { taskIds: idsOf(indexes), targetStatus: target, reason, ...flag },
    })),
  fc
    .record({ indexes: someTasks, status: fc.constantFrom(...STEP_STATUSES), flag: flagged })
    .map(({ indexes, status, flag }) => async (): Promise<RandomCall> => ({
      path: "/moves",
      as: "admin",
      body: { moves: idsOf(indexes).map((task) => ({ task, status, reason })), ...flag },
    })),
  fc
    .record({ indexes: someTasks, flag: flagged })
    .map(({ indexes, flag }) => async (): Promise<RandomCall> => ({
      path: "/moves",
      as: "service",
      body: { moves: idsOf(indexes).map((task) => ({ task, advance: true })), ...flag },
    })),
  fc
    .record({ indexes: someTasks, kind: fc.constantFrom(...STEP_KINDS), flag: flagged })
    .map(({ indexes, kind, flag }) => async (): Promise<RandomCall> => ({
      path: "/moves",
      as: "admin",
      body: { moves: idsOf(indexes).map((task) => ({ task, rework: kind, reason })), ...flag },
    })),
  fc
    .record({ index: oneTask, status: fc.constantFrom(...STEP_STATUSES) })
    .map(({ index, status }) => async (): Promise<RandomCall> => ({
      path: `/steps/${await stepOf(index)}`,
      method: "PATCH",
      as: "admin",
      body: { status, reason, runAttachedWorkflows: false },
    })),
  oneTask.map((index) => async (): Promise<RandomCall> => ({
    path: `/tasks/${idsOf([index])[0]}/advance`,
    as: "service",
    body: {},
  })),
  fc
    .record({ size: fc.integer({ min: 1, max: 50 }) })
    .map(({ size }) => async (): Promise<RandomCall> => ({
      path: "/tasks/import",
      as: "admin",
      body: {
        tasks: Array.from({ length: size }, () => ({
          title: "A task",
          start: { kind: "pre_qa", status: "queued", reason },
        })),
      },
    })),
);

const idsOf = (indexes: readonly number[]) => indexes.map((index) => tasks[index] ?? "");
async function stepOf(index: number): Promise<string> {
  const task = await api.call<{ currentStep: { id: string } }>("GET", `/tasks/${tasks[index]}`);
  return expectDone(task).currentStep.id;
}

/** Counts rows in the outbox and messages in the queue. */
async function counted() {
  const [row] = await api.database.query("owner", "select count(*) as n from pipeline_dispatches");
  return { rows: Number(row?.["n"]), messages: queue.sent.length };
}

describe("no pipeline runs without an opt-in", () => {
  test(
    `whatever is sent in place of true, for any number of tasks (replay with SEED=${seed})`,
    { timeout: 180_000 },
    async () => {
      const statuses = new Map<number, number>();
      await fc.assert(
        fc.asyncProperty(anyCall, async (callOf) => {
          const { method = "POST", path, body, as } = await callOf();
          const idempotencyKey = crypto.randomUUID();
          const { status } = await api.call(method, path, { as, body, idempotencyKey });
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          expect(status).toBeLessThan(500);
        }),
        { seed, numRuns: CALLS },
      );
      expect(statuses.get(200) ?? 0).toBeGreaterThan(CALLS / 10);
      expect(statuses.get(400) ?? 0).toBeGreaterThan(0);
      // The sweep also finds nothing.
      await api.sweep();
      expect(await counted()).toEqual({ rows: 0, messages: 0 });

      // With the literal `true`, the same count finds the dispatches.
      const { id } = await api.givenTask({ at: { kind: "expert_review", status: "in_review" } });
      const asked = await api.call<BulkExecution>("POST", "/bulk/execute", {
        idempotencyKey: crypto.randomUUID(),
        body: { taskIds: [id], targetStatus: "PASSED", reason, runAttachedWorkflows: true },
      });
      expect(expectDone(asked).dispatched).toBe(1);
      expect(await counted()).toEqual({ rows: 1, messages: 1 });
    },
  );
});
