import type * as z from "zod";
import type { DeadLetter } from "../db/ledger/dead-letters.ts";

/** The part of the platform's message batch that is used. */
export interface MessageBatch {
  readonly queue: string;
  readonly messages: readonly QueuedMessage[];
}

export interface QueuedMessage {
  readonly id: string;
  readonly body: unknown;
  /** How often it was delivered, including this time. */
  readonly attempts: number;
  ack(): void;
  retry(options?: { delaySeconds?: number }): void;
}

/** Whether a message is done or must be retried. */
export type Handled = "done" | { retryAfterSeconds: number };

/** The consumer of one queue. */
export interface Consumer<Message> {
  schema: z.ZodType<Message>;
  handle: (message: Message, queued: QueuedMessage) => Promise<Handled>;
}

export interface ConsumerTools {
  /** Stores a message that cannot be processed, with the reason. */
  keepDeadLetter: (letter: DeadLetter) => Promise<void>;
  reportDefect: (error: unknown, source: { queue: string; messageId: string }) => void;
}

/**
 * Processes a batch concurrently. Each message is parsed, then acknowledged or retried on its own, so that one failure
 * does not affect the others. A handler must expect duplicates.
 */
export async function consume<Message>(
  batch: MessageBatch,
  { schema, handle }: Consumer<Message>,
  tools: ConsumerTools,
): Promise<void> {
  const { queue } = batch;
  await Promise.all(
    batch.messages.map(async (message) => {
      try {
        const parsed = schema.safeParse(message.body);
        if (!parsed.success) {
          await tools.keepDeadLetter(
            deadLetter(queue, message, "The message does not match the queue's schema."),
          );
          return message.ack();
        }
        const handled = await handle(parsed.data, message);
        if (handled === "done") return message.ack();
        message.retry({ delaySeconds: handled.retryAfterSeconds });
      } catch (error) {
        tools.reportDefect(error, { queue, messageId: message.id });
        message.retry({ delaySeconds: backoffSeconds(message.attempts) });
      }
    }),
  );
}

/** A message as the database stores it, with the reason why it could not be processed. */
export function deadLetter(queue: string, { id, body }: QueuedMessage, reason: string): DeadLetter {
  return { queue, messageId: id, reason, body: JSON.stringify(body) ?? "null" };
}

const BACKOFF_SECONDS_MAX = 10 * 60;

/** 10, 20, 40 seconds and so on, because a dependency that is down often stays down for a while. */
function backoffSeconds(attempts: number): number {
  return Math.min(10 * 2 ** (attempts - 1), BACKOFF_SECONDS_MAX);
}
