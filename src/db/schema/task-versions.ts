import {
  foreignKey,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from "drizzle-orm/pg-core";
import type { TaskContent } from "../../domain/lifecycle/decision.ts";
import { id, moment, tenantId, writtenAt } from "./columns.ts";
import { tasks } from "./tasks.ts";

/** An immutable snapshot of a task's content. A trigger allows only moves of its pointer, and the seal. */
export const taskVersions = pgTable(
  "task_versions",
  {
    tenantId: tenantId(),
    id: id(),
    taskId: uuid().notNull(),
    number: integer().notNull(),
    content: jsonb().$type<TaskContent>().notNull(),
    contentHash: text().notNull(),
    currentStepId: uuid().notNull(),
    reason: text(),
    createdBy: text().notNull(),
    createdAt: writtenAt(),
    sealedAt: moment(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique("task_versions_number").on(t.tenantId, t.taskId, t.number),
    unique("task_versions_of_task").on(t.tenantId, t.id, t.taskId),
    unique("task_versions_pointer").on(t.tenantId, t.id, t.taskId, t.currentStepId),
    foreignKey({
      name: "task_versions_task_fk",
      columns: [t.tenantId, t.taskId],
      foreignColumns: [tasks.tenantId, tasks.id],
    }),
  ],
);
