import { sql } from "drizzle-orm";
import {
  foreignKey,
  integer,
  index,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from "drizzle-orm/pg-core";
import { REVIEW_KINDS, REVIEW_OUTCOMES } from "../../domain/lifecycle/statuses.ts";
import { id, oneOf, tenantId, writtenAt } from "./columns.ts";
import { stepEvents } from "./step-events.ts";
import { steps } from "./steps.ts";

/** A verdict on one step. `sequence` numbers a task's reviews and defines their order; the clock does not. */
export const reviews = pgTable(
  "reviews",
  {
    tenantId: tenantId(),
    id: id(),
    taskId: uuid().notNull(),
    versionId: uuid().notNull(),
    stepId: uuid().notNull(),
    kind: text({ enum: REVIEW_KINDS }).notNull(),
    outcome: text({ enum: REVIEW_OUTCOMES }).notNull(),
    sequence: integer().notNull(),
    notes: text(),
    reviewerId: text().notNull(),
    reviewerName: text().notNull(),
    /** The event that withdrew the review, which then counts no more. Null for a review that counts. */
    withdrawnSeq: integer(),
    createdAt: writtenAt(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique("reviews_sequence").on(t.tenantId, t.taskId, t.sequence),
    index("reviews_step").on(t.tenantId, t.stepId, t.sequence),
    // For the list of one person's reviews.
    index("reviews_reviewer").on(t.tenantId, t.reviewerId, t.id),
    index("reviews_failed")
      .on(t.tenantId, t.createdAt, t.taskId, t.stepId)
      .where(sql`outcome = 'failed'`),
    foreignKey({
      name: "reviews_step_fk",
      columns: [t.tenantId, t.stepId, t.taskId, t.versionId],
      foreignColumns: [steps.tenantId, steps.id, steps.taskId, steps.versionId],
    }),
    foreignKey({
      name: "reviews_withdrawal_fk",
      columns: [t.tenantId, t.taskId, t.withdrawnSeq],
      foreignColumns: [stepEvents.tenantId, stepEvents.taskId, stepEvents.seq],
    }),
    oneOf("reviews_kind", t.kind, REVIEW_KINDS),
    oneOf("reviews_outcome", t.outcome, REVIEW_OUTCOMES),
  ],
);
