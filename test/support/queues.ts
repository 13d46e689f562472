import type { Queues } from "../../src/actions/outgoing/send-outgoing.ts";
import type { QueueBinding } from "../../src/env.ts";
import { createMessageQueue } from "../../src/queues/message-queue.ts";

/** A queue without a consumer that keeps all messages, for counting what was sent. */
export interface CountingQueue extends QueueBinding {
  sent: unknown[];
}

export function countingQueue(): CountingQueue {
  const sent: unknown[] = [];
  return {
    sent,
    sendBatch: async (messages) => {
      sent.push(...messages.map(({ body }) => body));
    },
  };
}

/** The same for code that sends without the Worker. */
export function countedQueues(): Queues {
  return {
    dispatch: createMessageQueue(countingQueue()),
    bulk: createMessageQueue(countingQueue()),
    webhook: createMessageQueue(countingQueue()),
    seed: createMessageQueue(countingQueue()),
  };
}

/** The Worker's queue bindings, which keep all messages. */
export function queueBindings() {
  return {
    DISPATCH_QUEUE: countingQueue(),
    BULK_QUEUE: countingQueue(),
    WEBHOOK_QUEUE: countingQueue(),
    SEED_QUEUE: countingQueue(),
  };
}
