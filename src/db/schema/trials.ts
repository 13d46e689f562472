import { sql } from "drizzle-orm";
import {
  check,
  doublePrecision,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  smallint,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { TRIAL_STATUSES } from "../../domain/evals/statuses.ts";
import { id, moment, oneOf, tenantId, writtenAt } from "./columns.ts";
import { evals } from "./evals.ts";

/** One attempt on a slot of an eval. Retraction frees its slot and keeps the row. */
export const trials = pgTable(
  "trials",
  {
    tenantId: tenantId(),
    id: id(),
    evalId: uuid().notNull(),
    taskId: uuid().notNull(),
    k: smallint().notNull(),
    model: text().notNull(),
    modelRevision: text(),
    agent: text(),
    agentRevision: text(),
    provider: text(),
    /** A JSON array of the values that distinguish the trial in its eval. trial_slot() writes it. Null: the model alone. */
    slot: text(),
    status: text({ enum: TRIAL_STATUSES }).notNull(),
    score: doublePrecision(),
    error: text(),
    outputDataId: uuid(),
    /** The newest event of its eval about this trial. The trial is in the state that this event recorded. */
    eventSeq: integer().notNull(),
    retractedAt: moment(),
    retractedBy: text(),
    retractReason: text(),
    createdBy: text().notNull(),
    createdAt: writtenAt(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex("trials_live_slot")
      // A digest, because five of the longest names do not fit into an entry of an index.
      .on(t.tenantId, t.evalId, t.k, t.model, sql`text_digest(coalesce(slot, ''))`)
      .where(sql`retracted_at is null`),
    index("trials_eval").on(t.tenantId, t.evalId, t.id),
    index("trials_model").on(t.tenantId, t.model, t.modelRevision, t.id),
    // For the sweep, which checks for each row of `data` whether a trial names it.
    index("trials_output")
      .on(t.tenantId, t.outputDataId)
      .where(sql`output_data_id is not null`),
    foreignKey({
      name: "trials_eval_fk",
      columns: [t.tenantId, t.evalId, t.taskId],
      foreignColumns: [evals.tenantId, evals.id, evals.taskId],
    }),
    oneOf("trials_status", t.status, TRIAL_STATUSES),
    check(
      "trials_scored",
      sql`${t.status} <> 'scored' or (${t.score} is not null and abs(${t.score}) < 'Infinity')`,
    ),
    check("trials_k_positive", sql`${t.k} >= 1`),
    check(
      "trials_retraction",
      sql`(${t.retractedAt} is null) = (${t.retractedBy} is null) and (${t.retractedAt} is null) = (${t.retractReason} is null)`,
    ),
  ],
);
