import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { DELIVERY_STATES, WEBHOOK_EVENTS } from "../../domain/webhooks/events.ts";
import { bytea, createdAt, id, moment, oneOf, tenantId, xid8 } from "./columns.ts";
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

/** One message to a webhook: written with what it tells of, sent after, and kept to look at. */
export const webhookDeliveries = pgTable(
  "webhook_deliveries",
  {
    tenantId: tenantId(),
    /** The `webhook-id` of its message: the same at every try. */
    id: id(),
    /** No key to webhooks: what was delivered stays when its webhook is deleted. */
    webhookName: text().notNull(),
    event: text({ enum: WEBHOOK_EVENTS }).notNull(),
    /** What it tells of, so that it is told once: an event of a task, an operation, a dispatch. */
    source: text().notNull(),
    /** The body's `data`, as JSON text: each try sends the same bytes. */
    data: text().notNull(),
    state: text({ enum: DELIVERY_STATES }).notNull().default("pending"),
    attempts: integer().notNull().default(0),
    nextAttemptAt: moment().notNull().defaultNow(),
    leaseUntil: moment(),
    leaseOwner: uuid(),
    responseStatus: integer(),
    lastError: text(),
    createdAt: createdAt(),
    deliveredAt: moment(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex("webhook_deliveries_once").on(t.tenantId, t.webhookName, t.event, t.source),
    index("webhook_deliveries_newest").on(t.tenantId, t.webhookName, t.id),
    // The sweep looks across tenants for what is still to be sent.
    index("webhook_deliveries_due")
      .on(t.nextAttemptAt)
      .where(sql`state = 'pending'`),
    foreignKey({
      name: "webhook_deliveries_tenant_fk",
      columns: [t.tenantId],
      foreignColumns: [tenants.id],
    }),
    oneOf("webhook_deliveries_event", t.event, WEBHOOK_EVENTS),
    oneOf("webhook_deliveries_state", t.state, DELIVERY_STATES),
  ],
);
