import { index, json, pgTable, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { createdAt, id, moment, tenantId } from "./columns.ts";
import { sql } from "drizzle-orm";

/** The ledger of writes, in which a retry finds its result. A foreign key to tasks would lock a task too early. */
export const operations = pgTable(
  "operations",
  {
    tenantId: tenantId(),
    id: id(),
    actorId: text().notNull(),
    route: text().notNull(),
    key: text(),
    fingerprint: text().notNull(),
    /** `json`, because `jsonb` would reorder the members, and a replay must return the same bytes. */
    result: json(),
    parentId: uuid(),
    createdAt: createdAt(),
    expiresAt: moment()
      .notNull()
      .default(sql`now() + interval '24 hours'`),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex("operations_key").on(t.tenantId, t.actorId, t.route, t.key),
    index("operations_expiry").on(t.tenantId, t.expiresAt),
  ],
);
