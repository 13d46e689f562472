import type { ApiClient, ApiRequest } from "../import/api-client.ts";
import { movedTask, started } from "./api.ts";
import { type HerdTask, standingOf } from "./herd.ts";

/** Calls under way at once: enough to hide the waiting, too few to crowd out anybody. */
const CALLS_MAX = 12;

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

/** Works through a list, a few at a time. The first that fails ends all. */
async function forEachOf<Item>(
  items: readonly Item[],
  onDone: (done: number) => void,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  let done = 0;
  const worker = async (): Promise<void> => {
    for (const item of rest) {
      await work(item);
      done += 1;
      onDone(done);
    }
  };
  await Promise.all(Array.from({ length: CALLS_MAX }, worker));
}
