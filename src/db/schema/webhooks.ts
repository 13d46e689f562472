import { bigint, boolean, foreignKey, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { bytea, createdAt, moment, tenantId, xid8 } from "./columns.ts";
import { tenants } from "./tenants.ts";

/** A tenant's own system that wants to know; it reads from its position in the feed, so that none is lost. */
export const webhooks = pgTable(
  "webhooks",
  {
    tenantId: tenantId(),
    name: text().notNull(),
    url: text().notNull(),
    events: text().array().notNull(),
    secret: bytea().notNull(),
    previousSecret: bytea(),
    enabled: boolean().notNull().default(true),
    positionTxid: xid8(),
    positionFeedId: bigint({ mode: "number" }),
    createdAt: createdAt(),
    updatedAt: moment().notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.name] }),
    foreignKey({ name: "webhooks_tenant_fk", columns: [t.tenantId], foreignColumns: [tenants.id] }),
  ],
);
