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
  unique,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { SLOT_MEMBERS } from "../../domain/evals/slot.ts";
import { EVAL_STATUSES } from "../../domain/evals/statuses.ts";
import { bytea, id, moment, oneOf, tenantId, writtenAt } from "./columns.ts";
import { taskVersions } from "./task-versions.ts";

/** An evaluation of one version, with `k` trials for each slot. It has its own event stream. */
export const evals = pgTable(
  "evals",
  {
    tenantId: tenantId(),
    id: id(),
    taskId: uuid().notNull(),
    versionId: uuid().notNull(),
    name: text().notNull(),
    k: smallint().notNull(),
    /** The members that distinguish trials, in the order of SLOT_MEMBERS. Null: the model alone. */
    slotBy: text({ enum: SLOT_MEMBERS }).array(),
    /** The newer eval of this version and name, if there were two before the index evals_live_name. */
    twinOf: uuid(),
    status: text({ enum: EVAL_STATUSES }).notNull(),
    eventSeq: integer().notNull(),
    eventHead: bytea().notNull(),
    createdBy: text().notNull(),
    createdAt: writtenAt(),
    updatedAt: moment().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique("evals_of_task").on(t.tenantId, t.id, t.taskId),
    index("evals_task").on(t.tenantId, t.taskId, t.id),
    uniqueIndex("evals_live_name")
      .on(t.tenantId, t.versionId, t.name)
      .where(sql`status <> 'cancelled' and twin_of is null`),
    index("evals_name").on(t.tenantId, t.name, t.id),
    foreignKey({
      name: "evals_version_fk",
      columns: [t.tenantId, t.versionId, t.taskId],
      foreignColumns: [taskVersions.tenantId, taskVersions.id, taskVersions.taskId],
    }),
    oneOf("evals_status", t.status, EVAL_STATUSES),
    check(
      "evals_slot_by",
      sql`${t.slotBy} <@ '{model,modelRevision,agent,agentRevision,provider}'::text[] and ${t.slotBy}[1] = 'model' and ${t.slotBy} <> '{model}'::text[]`,
    ),
    check("evals_k_range", sql`${t.k} between 1 and 1000`),
  ],
);
