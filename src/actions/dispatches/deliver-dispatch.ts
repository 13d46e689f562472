import { uuidv7 } from "uuidv7";
import type { TenantDatabase } from "../../db/connection/client.ts";
import { beginDispatch, type DispatchAttempt } from "../../db/dispatches/begin-dispatch.ts";
import { endDispatch } from "../../db/dispatches/end-dispatch.ts";
import { endOfAttempt } from "../../domain/pipelines/dispatch-attempts.ts";
import { type Outbound, postSigned, type SignedMessage } from "../../outbound/post-signed.ts";
import { deliver, type Delivery } from "../outgoing/deliver.ts";
import { stepView, taskView } from "../views/task-view.ts";

/**
 * Makes one attempt at delivering a dispatch: creates its run and calls its endpoint, unless there is nothing left to
 * do. It can run concurrently with itself and stop anywhere, because a dispatch has one run and its messages one id.
 */
export function deliverDispatch(
  { database, outbound, now }: { database: TenantDatabase; outbound: Outbound; now: Date },
  dispatchId: string,
): Promise<Delivery> {
  const lease = { dispatchId, owner: uuidv7() };
  return deliver({
    claim: () => beginDispatch(database, { ...lease, runId: uuidv7() }),
    post: async (attempt) => {
      const posted = await postSigned(messageOf(dispatchId, attempt, now), outbound);
      return endOfAttempt(posted, attempt.attempt);
    },
    record: (end) => endDispatch(database, lease, end),
  });
}

function messageOf(id: string, delivery: DispatchAttempt, timestamp: Date): SignedMessage {
  const { endpoint, secrets, timeoutSeconds, pipeline, run, task, version, step } = delivery;
  const data = {
    dispatchId: id,
    pipeline,
    run,
    task: taskView(task),
    version,
    step: stepView(task.id, task.step.id, step),
    /** Where the worker reports, relative to the service's own address. */
    reportTo: `/v1/worker-runs/${run.id}`,
  };
  return {
    url: endpoint,
    id,
    timestamp,
    body: JSON.stringify({
      type: "pipeline.requested",
      timestamp: timestamp.toISOString(),
      data,
    }),
    secrets,
    timeoutMs: timeoutSeconds * 1000,
  };
}
