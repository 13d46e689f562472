import type { ConsumeBatch } from "../../src/consumers/index.ts";
import type { CountingQueue } from "./queues.ts";

/** A message that the consumer wants to receive again. */
export interface Retried {
  body: unknown;
  delaySeconds: number | undefined;
}

const BATCH_MESSAGES = 10;

/**
 * Delivers everything in a queue to its consumer, including what the consumer sends meanwhile. Returns the messages to
 * retry, which the caller may put back.
 */
export async function drain(
  queue: CountingQueue,
  name: string,
  consume: ConsumeBatch,
): Promise<Retried[]> {
  const retried: Retried[] = [];
  while (queue.sent.length > 0) {
    const messages = queue.sent.splice(0, BATCH_MESSAGES).map((body) => ({
      id: crypto.randomUUID(),
      body,
      attempts: 1,
      ack: () => {},
      retry: ({ delaySeconds }: { delaySeconds?: number } = {}) => {
        retried.push({ body, delaySeconds });
      },
    }));
    await consume({ queue: name, messages });
  }
  return retried;
}
