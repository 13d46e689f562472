import type { ApiClient, ApiRequest } from "../import/api-client.ts";
import { inParallel } from "../import/in-parallel.ts";
import { movedTask, startedRun } from "./api.ts";
import { type DemoTask, stateOf } from "./demo-tasks.ts";

/** True if a task is waiting for its quality check. */
export const awaitsCheck = ({ kind, status }: DemoTask) =>
  kind === "pre_qa" && (status === "queued" || status === "running");

/** True if a task failed its check and is waiting for a reviewer. */
export const awaitsReviewer = ({ kind, status, verdict }: DemoTask) =>
  kind === "pre_qa" && status === "awaiting_review" && verdict === "failed";

/** True if a task that should pass has passed and is ready to be submitted. */
export const awaitsSubmission = ({ kind, status, verdict }: DemoTask) =>
  kind === "pre_qa" && status === "approved" && verdict === "passed";

/** Acts as the quality worker: starts a run for each task and reports the verdict from the file. */
export async function checkQuality(
  client: ApiClient,
  tasks: readonly DemoTask[],
  onChecked: (done: number) => void,
): Promise<void> {
  await forEachOf(tasks, onChecked, async (task) => {
    const { id } = await client.call(
      {
        method: "POST",
        path: `/tasks/${task.id}/worker-runs`,
        body: { type: "QUALITY_AUTOMATION", externalRef: `demo ${task.externalId}` },
      },
      startedRun,
    );
    const body = { state: "SUCCEEDED", verdict: task.verdict };
    await callAndUpdate(client, task, { method: "PATCH", path: `/worker-runs/${id}`, body });
  });
}

/** Acts as the reviewer who confirms each failed check. */
export async function confirmFailures(
  client: ApiClient,
  tasks: readonly DemoTask[],
  onReviewed: (done: number) => void,
): Promise<void> {
  await forEachOf(tasks, onReviewed, async (task) => {
    const body = {
      stepId: task.stepId,
      kind: "expert",
      outcome: "failed",
      notes: "The solution does not reach the known answer.",
      move: {
        status: "changes_requested",
        reason: "I agree with the check: the answer is wrong.",
      },
    };
    await callAndUpdate(client, task, { method: "POST", path: `/tasks/${task.id}/reviews`, body });
  });
}

/** Makes a call that moves a task, and updates the task's state from the response. */
async function callAndUpdate(
  client: ApiClient,
  task: DemoTask,
  request: ApiRequest,
): Promise<void> {
  const response = await client.call(request, movedTask);
  Object.assign(task, stateOf(response.task));
}

/** Runs `work` for each task, and calls `onDone` with the number of tasks that are done. */
function forEachOf(
  tasks: readonly DemoTask[],
  onDone: (done: number) => void,
  work: (task: DemoTask) => Promise<void>,
): Promise<void> {
  let done = 0;
  return inParallel(tasks, async (task) => {
    await work(task);
    done += 1;
    onDone(done);
  });
}
