import { sql } from "drizzle-orm";
import {
  boolean,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { DISPATCH_STATES } from "../../domain/pipelines/states.ts";
import { PIPELINE_NAMES, PIPELINES_OF_VERSION } from "../../domain/pipelines/pipelines.ts";
import { bulkOperations } from "./bulk-operations.ts";
import { createdAt, id, moment, oneOf, tenantId } from "./columns.ts";
import { stepEvents } from "./step-events.ts";
import { steps } from "./steps.ts";

/** The outbox: one request that a pipeline run, written in the transaction of the change that asked for it. */
export const pipelineDispatches = pgTable(
  "pipeline_dispatches",
  {
    tenantId: tenantId(),
    id: id(),
    pipeline: text({ enum: PIPELINE_NAMES }).notNull(),
    taskId: uuid().notNull(),
    versionId: uuid().notNull(),
    stepId: uuid().notNull(),
    causeSeq: integer().notNull(),
    /** Somebody asked for it alone, by name, rather than by opting in with a move. */
    byHand: boolean().notNull().default(false),
    /** The bulk operation that asked for it, where one did. */
    bulkOperationId: uuid(),
    state: text({ enum: DISPATCH_STATES }).notNull().default("pending"),
    attempts: integer().notNull().default(0),
    /** When the outbox is to look at it: pending rows are sent then, sent ones are taken for lost. */
    nextAttemptAt: moment().notNull().defaultNow(),
    /** Its endpoint is not tried again before. */
    notBefore: moment(),
    /** Somebody is delivering it until then: it cannot be called back, and nobody else begins. */
    leaseUntil: moment(),
    /** Which delivery holds the lease: another one's outcome is not written. */
    leaseOwner: uuid(),
    lastError: text(),
    createdAt: createdAt(),
    updatedAt: moment().notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    // Money moves once: the database refuses the second payment of a version.
    ...PIPELINES_OF_VERSION.map((pipeline) =>
      uniqueIndex(`pipeline_dispatches_${pipeline}_once`)
        .on(t.tenantId, t.versionId)
        .where(sql.raw(`pipeline = '${pipeline}' and state <> 'recalled'`)),
    ),
    // One open dispatch of a pipeline per step.
    uniqueIndex("pipeline_dispatches_open_once")
      .on(t.tenantId, t.stepId, t.pipeline)
      .where(sql`state in ('pending', 'sent')`),
    // The relay looks across tenants for the few that are not delivered yet.
    index("pipeline_dispatches_due")
      .on(t.nextAttemptAt)
      .where(sql`state in ('pending', 'sent')`),
    index("pipeline_dispatches_state").on(t.tenantId, t.state, t.id),
    index("pipeline_dispatches_bulk")
      .on(t.tenantId, t.bulkOperationId)
      .where(sql`bulk_operation_id is not null`),
    index("pipeline_dispatches_task").on(t.tenantId, t.taskId, t.id),
    foreignKey({
      name: "pipeline_dispatches_step_fk",
      columns: [t.tenantId, t.stepId, t.taskId, t.versionId],
      foreignColumns: [steps.tenantId, steps.id, steps.taskId, steps.versionId],
    }),
    foreignKey({
      name: "pipeline_dispatches_cause_fk",
      columns: [t.tenantId, t.taskId, t.causeSeq],
      foreignColumns: [stepEvents.tenantId, stepEvents.taskId, stepEvents.seq],
    }),
    foreignKey({
      name: "pipeline_dispatches_bulk_operation_fk",
      columns: [t.tenantId, t.bulkOperationId],
      foreignColumns: [bulkOperations.tenantId, bulkOperations.id],
    }),
    oneOf("pipeline_dispatches_pipeline", t.pipeline, PIPELINE_NAMES),
    oneOf("pipeline_dispatches_state", t.state, DISPATCH_STATES),
  ],
);
