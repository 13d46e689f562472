import * as z from "zod";
import { consume, type ConsumerTools, deadLetter, type MessageBatch } from "./consume.ts";

/** Says what follows for the thing that a message was about. */
export type GiveUp = (body: unknown) => Promise<void>;

/**
 * Keeps the messages that a queue gave up on, before the platform throws them away. What they were about goes on by
 * the sweep, or is told as dead by its own rows.
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
          deadLetter(batch.queue, message, "Its queue gave it up after every retry."),
        );
        await giveUp(message.body);
        return "done";
      },
    },
    tools,
  );
}
