import {
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from "drizzle-orm/pg-core";
import { GATE_STATES, STEP_KINDS, STEP_STATUSES } from "../../domain/lifecycle/statuses.ts";
import { createdAt, id, oneOf, tenantId } from "./columns.ts";
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
    createdAt: createdAt(),
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
  ],
);
