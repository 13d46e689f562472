import { foreignKey, index, integer, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { BULK_OUTCOMES } from "../../domain/bulk/outcomes.ts";
import { GATE_STATES, STEP_STATUSES } from "../../domain/lifecycle/statuses.ts";
import { bulkOperations } from "./bulk-operations.ts";
import { oneOf, tenantId } from "./columns.ts";

/** The outcome of one task in a bulk operation. `task_id` has no foreign key, because it can hold unknown ids. */
export const bulkOperationItems = pgTable(
  "bulk_operation_items",
  {
    tenantId: tenantId(),
    operationId: uuid().notNull(),
    position: integer().notNull(),
    /** The id as requested. An unknown id may not even be a UUID. */
    taskId: text().notNull(),
    plannedSeq: integer(),
    stepId: uuid(),
    fromStatus: text({ enum: STEP_STATUSES }),
    fromGate: text({ enum: GATE_STATES }),
    outcome: text({ enum: BULK_OUTCOMES }).notNull(),
    code: text(),
    fromLabel: text(),
    toLabel: text(),
    eventSeq: integer(),
    error: text(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.operationId, t.position] }),
    index("bulk_operation_items_outcome").on(t.tenantId, t.operationId, t.outcome, t.position),
    foreignKey({
      name: "bulk_operation_items_operation_fk",
      columns: [t.tenantId, t.operationId],
      foreignColumns: [bulkOperations.tenantId, bulkOperations.id],
    }),
    oneOf("bulk_operation_items_outcome_known", t.outcome, BULK_OUTCOMES),
    oneOf("bulk_operation_items_from_status", t.fromStatus, STEP_STATUSES),
    oneOf("bulk_operation_items_from_gate", t.fromGate, GATE_STATES),
  ],
);
