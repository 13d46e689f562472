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

it("the checker dies overnight, and in the morning all that it held is shown as errored and started anew by one call", async () => {
  const api = await freshApi();
  // In the evening 600 tasks go to their check, and the checker takes them all.
  const start = { kind: "authoring", status: "approved", reason: "Written elsewhere" };
  const ids: string[] = [];
  while (ids.length < TASKS) {
    const tasks = Array.from({ length: TASKS / 2 }, (_, index) => ({ title: `${index}`, start }));
    const made = await api.call<{ items: { id: string }[] }>("POST", "/tasks/import", {
      body: { tasks },
    });
    ids.push(...expectDone(made).items.map(({ id }) => id));
  }
  const body = { moves: ids.map((task) => ({ task, advance: true })), runAttachedWorkflows: true };
  expectDone(await api.call("POST", "/moves", { body }));
  const runIds = await offerDispatched(api.database, ids);
  expect(runIds).toHaveLength(TASKS);

  const held: WorkView[] = [];
  for (let shift = 0; shift < TASKS / 100; shift += 1) {
    const claimed = await api.call<{ data: WorkView[] }>("POST", "/worker-runs/claim", {
      as: "service",
      body: { types: ["QUALITY_AUTOMATION"], max: 100, leaseSeconds: 3600 },
    });
    held.push(...expectDone(claimed).data);
  }
  expect(held).toHaveLength(TASKS);
  for (const { run } of held.slice(0, 20)) {
    const begun = { state: "RUNNING", attempt: run.attempt };
    expectDone(await api.call("PATCH", `/worker-runs/${run.id}`, { as: "service", body: begun }));
  }

  // It is never heard of again. Nobody judged the tasks, and one sweep says so of each.
  await passDeadlines(api.database, runIds);
  await api.sweep();

  // What an operator counts before anything is done about them; and that nobody can blame them all at once.
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

  // The checker is well again: one call starts them all anew, each with a dispatch of its own.
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
  const nobody = await api.call("GET", "/tasks?attention=errored", { as: "viewer" });
  expect(expectDone(nobody)).toMatchObject({ data: [] });
  expect(await offerDispatched(api.database, ids)).toHaveLength(TASKS);
  await expectInvariantsHold(api.database);
});
