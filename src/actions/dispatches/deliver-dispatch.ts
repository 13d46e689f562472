import { uuidv7 } from "uuidv7";
import type { TenantDatabase } from "../../db/connection/client.ts";
import { beginDispatch, type DispatchAttempt } from "../../db/dispatches/begin-dispatch.ts";
import { endDispatch } from "../../db/dispatches/end-dispatch.ts";
import { type DispatchAttemptEnd, endOfAttempt } from "../../domain/pipelines/dispatch-attempts.ts";
import { type Outbound, postSigned, type SignedMessage } from "../../outbound/post-signed.ts";
import { openSecrets, UNOPENED, UNOPENED_DELAY_SECONDS } from "../secrets/open-secrets.ts";
import { deliver, type Delivery } from "../outgoing/deliver.ts";
import { pipelineMessage } from "./pipeline-message.ts";

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
      const owner = { kind: "pipeline", name: attempt.pipeline } as const;
      const secrets = await openSecrets({ database, outbound }, owner, attempt.secrets);
      if (secrets === null) return UNSIGNED;
      const message = { ...messageOf(dispatchId, attempt, now), secrets };
      return endOfAttempt(await postSigned(message, outbound), attempt.attempt);
    },
    record: (end) => endDispatch(database, lease, end),
  });
}

/** Without its secret, the dispatch waits. That is no failure of its endpoint, so it never makes the dispatch dead. */
const UNSIGNED: DispatchAttemptEnd = {
  state: "sent",
  error: UNOPENED,
  delaySeconds: UNOPENED_DELAY_SECONDS,
  isCounted: false,
};

function messageOf(
  id: string,
  delivery: DispatchAttempt,
  timestamp: Date,
): Omit<SignedMessage, "secrets"> {
  const { endpoint: url, timeoutSeconds } = delivery;
  const body = JSON.stringify(pipelineMessage(id, delivery, timestamp));
  return { url, id, timestamp, body, timeoutMs: timeoutSeconds * 1000 };
}
