import { sql } from "drizzle-orm";
import type { Database } from "../connection/client.ts";

/** A queue message that nobody could work through, with the evidence. */
export interface DeadLetter {
  queue: string;
  messageId: string;
  reason: string;
  /** As it came, as JSON text. */
  body: string;
}

/** Keeps a message; one that is kept already stays as it is. */
export async function keepDeadLetter(database: Database, letter: DeadLetter): Promise<void> {
  const { queue, messageId, reason, body } = letter;
  await database.acrossTenants(
    sql`select keep_dead_letter(${queue}, ${messageId}, ${reason}, ${body})`,
  );
}
