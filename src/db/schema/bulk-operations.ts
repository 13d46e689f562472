import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { ACTOR_KINDS, ROLES } from "../../domain/actor.ts";
import { BULK_OPERATION_ACTIONS } from "../../domain/bulk/actions.ts";
import { OPERATION_STATES } from "../../domain/bulk/states.ts";
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
    // Defaults are for a release that runs while its successor's migration is applied.
    actorKind: text({ enum: ACTOR_KINDS }).notNull().default("key"),
    actorRole: text({ enum: ROLES }).notNull().default("reviewer"),
    requestId: text().notNull().default(""),
    /** The tables by which it was planned. */
    registryVersion: integer().notNull().default(1),
    action: text({ enum: BULK_OPERATION_ACTIONS }),
    /** What `edit` sets. */
    changes: jsonb(),
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
    /** What a revert called back in time, and what had left already. */
    recalled: integer().notNull().default(0),
    alreadyDelivered: integer().notNull().default(0),
    /** The operation that this one retries or reverts. */
    parentId: uuid(),
    revertedBy: uuid(),
    cancelRequestedAt: moment(),
    createdAt: createdAt(),
    /** When its newest outcome was written, or when somebody last set out to go on with it. */
    progressAt: moment().notNull().defaultNow(),
    finishedAt: moment(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index("bulk_operations_newest").on(t.tenantId, t.createdAt, t.id),
    // Whoever comes second finds that the operation was taken back already.
    uniqueIndex("bulk_operations_reverted_once")
      .on(t.tenantId, t.parentId)
      .where(sql`action = 'revert'`),
    // The sweep looks across tenants for the few that have come to a halt.
    index("bulk_operations_unfinished")
      .on(t.progressAt)
      .where(sql`state in ('queued', 'running')`),
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
    oneOf("bulk_operations_action", t.action, BULK_OPERATION_ACTIONS),
    oneOf("bulk_operations_actor_kind", t.actorKind, ACTOR_KINDS),
    oneOf("bulk_operations_actor_role", t.actorRole, ROLES),
    check("bulk_operations_one_intent", sql`(${t.action} is null) <> (${t.targetStatus} is null)`),
  ],
);
