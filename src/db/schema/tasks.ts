import { sql } from "drizzle-orm";
import {
  check,
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
import { bytea, id, moment, tenantId, textInCodePointOrder, writtenAt } from "./columns.ts";
import { seedRuns } from "./seed-runs.ts";
import { tenants } from "./tenants.ts";

/**
 * The aggregate that callers see. It has no status of its own: `current_step_id` points at the active step.
 * Three deferred foreign keys, in a hand-written migration, tie each pointer to the event that moved it.
 */
export const tasks = pgTable(
  "tasks",
  {
    tenantId: tenantId(),
    id: id(),
    externalId: text(),
    /** What makes the external id the same as another one; null without one. A trigger keeps both keys. */
    externalIdKey: textInCodePointOrder(),
    /** The folded title, for sorting and search. Null only until `npm run migrate` has filled it. */
    titleKey: textInCodePointOrder(),
    title: text().notNull(),
    taxonomyCode: text(),
    priority: smallint().notNull().default(0),
    assignee: text(),
    currentStepId: uuid().notNull(),
    activeVersionId: uuid().notNull(),
    eventSeq: integer().notNull(),
    eventHead: bytea().notNull(),
    statusSince: moment().notNull(),
    archivedAt: moment(),
    seedRunId: uuid(),
    createdBy: text().notNull(),
    createdAt: writtenAt(),
    updatedAt: moment().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex("tasks_external_id").on(t.tenantId, t.externalId),
    // Indexes on times are on task_labels. A move changes no indexed column of this table, so its update is HOT.
    // Rows without a key share theirs with an older task: fill_task_keys.
    uniqueIndex("tasks_external_id_key")
      .on(t.tenantId, t.externalIdKey)
      .where(sql`${t.externalIdKey} is not null`),
    index("tasks_title").on(t.tenantId, t.titleKey, t.id),
    index("tasks_priority").on(t.tenantId, t.priority, t.id),
    index("tasks_assignee")
      .on(t.tenantId, t.assignee, t.id)
      .where(sql`${t.assignee} is not null`),
    index("tasks_taxonomy_code")
      .on(t.tenantId, t.taxonomyCode, t.id)
      .where(sql`${t.taxonomyCode} is not null`),
    index("tasks_seed_run")
      .on(t.tenantId, t.seedRunId)
      .where(sql`${t.seedRunId} is not null`),
    foreignKey({ name: "tasks_tenant_fk", columns: [t.tenantId], foreignColumns: [tenants.id] }),
    foreignKey({
      name: "tasks_seed_run_fk",
      columns: [t.tenantId, t.seedRunId],
      foreignColumns: [seedRuns.tenantId, seedRuns.id],
    }),
    check("tasks_priority_range", sql`${t.priority} between 0 and 100`),
    check("tasks_event_seq_positive", sql`${t.eventSeq} > 0`),
    check("tasks_event_head_length", sql`octet_length(${t.eventHead}) = 32`),
  ],
);
