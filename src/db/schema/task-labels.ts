import { sql } from "drizzle-orm";
import {
  boolean,
  foreignKey,
  index,
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
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.taskId] }),
    index("task_labels_rank").on(t.tenantId, t.archived, t.rank, t.taskId, t.stepKind),
    index("task_labels_since").on(t.tenantId, t.since, t.taskId),
    index("task_labels_updated_at").on(t.tenantId, t.updatedAt, t.taskId),
    index("task_labels_attention")
      .on(t.tenantId, t.archived, t.taskId, t.attention)
      .where(sql`attention <> '{}'`),
    foreignKey({
      name: "task_labels_task_fk",
      columns: [t.tenantId, t.taskId],
      foreignColumns: [tasks.tenantId, tasks.id],
    }),
    oneOf("task_labels_status", t.unifiedStatus, UNIFIED_STATUSES),
    oneOf("task_labels_step_kind", t.stepKind, STEP_KINDS),
  ],
);
