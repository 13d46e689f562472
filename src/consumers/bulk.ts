import { sendOutgoing, type SendingTools } from "../actions/outgoing/send-outgoing.ts";
import { workOnBulk } from "../actions/bulk/work-on-bulk.ts";
import { type BulkMessage, bulkMessage } from "../queues/messages.ts";
import type { Consumer } from "./consume.ts";

/** A message's share of an operation: then another one goes on, and no worker comes near the platform's limits. */
const CHUNKS_PER_MESSAGE_MAX = 10;
/** Somebody else is at the same chunk. Should that one not come back, this message finds the rest. */
const BUSY_RETRY_SECONDS = 10;

/** Goes on with bulk operations: any number of messages about one operation may come, at once or again. */
export function bulkConsumer(tools: SendingTools): Consumer<BulkMessage> {
  return {
    schema: bulkMessage,
    handle: async (message) => {
      const database = tools.database.forTenant(message.tenantId);
      try {
        const progress = await workOnBulk(database, message.operationId, {
          chunksMax: CHUNKS_PER_MESSAGE_MAX,
        });
        if (progress === "busy") return { retryAfterSeconds: BUSY_RETRY_SECONDS };
        if (progress === "unfinished") await tools.queues.bulk.send([message]);
        return "done";
      } finally {
        // Also what was done before this broke off.
        await sendOutgoing(tools, database);
      }
    },
  };
}
