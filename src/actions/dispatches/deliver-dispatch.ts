import { uuidv7 } from "uuidv7";
import type { TenantDatabase } from "../../db/connection/client.ts";
import { beginDispatch, type DispatchAttempt } from "../../db/dispatches/begin-dispatch.ts";
import { endDispatch } from "../../db/dispatches/end-dispatch.ts";
import { endOfAttempt } from "../../domain/pipelines/delivery.ts";
import { type Outbound, postSigned, type SignedMessage } from "../../outbound/post-signed.ts";
import { stepView, taskView } from "../views/task-view.ts";

/** Whether the message about it has done what it was for, or is to come again. */
export type Delivery = "done" | { retryAfterSeconds: number };

/**
 * Delivers a dispatch, or finds that there is nothing left to do about it: its run is made and its endpoint called.
 * It may be called at any time, beside itself, and break off anywhere: one dispatch makes one run, and every message
 * to its endpoint bears the same id.
 */
export async function deliverDispatch(
  { database, outbound, now }: { database: TenantDatabase; outbound: Outbound; now: Date },
  dispatchId: string,
): Promise<Delivery> {
  const attempt = { dispatchId, owner: uuidv7() };
  const found = await beginDispatch(database, { ...attempt, runId: uuidv7() });
  if (found.outcome === "settled") return "done";
  if (found.outcome === "later") return { retryAfterSeconds: found.seconds };

  const { delivery } = found;
  const posted = await postSigned(messageAbout(dispatchId, delivery, now), outbound);
  const end = endOfAttempt(posted, delivery.attempt);
  await endDispatch(database, attempt, end);
  return end.state === "sent" ? { retryAfterSeconds: end.delaySeconds } : "done";
}

function messageAbout(id: string, delivery: DispatchAttempt, timestamp: Date): SignedMessage {
  const { endpoint, secrets, timeoutSeconds, pipeline, run, task, version, step } = delivery;
  const data = {
    dispatchId: id,
    pipeline,
    run,
    task: taskView(task),
    version,
    step: stepView(task.id, task.step.id, step),
    /** Where its worker reports, below the service's own address. */
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
