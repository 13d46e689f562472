import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  uuid,
} from "drizzle-orm/pg-core";
import { OPERATION_STATES } from "../../domain/lifecycle/statuses.ts";
import { UNIFIED_STATUSES } from "../../domain/status/unified.ts";
import { createdAt, id, moment, oneOf, tenantId } from "./columns.ts";

/** One change of many tasks: who, why, what, and how it ended. Its items say it for each task. */
export const bulkOperations = pgTable(
  "bulk_operations",
  {
    tenantId: tenantId(),
    id: id(),
    actorId: text().notNull(),
    actorName: text().notNull(),
    action: text(),
    targetStatus: text({ enum: UNIFIED_STATUSES }),
    reason: text().notNull(),
    duplicateOf: uuid(),
    runAttachedWorkflows: boolean().notNull(),
    state: text({ enum: OPERATION_STATES }).notNull(),
    requested: integer().notNull(),
    changed: integer().notNull(),
    refused: integer().notNull(),
    stale: integer().notNull(),
    failed: integer().notNull(),
    dispatched: integer().notNull(),
    parentId: uuid(),
    revertedBy: uuid(),
    cancelRequestedAt: moment(),
    createdAt: createdAt(),
    finishedAt: moment(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index("bulk_operations_newest").on(t.tenantId, t.createdAt, t.id),
    foreignKey({
      name: "bulk_operations_parent_fk",
      columns: [t.tenantId, t.parentId],
      foreignColumns: [t.tenantId, t.id],
    }),
    foreignKey({
      name: "bulk_operations_reverted_by_fk",
      columns: [t.tenantId, t.revertedBy],
      foreignColumns: [t.tenantId, t.id],
    }),
    oneOf("bulk_operations_state", t.state, OPERATION_STATES),
    oneOf("bulk_operations_target", t.targetStatus, UNIFIED_STATUSES),
    check("bulk_operations_one_intent", sql`(${t.action} is null) <> (${t.targetStatus} is null)`),
  ],
);
