import { foreignKey, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { createdAt, tenantId } from "./columns.ts";
import { tenants } from "./tenants.ts";

/** Suggested codes. The code of a task is free text. */
export const taxonomy = pgTable(
  "taxonomy",
  {
    tenantId: tenantId(),
    code: text().notNull(),
    label: text().notNull(),
    parentCode: text(),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.code] }),
    foreignKey({ name: "taxonomy_tenant_fk", columns: [t.tenantId], foreignColumns: [tenants.id] }),
    foreignKey({
      name: "taxonomy_parent_code_fk",
      columns: [t.tenantId, t.parentCode],
      foreignColumns: [t.tenantId, t.code],
    }),
  ],
);
