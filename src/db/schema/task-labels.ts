import { sql } from "drizzle-orm";
import {
  boolean,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  smallint,
  text,
  uuid,
} from "drizzle-orm/pg-core";
import { STEP_KINDS } from "../../domain/lifecycle/statuses.ts";
import { UNIFIED_STATUSES } from "../../domain/status/unified.ts";
import { moment, oneOf, tenantId } from "./columns.ts";
import { tasks } from "./tasks.ts";

/** A task's label, materialized for sorting and filtering. Only two triggers on `tasks` write it. */
export const taskLabels = pgTable(
  "task_labels",
  {
    tenantId: tenantId(),
    taskId: uuid().notNull(),
    unifiedStatus: text({ enum: UNIFIED_STATUSES }).notNull(),
    rank: smallint().notNull(),
    attention: text().array().notNull(),
    since: moment().notNull(),
    updatedAt: moment().notNull(),
    /** Copied here, like `stepKind`, so that counts need not join two more tables. */
    archived: boolean().notNull(),
    stepKind: text({ enum: STEP_KINDS }).notNull(),
    // For the reviewers who take the next task. Null in rows from before, until they are labeled again.
    priority: smallint(),
    taxonomyCode: text(),
    waitsForReview: boolean(),
    /** The task's event_seq when it was labeled. A claim sees by it that the task has moved. */
    eventSeq: integer(),
    /** When the task began to run in a stage that a pipeline works on. Null if it does not, is archived or is idle. */
    runningSince: moment(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.taskId] }),
    index("task_labels_rank").on(t.tenantId, t.archived, t.rank, t.taskId, t.stepKind),
    index("task_labels_since").on(t.tenantId, t.since, t.taskId),
    index("task_labels_updated_at").on(t.tenantId, t.updatedAt, t.taskId),
    index("task_labels_attention")
      .on(t.tenantId, t.archived, t.taskId, t.attention)
      .where(sql`attention <> '{}'`),
    // In the order in which waiting tasks are taken. The second one serves claims of one taxonomy code.
    index("task_labels_waiting")
      .on(t.tenantId, sql`priority desc`, t.since, t.taskId)
      .where(sql`waits_for_review`),
    index("task_labels_waiting_by_code")
      .on(t.tenantId, t.taxonomyCode, sql`priority desc`, t.since, t.taskId)
      .where(sql`waits_for_review`),
    // For the sweep, which looks across tenants for running steps without an open run. Here because a move changes no
    // indexed column of tasks or steps.
    index("task_labels_running")
      .on(t.runningSince)
      .where(sql`running_since is not null`),
    foreignKey({
      name: "task_labels_task_fk",
      columns: [t.tenantId, t.taskId],
      foreignColumns: [tasks.tenantId, tasks.id],
    }),
    oneOf("task_labels_status", t.unifiedStatus, UNIFIED_STATUSES),
    oneOf("task_labels_step_kind", t.stepKind, STEP_KINDS),
  ],
);
