import { pgTable, text, uuid } from "drizzle-orm/pg-core";
import { TENANT_KINDS } from "../../domain/tenant-kind.ts";
import { createdAt, oneOf } from "./columns.ts";

/**
 * The customers, and the demos. The table has no row security; the application reads it only through `tenant_name` and
 * `tenant_kind`, and cannot write it. Nothing changes the kind of a tenant.
 */
export const tenants = pgTable(
  "tenants",
  {
    id: uuid().primaryKey(),
    name: text().notNull(),
    kind: text().notNull().default("customer"),
    createdAt: createdAt(),
  },
  (t) => [oneOf("tenants_kind", t.kind, TENANT_KINDS)],
);
