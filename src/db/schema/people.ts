import { sql } from "drizzle-orm";
import { boolean, foreignKey, pgTable, primaryKey, text, uniqueIndex } from "drizzle-orm/pg-core";
import { PEOPLE_ROLES } from "../../domain/rights.ts";
import { createdAt, id, moment, oneOf, tenantId } from "./columns.ts";
import { tenants } from "./tenants.ts";

/** The people of a tenant. Each can have several API keys, and tokens with the same subject. Rows are never deleted. */
export const people = pgTable(
  "people",
  {
    tenantId: tenantId(),
    id: id(),
    /** The subject of the person's tokens, which is the actor's id in events. Null for someone without tokens. */
    subject: text(),
    name: text().notNull(),
    email: text(),
    /** Used only if a token names no role. */
    role: text({ enum: PEOPLE_ROLES }),
    active: boolean().notNull().default(true),
    /** When the token was issued that name and email were last taken from. An older token does not change them back. */
    claimedAt: moment(),
    createdAt: createdAt(),
    updatedAt: moment().notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex("people_subject")
      .on(t.tenantId, t.subject)
      .where(sql`subject is not null`),
    foreignKey({ name: "people_tenant_fk", columns: [t.tenantId], foreignColumns: [tenants.id] }),
    oneOf("people_role", t.role, PEOPLE_ROLES),
  ],
);
