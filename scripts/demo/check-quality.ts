import type { ApiClient, ApiRequest } from "../import/api-client.ts";
import { inParallel } from "../import/in-parallel.ts";
import { movedTask, started } from "./api.ts";
import { type HerdTask, standingOf } from "./herd.ts";

/** Whether a task waits for its quality check. */
export const awaitsCheck = ({ kind, status }: HerdTask) =>
  kind === "pre_qa" && (status === "queued" || status === "running");

/** Whether the check found a task wanting, and no person has looked at it yet. */
export const awaitsReviewer = ({ kind, status, verdict }: HerdTask) =>
  kind === "pre_qa" && status === "awaiting_review" && verdict === "failed";

/** Whether a task that should pass has passed, and waits to be submitted. */
export const awaitsSubmission = ({ kind, status, verdict }: HerdTask) =>
  kind === "pre_qa" && status === "approved" && verdict === "passed";

/** Plays the worker that checks quality: opens a run for each task and reports the file's own verdict. */
export async function checkQuality(
  client: ApiClient,
  herd: readonly HerdTask[],
  onChecked: (done: number) => void,
): Promise<void> {
  await forEachOf(herd, onChecked, async (task) => {
    const { id } = await client.call(
      {
        method: "POST",
        path: `/tasks/${task.id}/worker-runs`,
        body: { type: "QUALITY_AUTOMATION", externalRef: `demo ${task.externalId}` },
      },
      started,
    );
    const body = { state: "SUCCEEDED", verdict: task.verdict };
    await note(client, task, { method: "PATCH", path: `/worker-runs/${id}`, body });
  });
}

/** Plays the reviewer who looks at each failed check and agrees with it. */
export async function confirmFailures(
  client: ApiClient,
  herd: readonly HerdTask[],
  onReviewed: (done: number) => void,
): Promise<void> {
  await forEachOf(herd, onReviewed, async (task) => {
    const body = {
      kind: "expert",
      outcome: "failed",
      notes: "The solution does not come to the known answer.",
      move: { status: "changes_requested", reason: "The check is right: the answer is wrong." },
    };
    await note(client, task, { method: "POST", path: `/tasks/${task.id}/reviews`, body });
  });
}

/** Makes a call that moves a task, and notes where it stands then. */
async function note(client: ApiClient, task: HerdTask, request: ApiRequest): Promise<void> {
  const answer = await client.call(request, movedTask);
  Object.assign(task, standingOf(answer.task));
}

/** Works through the tasks, and tells how many are done. */
function forEachOf(
  herd: readonly HerdTask[],
  onDone: (done: number) => void,
  work: (task: HerdTask) => Promise<void>,
): Promise<void> {
  let done = 0;
  return inParallel(herd, async (task) => {
    await work(task);
    done += 1;
    onDone(done);
  });
}
