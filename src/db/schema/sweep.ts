import { pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { moment, tenantId } from "./columns.ts";

/**
 * Objects that the sweep takes away: claimed first, deleted after, so that an upload of the same content at that
 * moment learns that it must come again.
 */
export const sweptObjects = pgTable(
  "swept_objects",
  {
    tenantId: tenantId(),
    objectKey: text().notNull(),
    claimedAt: moment().notNull().defaultNow(),
    deletedAt: moment(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.objectKey] })],
);

/** Where a sweep that looks through more than one run can goes on. */
export const sweepPositions = pgTable("sweep_positions", {
  sweep: text().primaryKey(),
  position: text().notNull(),
});
