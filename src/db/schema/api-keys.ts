import { foreignKey, pgTable, primaryKey, text, uniqueIndex } from "drizzle-orm/pg-core";
import { ROLES } from "../../domain/actor.ts";
import { bytea, createdAt, id, moment, oneOf, tenantId } from "./columns.ts";
import { tenants } from "./tenants.ts";

/** Only the digest of a key is stored. The key itself is shown once, when it is created. */
export const apiKeys = pgTable(
  "api_keys",
  {
    tenantId: tenantId(),
    id: id(),
    name: text().notNull(),
    role: text({ enum: ROLES }).notNull(),
    digest: bytea().notNull(),
    lastFour: text().notNull(),
    createdBy: text().notNull(),
    createdAt: createdAt(),
    revokedAt: moment(),
    revokedBy: text(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex("api_keys_digest").on(t.tenantId, t.digest),
    foreignKey({ name: "api_keys_tenant_fk", columns: [t.tenantId], foreignColumns: [tenants.id] }),
    oneOf("api_keys_role", t.role, ROLES),
  ],
);
