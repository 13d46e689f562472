import { pgTable, text, uuid } from "drizzle-orm/pg-core";
import { createdAt } from "./columns.ts";

/** The customers. The table has no row security; the application reads it only through `tenant_name`. */
export const tenants = pgTable("tenants", {
  id: uuid().primaryKey(),
  name: text().notNull(),
  createdAt: createdAt(),
});
