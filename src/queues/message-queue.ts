import type { QueueBinding } from "../env.ts";

/** The platform limits a batch to 100 messages and 256 KB. */
const BATCH_MESSAGES_MAX = 100;
const BATCH_BYTES_MAX = 240_000;
/** What the platform counts for a message in addition to its body. */
const METADATA_BYTES = 100;

export interface SendOptions<Message> {
  /** How long the messages stay hidden from consumers. */
  delaySeconds?: number;
  /** Called after each batch that is persisted. */
  onSent?: (sent: readonly Message[]) => void;
}

/** A queue that accepts any number of messages of one kind. */
export interface MessageQueue<Message> {
  /** @throws the platform's error, in which case messages not reported to `onSent` may or may not have been sent. */
  send: (messages: readonly Message[], options?: SendOptions<Message>) => Promise<void>;
}

/** Creates a queue over a binding. It sends as few batches as the platform's limits allow. */
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

/** Splits messages into batches that fit the platform's limits. */
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
