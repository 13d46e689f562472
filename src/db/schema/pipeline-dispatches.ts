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
import { id, moment, oneOf, tenantId, writtenAt } from "./columns.ts";
import { stepEvents } from "./step-events.ts";
import { steps } from "./steps.ts";

/** The outbox. A row is one request that a pipeline run, written in the transaction of the change that caused it. */
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
    /** Whether a caller requested this pipeline by name. If false, a move opted in to its attached pipelines. */
    byHand: boolean().notNull().default(false),
    /** The bulk operation that requested it, if any. */
    bulkOperationId: uuid(),
    state: text({ enum: DISPATCH_STATES }).notNull().default("pending"),
    attempts: integer().notNull().default(0),
    /** When the relay takes it up next: it enqueues a pending row, and treats the message of a sent one as lost. */
    nextAttemptAt: moment().notNull().defaultNow(),
    /** The earliest time of the next call to its endpoint. */
    notBefore: moment(),
    /** Until then it is being delivered: it cannot be recalled, and no other delivery starts. */
    leaseUntil: moment(),
    /** The delivery that holds the lease. Only its outcome is recorded. */
    leaseOwner: uuid(),
    lastError: text(),
    /** Why it is dead. Null for dispatches that earlier releases gave up, which followed other rules. */
    deadReason: text(),
    createdAt: writtenAt(),
    updatedAt: writtenAt(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    // Money moves once: the index rejects a second payment of a version.
    ...PIPELINES_OF_VERSION.map((pipeline) =>
      uniqueIndex(`pipeline_dispatches_${pipeline}_once`)
        .on(t.tenantId, t.versionId)
        .where(sql.raw(`pipeline = '${pipeline}' and state <> 'recalled'`)),
    ),
    // One open dispatch of a pipeline per step.
    uniqueIndex("pipeline_dispatches_open_once")
      .on(t.tenantId, t.stepId, t.pipeline)
      .where(sql`state in ('pending', 'sent')`),
    // For the relay, which looks across tenants for the few undelivered dispatches.
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
