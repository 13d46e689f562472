import { sql } from "drizzle-orm";
import { bigint, foreignKey, index, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { DISPATCH_STATES } from "../../domain/pipelines/states.ts";
import { id, oneOf, tenantId, writtenAt } from "./columns.ts";
import { pipelineDispatches } from "./pipeline-dispatches.ts";

/** The append-only log of a dispatch: every change of state, who made it, and why. */
export const dispatchEvents = pgTable(
  "dispatch_events",
  {
    tenantId: tenantId(),
    id: id(),
    dispatchId: uuid().notNull(),
    fromState: text({ enum: DISPATCH_STATES }),
    toState: text({ enum: DISPATCH_STATES }).notNull(),
    actorId: text().notNull(),
    actorName: text().notNull(),
    reason: text(),
    operationId: uuid(),
    /** When the row is written, under the task's lock. now() would be the start of the transaction. */
    at: writtenAt(),
    /** Orders the rows of one dispatch. */
    position: bigint({ mode: "number" })
      .notNull()
      .default(sql`nextval('dispatch_event_position')`),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index("dispatch_events_dispatch").on(t.tenantId, t.dispatchId, t.position),
    foreignKey({
      name: "dispatch_events_dispatch_fk",
      columns: [t.tenantId, t.dispatchId],
      foreignColumns: [pipelineDispatches.tenantId, pipelineDispatches.id],
    }),
    oneOf("dispatch_events_from_state", t.fromState, DISPATCH_STATES),
    oneOf("dispatch_events_to_state", t.toState, DISPATCH_STATES),
  ],
);
