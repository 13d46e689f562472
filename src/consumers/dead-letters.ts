import * as z from "zod";
import { consume, type ConsumerTools, deadLetter, type MessageBatch } from "./consume.ts";

/** Marks what a message was about as dead. */
export type GiveUp = (body: unknown) => Promise<void>;

/**
 * Stores the messages that a queue gave up on, before the platform deletes them. The sweep resumes their work, or
 * `giveUp` marks it as dead.
 */
export function consumeDeadLetters(
  batch: MessageBatch,
  tools: ConsumerTools,
  giveUp: GiveUp = async () => {},
): Promise<void> {
  return consume(
    batch,
    {
      schema: z.unknown(),
      handle: async (_, message) => {
        await tools.keepDeadLetter(
          deadLetter(batch.queue, message, "The queue gave up on the message after all retries."),
        );
        await giveUp(message.body);
        return "done";
      },
    },
    tools,
  );
}
