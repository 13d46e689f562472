import type { QueueBinding } from "../../src/env.ts";

/** A queue that nobody consumes and that forgets nothing: for counting what was sent. */
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

/** The Worker's queues, each counting. */
export function queueBindings() {
  return {
    DISPATCH_QUEUE: countingQueue(),
    BULK_QUEUE: countingQueue(),
    WEBHOOK_QUEUE: countingQueue(),
  };
}
