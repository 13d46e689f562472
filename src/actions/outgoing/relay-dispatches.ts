import type { Database } from "../../db/connection/client.ts";
import {
  claimDispatches,
  type DispatchRef,
  markDispatchesSent,
} from "../../db/dispatches/outbox.ts";
import type { MessageQueue } from "../../queues/message-queue.ts";
import type { DispatchMessage } from "../../queues/messages.ts";

/** What one claim takes: it is sent in ten batches. */
const CLAIM_ROWS_MAX = 1000;
/** A Worker may make only so many calls; what is left waits for the next relay. */
const CLAIMS_MAX = 20;

/**
 * Sends what lies in the outbox, of every tenant. It may be called at any time, beside itself, and break off
 * anywhere: a message that is sent twice does nothing more, and one that was not is sent by a later relay.
 */
export async function relayDispatches({
  database,
  queue,
}: {
  database: Database;
  queue: MessageQueue<DispatchMessage>;
}): Promise<number> {
  let relayed = 0;
  for (let claim = 0; claim < CLAIMS_MAX; claim += 1) {
    const claimed = await claimDispatches(database, CLAIM_ROWS_MAX);
    relayed += await send(claimed);
    if (claimed.length < CLAIM_ROWS_MAX) break;
  }
  return relayed;

  async function send(claimed: readonly DispatchRef[]): Promise<number> {
    const sent: DispatchRef[] = [];
    try {
      await queue.send(
        claimed.map(({ tenantId, id }) => ({ version: 1, tenantId, dispatchId: id })),
        {
          onSent: (messages) => {
            sent.push(...messages.map(({ tenantId, dispatchId: id }) => ({ tenantId, id })));
          },
        },
      );
    } finally {
      await markDispatchesSent(database, sent);
    }
    return sent.length;
  }
}
