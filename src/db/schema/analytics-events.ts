import {
  foreignKey,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { bulkOperations } from "./bulk-operations.ts";
import { id, moment, tenantId, writtenAt } from "./columns.ts";

/** Product events. A unique index allows one `admin_bulk_status_terminal` per bulk operation. */
export const analyticsEvents = pgTable(
  "analytics_events",
  {
    tenantId: tenantId(),
    id: id(),
    name: text().notNull(),
    bulkOperationId: uuid(),
    properties: jsonb().notNull(),
    revertedAt: moment(),
    at: writtenAt(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex("analytics_events_once").on(t.tenantId, t.name, t.bulkOperationId),
    foreignKey({
      name: "analytics_events_bulk_operation_fk",
      columns: [t.tenantId, t.bulkOperationId],
      foreignColumns: [bulkOperations.tenantId, bulkOperations.id],
    }),
  ],
);
