import fc from "fast-check";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import type { BulkTarget } from "../../src/domain/bulk/matrix.ts";
import { spreadOverDays } from "./aged.ts";
import { expectDone, type Place, type TestApi } from "./api.ts";
import { type Chance, chanceFrom } from "./chance.ts";
import { anyHistory } from "./model/random-calls.ts";
import { Walk } from "./model/walk.ts";

const HISTORIES = 5;
export const TAXONOMY = "maths.algebra";

/**
 * Random histories of a tenant, plus what random calls rarely produce: crashes with an error, and bulk changes that are
 * reverted. All events are spread over the given number of past days.
 */
export async function givenHistories(
  api: TestApi,
  { seed, days }: { seed: number; days: number },
): Promise<void> {
  const chance = chanceFrom(seed);
  const taskIds: string[] = [];
  for (const history of fc.sample(anyHistory, { seed, numRuns: HISTORIES })) {
    const walk = new Walk(api);
    for (const wish of history.begins) await walk.create("admin", { ...wish, externalId: "new" });
    if (walk.models.length === 0) continue;
    for (const call of history.calls) await walk.take({ ...call, trouble: null });
    taskIds.push(...walk.models.map(({ id }) => id));
  }
  taskIds.push(...(await givenDeliveries(api)), ...(await givenCrashes(api, chance)));
  taskIds.push(...(await givenMistakes(api, chance)));
  for (const id of taskIds.filter(() => chance.isHit(0.4))) {
    await api.call("PATCH", `/tasks/${id}`, { body: { taxonomyCode: TAXONOMY } });
  }
  for (const id of taskIds.filter(() => chance.isHit(0.15))) {
    await api.call("POST", `/tasks/${id}/archive`, { body: { reason: "No longer needed." } });
  }
  await spreadOverDays(api, taskIds, { chance, days });
}

/** Tasks that passed the last stages and were delivered. */
async function givenDeliveries(api: TestApi): Promise<string[]> {
  const ids: string[] = [];
  for (let count = 0; count < 3; count += 1) {
    const { id } = await api.givenTask({ at: { kind: "calibration", status: "approved" } });
    expectDone(await api.call("POST", `/tasks/${id}/advance`, { body: {} }));
    const { currentStep } = expectDone(await api.call<TaskView>("GET", `/tasks/${id}`));
    for (const status of ["running", "approved"]) {
      expectDone(await api.call("PATCH", `/steps/${currentStep.id}`, { body: { status } }));
    }
    ids.push(id);
  }
  return ids;
}

const ERRORS = ["Out of memory", "The receiver was unavailable", undefined];

/** Tasks whose worker crashed, some more than once, and tasks whose gate a person set to errored. */
async function givenCrashes(api: TestApi, chance: Chance): Promise<string[]> {
  const ids: string[] = [];
  for (let count = 0; count < 8; count += 1) {
    const task = await api.givenTask({ at: { kind: "output_generation", status: "queued" } });
    ids.push(task.id);
    const step = `/steps/${task.currentStep.id}`;
    for (let crash = 0; crash <= chance.below(3); crash += 1) {
      if (chance.isHit(0.2)) {
        const gate = { gate: "errored", reason: "It hangs." };
        expectDone(await api.call("PATCH", `${step}/gate`, { body: gate }));
        break;
      }
      const run = await api.call<{ id: string }>("POST", `/tasks/${task.id}/worker-runs`, {
        as: "service",
        body: { type: "OUTPUT_GENERATION" },
      });
      const report = await api.call("PATCH", `/worker-runs/${expectDone(run, 201).id}`, {
        as: "service",
        body: { state: "FAILED", error: ERRORS[chance.below(ERRORS.length)] },
      });
      expectDone(report);
      const retry = { status: "queued", reason: "Once more.", runAttachedWorkflows: false };
      expectDone(await api.call("PATCH", step, { body: retry }));
    }
  }
  return ids;
}

/** Tasks that were changed in bulk. Half of the changes were a mistake and are reverted. */
async function givenMistakes(api: TestApi, chance: Chance): Promise<string[]> {
  const changes: [Place, BulkTarget][] = [
    [{ kind: "expert_review", status: "in_review" }, "PASSED"],
    [{ kind: "expert_review", status: "approved" }, "REJECTED"],
    [{ kind: "pre_qa", status: "changes_requested" }, "DUPLICATE"],
    [{ kind: "expert_review", status: "in_review" }, "CHANGES_REQUESTED"],
  ];
  const ids: string[] = [];
  for (const [at, targetStatus] of changes) {
    for (const isMistake of [true, false]) {
      const taskIds = [(await api.givenTask({ at })).id, (await api.givenTask({ at })).id];
      ids.push(...taskIds);
      const operationId = await change(api, taskIds, targetStatus);
      if (!isMistake) continue;
      const path = `/bulk/operations/${operationId}/revert`;
      const idempotencyKey = crypto.randomUUID();
      const body = { reason: "It was a mistake." };
      expectDone(await api.call("POST", path, { idempotencyKey, body }));
      if (chance.isHit(0.5)) await change(api, taskIds, "REJECTED");
    }
  }
  return ids;
}

/** Changes tasks in bulk and returns the operation's id. */
async function change(api: TestApi, taskIds: string[], targetStatus: BulkTarget): Promise<string> {
  const done = await api.call<{ operationId: string }>("POST", "/bulk/execute", {
    idempotencyKey: crypto.randomUUID(),
    body: { taskIds, targetStatus, reason: "Decided in bulk." },
  });
  return expectDone(done).operationId;
}
