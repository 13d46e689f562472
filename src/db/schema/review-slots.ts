import { sql } from "drizzle-orm";
import {
  check,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  smallint,
  text,
  unique,
  uuid,
} from "drizzle-orm/pg-core";
import { createdAt, id, moment, tenantId } from "./columns.ts";
import { steps } from "./steps.ts";

/**
 * Who holds a place in the review of a step, and until when. A round ends with an expert review of the step. A claim that
 * has ended is taken over in place, so a step has a row for each slot, and one for each person who declined it.
 */
export const reviewSlots = pgTable(
  "review_slots",
  {
    tenantId: tenantId(),
    id: id(),
    taskId: uuid().notNull(),
    versionId: uuid().notNull(),
    stepId: uuid().notNull(),
    /** The number of expert reviews of the step before, plus one. */
    round: integer().notNull(),
    /** Counts from 1. Null for a person who declined, whose slot is free for others. */
    slot: smallint(),
    /** Who holds it: a person with any of their credentials, or the credential of a machine. */
    person: text().notNull(),
    actorId: text().notNull(),
    actorName: text().notNull(),
    /** The newest event of the task when it was claimed. */
    taskSeq: integer().notNull(),
    leaseSeconds: integer().notNull(),
    leaseUntil: moment().notNull(),
    /** The notes that the holder has saved. */
    draft: text(),
    declinedAt: moment(),
    declineReason: text(),
    /** The call that claimed it. */
    operationId: uuid().notNull(),
    claimedAt: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique("review_slots_slot").on(t.tenantId, t.stepId, t.round, t.slot),
    unique("review_slots_person").on(t.tenantId, t.stepId, t.round, t.person),
    // For the list of claims.
    index("review_slots_lease")
      .on(t.tenantId, t.leaseUntil)
      .where(sql`slot is not null`),
    // For the call that has just claimed.
    index("review_slots_operation").on(t.tenantId, t.operationId),
    foreignKey({
      name: "review_slots_step_fk",
      columns: [t.tenantId, t.stepId, t.taskId, t.versionId],
      foreignColumns: [steps.tenantId, steps.id, steps.taskId, steps.versionId],
    }),
    check("review_slots_counted", sql`${t.round} > 0 and ${t.slot} > 0`),
    check(
      "review_slots_declined",
      sql`num_nulls(${t.declinedAt}, ${t.declineReason}) in (0, 2) and (${t.slot} is null) = (${t.declinedAt} is not null)`,
    ),
  ],
);
