import { pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { createdAt } from "./columns.ts";

/**
 * Queue messages that could not be processed, kept as evidence. A message may not name its tenant, so the application
 * cannot read this table. It writes through a function of the owner's (drizzle/functions/keep_dead_letter.sql).
 */
export const deadLetters = pgTable(
  "dead_letters",
  {
    queue: text().notNull(),
    messageId: text().notNull(),
    reason: text().notNull(),
    /** The body as received, as JSON text. */
    body: text().notNull(),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ columns: [t.queue, t.messageId] })],
);
