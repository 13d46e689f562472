import { bigint, index, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { moment, oneOf, tenantId } from "./columns.ts";

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

/** Objects that no row names. The sweep deletes them after 30 days, unless a row names them by then. */
export const orphanedObjects = pgTable(
  "orphaned_objects",
  {
    tenantId: tenantId(),
    objectKey: text().notNull(),
    /** When the sweep first found it without a row, or when the bucket was adopted afterwards. */
    orphanedAt: moment().notNull().defaultNow(),
    /** When an operator allowed to delete it with many others. */
    approvedAt: moment(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.objectKey] }),
    index("orphaned_objects_age").on(t.orphanedAt),
  ],
);

/** `own`: begun by this database. `unknown`: found in the bucket only. `adopted`: taken over by an operator. */
const SWEEP_STATES = ["own", "unknown", "adopted"] as const;

/**
 * The daily sweeps of the bucket. Each also writes its number and id to the bucket: a database that does not know the
 * bucket's sweep was restored from an older backup.
 */
export const sweeps = pgTable(
  "sweeps",
  {
    id: uuid().primaryKey(),
    number: bigint({ mode: "number" }).notNull(),
    state: text({ enum: SWEEP_STATES }).notNull(),
    /** When it began, or when it was first found in the bucket. */
    createdAt: moment().notNull().defaultNow(),
    adoptedAt: moment(),
  },
  (t) => [oneOf("sweeps_state", t.state, SWEEP_STATES)],
);

/** Where the next run of a sweep resumes, if one run cannot look through everything. */
export const sweepPositions = pgTable("sweep_positions", {
  sweep: text().primaryKey(),
  position: text().notNull(),
});
