import { foreignKey, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { createdAt, id, moment, tenantId } from "./columns.ts";
import { tenants } from "./tenants.ts";

/** A simulated run of a demo tenant, with its own clock. Deleting a run archives its tasks. */
export const seedRuns = pgTable(
  "seed_runs",
  {
    tenantId: tenantId(),
    id: id(),
    state: text().notNull(),
    settings: jsonb().notNull(),
    clockAt: moment().notNull(),
    createdBy: text().notNull(),
    createdAt: createdAt(),
    archivedAt: moment(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    foreignKey({
      name: "seed_runs_tenant_fk",
      columns: [t.tenantId],
      foreignColumns: [tenants.id],
    }),
  ],
);
