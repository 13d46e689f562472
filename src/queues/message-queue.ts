import type { QueueBinding } from "../env.ts";

/** What one `sendBatch` takes, under the platform's limits of 100 messages and 256 KB. */
const BATCH_MESSAGES_MAX = 100;
const BATCH_BYTES_MAX = 240_000;
/** What the platform counts for a message beside its body. */
const METADATA_BYTES = 100;

export interface SendOptions<Message> {
  /** No consumer sees the messages before. */
  delaySeconds?: number;
  /** Called after each batch that is on disk. */
  onSent?: (sent: readonly Message[]) => void;
}

/** A queue that takes any number of messages of one kind. */
export interface MessageQueue<Message> {
  /** @throws what the platform throws: of the messages that `onSent` did not tell of nothing is known. */
  send: (messages: readonly Message[], options?: SendOptions<Message>) => Promise<void>;
}

/** Sends over a queue of the platform's, in as few batches as its limits allow. */
export function createMessageQueue<Message>(binding: QueueBinding): MessageQueue<Message> {
  return {
    async send(messages, { delaySeconds, onSent } = {}) {
      for (const batch of batchesOf(messages)) {
        const bodies = batch.map((body) => ({ body }));
        await binding.sendBatch(bodies, ...(delaySeconds === undefined ? [] : [{ delaySeconds }]));
        onSent?.(batch);
      }
    },
  };
}

/** Cuts messages into batches that one call takes. */
export function batchesOf<Message>(messages: readonly Message[]): Message[][] {
  const batches: Message[][] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = new TextEncoder().encode(JSON.stringify(message)).length + METADATA_BYTES;
    const batch = batches.at(-1);
    const isFull = batch?.length === BATCH_MESSAGES_MAX || bytes + size > BATCH_BYTES_MAX;
    if (batch === undefined || isFull) {
      batches.push([message]);
      bytes = size;
    } else {
      batch.push(message);
      bytes += size;
    }
  }
  return batches;
}
