import { pgTable, text, uuid } from "drizzle-orm/pg-core";
import { createdAt } from "./columns.ts";

/** The one table without a tenant policy. */
export const tenants = pgTable("tenants", {
  id: uuid().primaryKey(),
  name: text().notNull(),
  createdAt: createdAt(),
});
