import { expect, it } from "vitest";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import type { BulkExecution } from "../../src/actions/views/bulk-views.ts";
import { type CallOptions, expectDone, freshApi } from "../support/api.ts";
import { beginStory, stateOf } from "./support.ts";

const OTHERS = 299;

it("restores hundreds of tasks that were rejected by mistake, in two calls", async () => {
  const api = await freshApi();
  const start = { kind: "expert_review", status: "awaiting_review", reason: "Made elsewhere" };
  const story = await beginStory(
    api,
    { title: "How many apples are left?", start },
    { label: "IN_REVIEW", step: "expert_review 1 awaiting_review awaiting_review" },
    "reviewer",
  );
  const tasks = Array.from({ length: OTHERS }, (_, index) => ({ title: `Task ${index}`, start }));
  const imported = await post<{ items: { id: string }[] }>("/tasks/import", { tasks });
  const others = imported.items.map(({ id }) => id);
  const all = [story.task().id, ...others];
  const dispatched = () => api.database.query("superuser", "select id from pipeline_dispatches");

  // The reviewer meant to reject ten tasks, but selected all 300.
  const change = { taskIds: all, targetStatus: "REJECTED", reason: "Out of scope" };
  const plan = await post<{ counts: object; primaryLabel: string; planToken: string }>(
    "/bulk/preview",
    change,
  );
  expect(plan.counts).toEqual({ requested: 300, eligible: 300, refused: 0 });
  expect(plan.primaryLabel).toBe("Change Status Only (300)");
  const { planToken } = plan;
  const mistake = await post<BulkExecution>(
    "/bulk/execute",
    { ...change, planToken },
    { idempotencyKey: "the-mistake" },
  );
  expect(mistake.counts).toMatchObject({ requested: 300, changed: 300 });
  await story.expectNow({ label: "REJECTED", step: "expert_review 1 rejected failed" });

  // The bulk operation's ID lists the tasks that it rejected.
  const found = await api.call<{ data: TaskView[] }>(
    "GET",
    `/tasks?bulkOperationId=${mistake.operationId}&unifiedStatus=REJECTED&limit=200`,
  );
  expect(found.body.data).toHaveLength(200);

  // Five are marked as duplicates of a task that stays. One of them turns out not to be a duplicate.
  const duplicates = [story.task().id, ...others.slice(0, 4)];
  const { id: original } = await api.givenTask();
  const markedDuplicate = await post<BulkExecution>(
    "/bulk/execute",
    {
      taskIds: duplicates,
      targetStatus: "DUPLICATE",
      reason: "Seen before",
      duplicateOf: original,
    },
    { idempotencyKey: "the-duplicates" },
  );
  expect(markedDuplicate.counts).toMatchObject({ requested: 5, changed: 5 });
  await story.expectNow({ label: "DUPLICATE", step: "expert_review 1 duplicate failed" });
  const unmarked = await post<BulkExecution>(
    "/bulk/execute",
    { taskIds: [story.task().id], targetStatus: "REJECTED", reason: "Not the same question" },
    { idempotencyKey: "not-a-duplicate" },
  );
  expect(unmarked.counts).toMatchObject({ requested: 1, changed: 1 });
  await story.expectNow({ label: "REJECTED", step: "expert_review 1 rejected failed" });

  // No bulk change moves a task from REJECTED to IN_REVIEW. Each item is refused with the allowed targets.
  const back = { taskIds: all, targetStatus: "IN_REVIEW", reason: "Not meant" };
  const refused = await post<BulkExecution>("/bulk/execute", back, { idempotencyKey: "back" });
  expect(refused).toMatchObject({
    state: "refused",
    counts: { requested: 300, changed: 0, refused: 300 },
  });
  expect(refused.items[0]).toEqual({
    taskId: story.task().id,
    outcome: "refused",
    code: "illegal_target",
    from: "REJECTED",
    to: "IN_REVIEW",
    allowed: ["DUPLICATE"],
  });

  // Rework opens a new attempt for each task rejected by mistake. A second call returns it to review.
  const intended = new Set(others.slice(4, 13));
  const mistaken = all.filter((id) => !intended.has(id) && !duplicates.slice(1).includes(id));
  const rework = { rework: "expert_review", reason: "Rejected by mistake" };
  expect(await moveAll(mistaken, rework)).toEqual({
    requested: 287,
    changed: 287,
    refused: 0,
    stale: 0,
  });
  await story.expectNow({ label: "SUBMITTED", step: "expert_review 2 queued locked" });
  expect(await moveAll(mistaken, { status: "awaiting_review" })).toMatchObject({ changed: 287 });
  await story.expectNow({
    label: "IN_REVIEW",
    step: "expert_review 2 awaiting_review awaiting_review",
  });

  const tasksNow = await Promise.all(all.map((id) => read<TaskView>(`/tasks/${id}`)));
  const labels = Map.groupBy(tasksNow, (task) => stateOf(task).label);
  const counts = [...labels].map(([label, { length }]) => [label, length] as const);
  expect(new Map(counts)).toEqual(
    new Map([
      ["IN_REVIEW", 287],
      ["DUPLICATE", 4],
      ["REJECTED", 9],
    ]),
  );
  expect(await dispatched()).toEqual([]);

  await story.expectHistory(
    "task_created",
    "bulk_transitioned",
    "bulk_transitioned",
    "bulk_transitioned",
    "step_reworked",
    "step_transitioned",
  );
  const { data } = await read<{ data: { bulkOperationId: string | null }[] }>(
    `/tasks/${story.task().id}/events`,
  );
  expect(data.map(({ bulkOperationId }) => bulkOperationId)).toEqual([
    null,
    mistake.operationId,
    markedDuplicate.operationId,
    unmarked.operationId,
    null,
    null,
  ]);

  async function post<Body>(path: string, body: object, options: CallOptions = {}): Promise<Body> {
    return expectDone(await api.call<Body>("POST", path, { as: "reviewer", body, ...options }));
  }

  async function read<Body>(path: string): Promise<Body> {
    return expectDone(await api.call<Body>("GET", path, { as: "viewer" }));
  }

  async function moveAll(ids: readonly string[], move: object): Promise<object> {
    const moves = ids.map((task) => ({ task, ...move }));
    return (await post<{ counts: object }>("/moves", { moves })).counts;
  }
});
