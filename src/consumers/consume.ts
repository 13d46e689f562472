import type * as z from "zod";
import type { DeadLetter } from "../db/ledger/dead-letters.ts";

/** A batch of messages, as far as it is used. */
export interface MessageBatch {
  readonly queue: string;
  readonly messages: readonly QueuedMessage[];
}

export interface QueuedMessage {
  readonly id: string;
  readonly body: unknown;
  /** How often it was handed out, this time included. */
  readonly attempts: number;
  ack(): void;
  retry(options?: { delaySeconds?: number }): void;
}

/** What became of a message: worked through, or to come again. */
export type Handled = "done" | { retryAfterSeconds: number };

/** One queue's consumer: how its messages read, and what is done about one. */
export interface Consumer<Message> {
  schema: z.ZodType<Message>;
  handle: (message: Message, about: QueuedMessage) => Promise<Handled>;
}

export interface ConsumerTools {
  /** Keeps a message that cannot be worked through, with the reason. */
  keepDeadLetter: (letter: DeadLetter) => Promise<void>;
  reportDefect: (error: unknown, about: { queue: string; messageId: string }) => void;
}

/**
 * Works through a batch, each message by itself: parsed first, acknowledged or sent back alone, so that one that
 * fails takes no other with it. Each may come twice, and any number of them at once.
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
          await tools.keepDeadLetter(deadLetter(queue, message, "It is no message of this queue."));
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

/** A message as evidence. */
export function deadLetter(queue: string, { id, body }: QueuedMessage, reason: string): DeadLetter {
  return { queue, messageId: id, reason, body: JSON.stringify(body) ?? "null" };
}

const BACKOFF_SECONDS_MAX = 10 * 60;

/** 10, 20, 40 seconds and so on: what failed once because something was away may fail again at once. */
function backoffSeconds(attempts: number): number {
  return Math.min(10 * 2 ** (attempts - 1), BACKOFF_SECONDS_MAX);
}
