import { expect, it } from "vitest";
import type { WorkView } from "../../src/actions/runs/claim-runs.ts";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import { expectDone, freshApi } from "../support/api.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { silenceLog } from "../support/model/quiet.ts";
import { offerDispatched } from "../support/offer-runs.ts";
import { passDeadlines } from "../support/run-rows.ts";

silenceLog();

const TASKS = 600;

it("lists every task of a dead checker as errored, and one call retries them all", async () => {
  const api = await freshApi();
  // In the evening, 600 tasks advance to their quality check, and the checker claims all the runs.
  const start = { kind: "authoring", status: "approved", reason: "Written elsewhere" };
  const ids: string[] = [];
  while (ids.length < TASKS) {
    const tasks = Array.from({ length: TASKS / 2 }, (_, index) => ({ title: `${index}`, start }));
    const imported = await api.call<{ items: { id: string }[] }>("POST", "/tasks/import", {
      body: { tasks },
    });
    ids.push(...expectDone(imported).items.map(({ id }) => id));
  }
  const body = { moves: ids.map((task) => ({ task, advance: true })), runAttachedWorkflows: true };
  expectDone(await api.call("POST", "/moves", { body }));
  const runIds = await offerDispatched(api.database, ids);
  expect(runIds).toHaveLength(TASKS);

  const claimedRuns: WorkView[] = [];
  for (let batch = 0; batch < TASKS / 100; batch += 1) {
    const claimed = await api.call<{ data: WorkView[] }>("POST", "/worker-runs/claim", {
      as: "service",
      body: { types: ["QUALITY_AUTOMATION"], max: 100, leaseSeconds: 3600 },
    });
    claimedRuns.push(...expectDone(claimed).data);
  }
  expect(claimedRuns).toHaveLength(TASKS);
  for (const { run } of claimedRuns.slice(0, 20)) {
    const body = { state: "RUNNING", attempt: run.attempt };
    expectDone(await api.call("PATCH", `/worker-runs/${run.id}`, { as: "service", body }));
  }

  // The checker never reports again. One sweep times out every run, which leaves the tasks errored.
  await passDeadlines(api.database, runIds);
  await api.sweep();

  // The preview counts the errored tasks. A bulk change cannot reject tasks for their checker's fault.
  const errored = { filter: { attention: ["errored"] }, targetStatus: "REJECTED" };
  const preview = await api.call("POST", "/bulk/preview", { as: "viewer", body: errored });
  expect(expectDone(preview)).toMatchObject({
    counts: { requested: TASKS, eligible: 0, refused: TASKS },
    bySource: { CHECKING_QUALITY: { refused: TASKS } },
  });
  const listed = new Set<string>();
  for (let cursor: string | null = ""; cursor !== null;) {
    const page: { data: TaskView[]; nextCursor: string | null } = expectDone(
      await api.call("GET", `/tasks?attention=errored&limit=200${cursor && `&cursor=${cursor}`}`, {
        as: "viewer",
      }),
    );
    for (const { id, currentStep, unifiedStatus } of page.data) {
      listed.add(id);
      expect(currentStep).toMatchObject({ kind: "pre_qa", status: "failed", gate: "errored" });
      expect(unifiedStatus).toBe("CHECKING_QUALITY");
    }
    cursor = page.nextCursor;
  }
  expect([...listed].toSorted()).toEqual(ids.toSorted());

  // The checker works again. One call retries every task, each with its own dispatch.
  const retried = await api.call("POST", "/bulk/execute", {
    as: "reviewer",
    idempotencyKey: "the-morning-after",
    body: {
      taskIds: ids,
      action: "retry",
      reason: "The checker died overnight",
      runAttachedWorkflows: true,
    },
  });
  expect(expectDone(retried)).toMatchObject({
    state: "completed",
    counts: { requested: TASKS, changed: TASKS },
    dispatched: TASKS,
  });
  const erroredNow = await api.call("GET", "/tasks?attention=errored", { as: "viewer" });
  expect(expectDone(erroredNow)).toMatchObject({ data: [] });
  expect(await offerDispatched(api.database, ids)).toHaveLength(TASKS);
  await expectInvariantsHold(api.database);
});
