import { sql } from "drizzle-orm";
import type { Database } from "../connection/client.ts";

/** A queue message that could not be processed. */
export interface DeadLetter {
  queue: string;
  messageId: string;
  reason: string;
  /** The message as it was received, as JSON text. */
  body: string;
}

/** Stores a dead letter. Does nothing if the message is already stored. */
export async function keepDeadLetter(database: Database, letter: DeadLetter): Promise<void> {
  const { queue, messageId, reason, body } = letter;
  await database.acrossTenants(
    sql`select keep_dead_letter(${queue}, ${messageId}, ${reason}, ${body})`,
  );
}
