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
import { STEP_KINDS } from "../../domain/lifecycle/statuses.ts";
import { UNIFIED_STATUSES } from "../../domain/status/unified.ts";
import { id, moment, oneOf, tenantId, writtenAt } from "./columns.ts";

/** One change of many tasks: what was changed, by whom and why, and how it ended. Items hold the outcome per task. */
export const bulkOperations = pgTable(
  "bulk_operations",
  {
    tenantId: tenantId(),
    id: id(),
    actorId: text().notNull(),
    actorName: text().notNull(),
    // The defaults serve a release without these columns, which still runs while the migration is applied.
    actorKind: text({ enum: ACTOR_KINDS }).notNull().default("key"),
    actorRole: text({ enum: ROLES }).notNull().default("reviewer"),
    requestId: text().notNull().default(""),
    /** The version of the rule tables that it was planned with. */
    registryVersion: integer().notNull().default(1),
    action: text({ enum: BULK_OPERATION_ACTIONS }),
    /** The values that an `edit` sets. */
    changes: jsonb(),
    /** The stage to which a `rework` leads. */
    toKind: text({ enum: STEP_KINDS }),
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
    /** Dispatches that a revert recalled, and those that were already delivered. */
    recalled: integer().notNull().default(0),
    alreadyDelivered: integer().notNull().default(0),
    /** The operation that this one retries or reverts. */
    parentId: uuid(),
    revertedBy: uuid(),
    cancelRequestedAt: moment(),
    createdAt: writtenAt(),
    /** When an outcome was last recorded, or when work on it was last started or resumed. */
    progressAt: moment().notNull().defaultNow(),
    finishedAt: moment(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index("bulk_operations_newest").on(t.tenantId, t.createdAt, t.id),
    // Rejects a second revert of the same operation.
    uniqueIndex("bulk_operations_reverted_once")
      .on(t.tenantId, t.parentId)
      .where(sql`action = 'revert'`),
    // The retries and the revert of an operation.
    index("bulk_operations_parent")
      .on(t.tenantId, t.parentId)
      .where(sql`${t.parentId} is not null`),
    // For the sweep, which looks across tenants for the few stalled operations.
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
    oneOf("bulk_operations_to_kind", t.toKind, STEP_KINDS),
    oneOf("bulk_operations_actor_kind", t.actorKind, ACTOR_KINDS),
    oneOf("bulk_operations_actor_role", t.actorRole, ROLES),
    check(
      "bulk_operations_rework_to_kind",
      sql`(${t.action} is not distinct from 'rework') = (${t.toKind} is not null)`,
    ),
    check("bulk_operations_one_intent", sql`(${t.action} is null) <> (${t.targetStatus} is null)`),
  ],
);
