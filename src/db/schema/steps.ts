import { sql } from "drizzle-orm";
import {
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from "drizzle-orm/pg-core";
import type { DeferredReport } from "../../domain/lifecycle/snapshot.ts";
import { GATE_STATES, STEP_KINDS, STEP_STATUSES } from "../../domain/lifecycle/statuses.ts";
import { id, oneOf, tenantId, writtenAt } from "./columns.ts";
import { taskVersions } from "./task-versions.ts";

/** One attempt at one stage. A deferred foreign key requires the status and gate of event `event_seq`. */
export const steps = pgTable(
  "steps",
  {
    tenantId: tenantId(),
    id: id(),
    taskId: uuid().notNull(),
    versionId: uuid().notNull(),
    kind: text({ enum: STEP_KINDS }).notNull(),
    attempt: integer().notNull(),
    status: text({ enum: STEP_STATUSES }).notNull(),
    gate: text({ enum: GATE_STATES }).notNull(),
    eventSeq: integer().notNull(),
    /** The event that put the step's hold. It counts only while the step is current. */
    heldSeq: integer(),
    /** The gate that the step would have without the hold. */
    heldGate: text({ enum: GATE_STATES }),
    /** The reports of workers whose moves wait for the end of the hold or pause, oldest first; null if none does. */
    deferred: jsonb().$type<DeferredReport[]>(),
    /** The event that found the step idle. Null if it is not, or if its status or a run has changed since. */
    idledSeq: integer(),
    createdAt: writtenAt(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique("steps_attempt").on(t.tenantId, t.versionId, t.kind, t.attempt),
    unique("steps_of_version").on(t.tenantId, t.id, t.taskId, t.versionId),
    index("steps_task").on(t.tenantId, t.taskId, t.id, t.kind),
    foreignKey({
      name: "steps_version_fk",
      columns: [t.tenantId, t.versionId, t.taskId],
      foreignColumns: [taskVersions.tenantId, taskVersions.id, taskVersions.taskId],
    }),
    oneOf("steps_kind", t.kind, STEP_KINDS),
    oneOf("steps_status", t.status, STEP_STATUSES),
    oneOf("steps_gate", t.gate, GATE_STATES),
    oneOf("steps_held_gate", t.heldGate, GATE_STATES),
    check(
      "steps_hold",
      sql`(${t.heldSeq} is null) = (${t.heldGate} is null) and (${t.heldSeq} is null or ${t.gate} = 'blocked')`,
    ),
  ],
);
