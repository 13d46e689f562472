import { sendOutgoing, type SendingTools } from "../actions/outgoing/send-outgoing.ts";
import { workOnBulk } from "../actions/bulk/work-on-bulk.ts";
import { type BulkMessage, bulkMessage } from "../queues/messages.ts";
import type { Consumer } from "./consume.ts";

/** Chunks that one message works through before it hands over to another, to stay below the platform's limits. */
const CHUNKS_PER_MESSAGE_MAX = 10;
/** When to retry if another worker holds the chunk. If that worker dies, the retry finishes its work. */
const BUSY_RETRY_SECONDS = 10;
/** A message that found another worker so often is a duplicate. It is dropped before it becomes a dead letter. */
const BUSY_ATTEMPTS_MAX = 8;

/** The consumer of `stepledger-bulk`: works on operations. Messages may arrive concurrently and more than once. */
export function bulkConsumer(tools: SendingTools): Consumer<BulkMessage> {
  return {
    schema: bulkMessage,
    handle: async (message, { attempts }) => {
      const database = tools.database.forTenant(message.tenantId);
      try {
        const progress = await workOnBulk(database, message.operationId, {
          chunksMax: CHUNKS_PER_MESSAGE_MAX,
        });
        if (progress === "busy" && attempts < BUSY_ATTEMPTS_MAX) {
          return { retryAfterSeconds: BUSY_RETRY_SECONDS };
        }
        if (progress === "unfinished") await tools.queues.bulk.send([message]);
        return "done";
      } finally {
        // Also sends what was committed before an error.
        await sendOutgoing(tools, database);
      }
    },
  };
}
