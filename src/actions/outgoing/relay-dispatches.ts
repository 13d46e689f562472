import type { Database } from "../../db/connection/client.ts";
import {
  claimDispatches,
  type DispatchRef,
  markDispatchesSent,
} from "../../db/dispatches/outbox.ts";
import type { MessageQueue } from "../../queues/message-queue.ts";
import type { DispatchMessage } from "../../queues/messages.ts";
import { inBatches } from "../call/in-batches.ts";

/** A claim of 1,000 rows goes to the queue in ten batches. What exceeds 20 claims waits for the next relay. */
const LIMITS = { rows: 1000, batches: 20 };

/**
 * Sends the outbox of every tenant to the queue, and returns how many dispatches it sent. It can run concurrently with
 * itself and stop anywhere: a message sent twice does nothing more, and one not sent is sent by a later relay.
 */
export async function relayDispatches({
  database,
  queue,
}: {
  database: Database;
  queue: MessageQueue<DispatchMessage>;
}): Promise<number> {
  const { total } = await inBatches(LIMITS, async () => {
    const claimed = await claimDispatches(database, LIMITS.rows);
    await send(claimed);
    return claimed.length;
  });
  return total;

  async function send(claimed: readonly DispatchRef[]): Promise<void> {
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
  }
}
