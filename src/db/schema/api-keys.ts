import { sql } from "drizzle-orm";
import {
  check,
  foreignKey,
  index,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { KEY_KINDS, ROLES } from "../../domain/actor.ts";
import { bytea, createdAt, id, moment, oneOf, tenantId } from "./columns.ts";
import { people } from "./people.ts";
import { tenants } from "./tenants.ts";

/** Only the digest of a key is stored. The key itself is shown once, when it is created. */
export const apiKeys = pgTable(
  "api_keys",
  {
    tenantId: tenantId(),
    id: id(),
    name: text().notNull(),
    role: text({ enum: ROLES }).notNull(),
    kind: text({ enum: KEY_KINDS }).notNull().default("machine"),
    /** Whose key it is, set when it is created. Null for a program's, and for keys from before people. */
    personId: uuid(),
    digest: bytea().notNull(),
    lastFour: text().notNull(),
    createdBy: text().notNull(),
    createdAt: createdAt(),
    /** The key that this one was rotated from. */
    replaces: uuid(),
    /** When it stops working by itself; null if never. */
    expiresAt: moment(),
    revokedAt: moment(),
    revokedBy: text(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex("api_keys_digest").on(t.tenantId, t.digest),
    foreignKey({ name: "api_keys_tenant_fk", columns: [t.tenantId], foreignColumns: [tenants.id] }),
    foreignKey({
      name: "api_keys_replaces_fk",
      columns: [t.tenantId, t.replaces],
      foreignColumns: [t.tenantId, t.id],
    }),
    foreignKey({
      name: "api_keys_person_fk",
      columns: [t.tenantId, t.personId],
      foreignColumns: [people.tenantId, people.id],
    }),
    index("api_keys_person")
      .on(t.tenantId, t.personId)
      .where(sql`person_id is not null`),
    check(
      "api_keys_person",
      sql`${t.personId} is null or (${t.kind} = 'person' and ${t.role} <> 'service')`,
    ),
    oneOf("api_keys_role", t.role, ROLES),
    oneOf("api_keys_kind", t.kind, KEY_KINDS),
  ],
);

/** When a key was last used, to the hour. A table of its own, so that a use writes no row that authentication reads. */
export const apiKeyUses = pgTable(
  "api_key_uses",
  {
    tenantId: tenantId(),
    keyId: uuid().notNull(),
    lastUsedAt: moment().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.keyId] }),
    foreignKey({
      name: "api_key_uses_key_fk",
      columns: [t.tenantId, t.keyId],
      foreignColumns: [apiKeys.tenantId, apiKeys.id],
    }),
  ],
);
