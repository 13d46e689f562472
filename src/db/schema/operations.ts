import { index, json, pgTable, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { createdAt, id, moment, tenantId } from "./columns.ts";
import { sql } from "drizzle-orm";

/** The ledger of writes: what a retry finds. No key to tasks, so that no lock of theirs is taken first. */
export const operations = pgTable(
  "operations",
  {
    tenantId: tenantId(),
    id: id(),
    actorId: text().notNull(),
    route: text().notNull(),
    key: text(),
    fingerprint: text().notNull(),
    /** `json`, not `jsonb`: a replay answers byte for byte, so the order of members stays. */
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
