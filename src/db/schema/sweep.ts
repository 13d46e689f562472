import { pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { moment, tenantId } from "./columns.ts";

/**
 * Objects that the sweep deletes. It claims an object before it deletes it, so that a concurrent upload of the same
 * content learns that it must be repeated.
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

/** Where the next run of a sweep resumes, if one run cannot look through everything. */
export const sweepPositions = pgTable("sweep_positions", {
  sweep: text().primaryKey(),
  position: text().notNull(),
});
