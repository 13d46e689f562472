import { sql } from "drizzle-orm";
import { check, foreignKey, integer, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { TAXONOMY_LEVELS } from "../../domain/taxonomy.ts";
import { createdAt, moment, oneOf, tenantId } from "./columns.ts";
import { tenants } from "./tenants.ts";

/**
 * The codes that a tenant proposes for its tasks. The code of a task is free text. Rows are never deleted, and a row keeps
 * its level, so that those below it stay one level lower.
 */
export const taxonomy = pgTable(
  "taxonomy",
  {
    tenantId: tenantId(),
    code: text().notNull(),
    label: text().notNull(),
    level: text({ enum: TAXONOMY_LEVELS }).notNull(),
    parentCode: text(),
    position: integer().notNull().default(0),
    archivedAt: moment(),
    createdAt: createdAt(),
    updatedAt: moment().notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.code] }),
    foreignKey({ name: "taxonomy_tenant_fk", columns: [t.tenantId], foreignColumns: [tenants.id] }),
    foreignKey({
      name: "taxonomy_parent_code_fk",
      columns: [t.tenantId, t.parentCode],
      foreignColumns: [t.tenantId, t.code],
    }),
    oneOf("taxonomy_level", t.level, TAXONOMY_LEVELS),
    // The invariant taxonomy-levels-nest compares the levels of parents.
    check("taxonomy_parent", sql`${t.parentCode} is not null or ${t.level} = 'domain'`),
  ],
);
