import { pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { createdAt } from "./columns.ts";

/**
 * Queue messages that nobody could work through, with the evidence. They may not say whose they are, so no tenant
 * sees them: they are kept by a function of the owner's, and read with `npm run verify`.
 */
export const deadLetters = pgTable(
  "dead_letters",
  {
    queue: text().notNull(),
    messageId: text().notNull(),
    reason: text().notNull(),
    /** As it came, as JSON text. */
    body: text().notNull(),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ columns: [t.queue, t.messageId] })],
);
