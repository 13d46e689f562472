import { sql } from "drizzle-orm";
import {
  boolean,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from "drizzle-orm/pg-core";
import { ACTOR_KINDS, ROLES } from "../../domain/actor.ts";
import { GATE_STATES, STEP_EVENT_TYPES, STEP_STATUSES } from "../../domain/lifecycle/statuses.ts";
import { MILESTONE } from "./milestone-index.ts";
import { oneOf, tenantId } from "./columns.ts";
import { eventEnvelope } from "./events.ts";
import { steps } from "./steps.ts";
import { tasks } from "./tasks.ts";

/** A task's linear history, numbered 1..n without gaps. Both grants and triggers keep it append-only. */
export const stepEvents = pgTable(
  "step_events",
  {
    tenantId: tenantId(),
    taskId: uuid().notNull(),
    seq: integer().notNull(),
    versionId: uuid().notNull(),
    stepId: uuid().notNull(),
    type: text({ enum: STEP_EVENT_TYPES }).notNull(),
    fromStatus: text({ enum: STEP_STATUSES }),
    toStatus: text({ enum: STEP_STATUSES }).notNull(),
    fromGate: text({ enum: GATE_STATES }),
    toGate: text({ enum: GATE_STATES }).notNull(),
    duplicateOf: uuid(),
    runAttachedWorkflows: boolean().notNull(),
    bulkOperationId: uuid(),
    ...eventEnvelope(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.taskId, t.seq] }),
    unique("step_events_pointer").on(t.tenantId, t.taskId, t.seq, t.stepId),
    unique("step_events_state").on(t.tenantId, t.taskId, t.seq, t.stepId, t.toStatus, t.toGate),
    index("step_events_feed").on(t.tenantId, t.txid, t.feedId),
    index("step_events_bulk").on(t.tenantId, t.bulkOperationId, t.taskId),
    // Holds every column that statistics read, so that they use index-only scans.
    index("step_events_milestones")
      .on(
        t.tenantId,
        t.at,
        t.taskId,
        t.seq,
        t.stepId,
        t.type,
        t.fromStatus,
        t.toStatus,
        t.fromGate,
        t.toGate,
      )
      .where(sql.raw(MILESTONE)),
    index("step_events_reverts")
      .on(t.tenantId, t.taskId, t.seq)
      .where(sql`type in ('bulk_reverted', 'review_withdrawn')`),
    index("step_events_duplicate_of")
      .on(t.tenantId, t.duplicateOf, t.taskId, t.seq)
      .where(sql`${t.duplicateOf} is not null`),
    foreignKey({
      name: "step_events_step_fk",
      columns: [t.tenantId, t.stepId, t.taskId, t.versionId],
      foreignColumns: [steps.tenantId, steps.id, steps.taskId, steps.versionId],
    }),
    foreignKey({
      name: "step_events_duplicate_of_fk",
      columns: [t.tenantId, t.duplicateOf],
      foreignColumns: [tasks.tenantId, tasks.id],
    }),
    oneOf("step_events_type", t.type, STEP_EVENT_TYPES),
    oneOf("step_events_from_status", t.fromStatus, STEP_STATUSES),
    oneOf("step_events_to_status", t.toStatus, STEP_STATUSES),
    oneOf("step_events_from_gate", t.fromGate, GATE_STATES),
    oneOf("step_events_to_gate", t.toGate, GATE_STATES),
    oneOf("step_events_actor_kind", t.actorKind, ACTOR_KINDS),
    oneOf("step_events_actor_role", t.actorRole, ROLES),
  ],
);
