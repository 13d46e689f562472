import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
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
import { bytea, createdAt, id, moment, oneOf, pgSnapshot, tenantId, xid8 } from "./columns.ts";
import { tenants } from "./tenants.ts";

/** A tenant's own system that wants to know; it reads from its position in the feed, so that none is lost. */
export const webhooks = pgTable(
  "webhooks",
  {
    tenantId: tenantId(),
    name: text().notNull(),
    /** Another one of the same name, made after this one was deleted, is another webhook. */
    id: id(),
    url: text().notNull(),
    events: text().array().notNull(),
    secret: bytea().notNull(),
    previousSecret: bytea(),
    /** Until then the previous secret signs along. */
    previousSecretUntil: moment(),
    enabled: boolean().notNull().default(true),
    /** The event in the feed up to which it was told. */
    positionTxid: xid8().notNull(),
    positionFeedId: bigint({ mode: "number" }).notNull(),
    /** What was committed when it began to listen: the position alone may lie before some of that. */
    heardNothingOf: pgSnapshot().notNull(),
    createdAt: createdAt(),
    updatedAt: moment().notNull().defaultNow(),
    /** From then on it is not there: disabled, without a secret, until another one is made under its name. */
    deletedAt: moment(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.name] }),
    uniqueIndex("webhooks_id").on(t.tenantId, t.id),
    foreignKey({ name: "webhooks_tenant_fk", columns: [t.tenantId], foreignColumns: [tenants.id] }),
    check("webhooks_deleted", sql`${t.deletedAt} is null or not ${t.enabled}`),
    check(
      "webhooks_previous_secret",
      sql`(${t.previousSecret} is null) = (${t.previousSecretUntil} is null)`,
    ),
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
    webhookId: uuid().notNull(),
    webhookName: text().notNull(),
    event: text({ enum: WEBHOOK_EVENTS }).notNull(),
    /** What it tells of, so that it is told once: an event of a task, an operation, a dispatch. */
    source: text().notNull(),
    /** The body's `data`, as JSON text: each try sends the same bytes. */
    data: text().notNull(),
    /** The body's `timestamp`: when it happened. */
    occurredAt: moment().notNull().defaultNow(),
    state: text({ enum: DELIVERY_STATES }).notNull().default("pending"),
    attempts: integer().notNull().default(0),
    /** No try begins before. */
    nextAttemptAt: moment().notNull().defaultNow(),
    /** When it is to be put on the queue, or when the message that it has there is taken for lost. */
    relayAt: moment().notNull().defaultNow(),
    /** Somebody is sending it until then: nobody else begins, and another one's outcome is not written. */
    leaseUntil: moment(),
    leaseOwner: uuid(),
    responseStatus: integer(),
    lastError: text(),
    createdAt: createdAt(),
    deliveredAt: moment(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex("webhook_deliveries_once").on(t.tenantId, t.webhookId, t.event, t.source),
    index("webhook_deliveries_newest").on(t.tenantId, t.webhookId, t.id),
    // What is still to be sent; the many that lie on the queue are not in the way.
    index("webhook_deliveries_due")
      .on(t.tenantId, t.webhookId, t.relayAt)
      .where(sql`state = 'pending'`),
    foreignKey({
      name: "webhook_deliveries_tenant_fk",
      columns: [t.tenantId],
      foreignColumns: [tenants.id],
    }),
    oneOf("webhook_deliveries_event", t.event, WEBHOOK_EVENTS),
    oneOf("webhook_deliveries_state", t.state, DELIVERY_STATES),
    check(
      "webhook_deliveries_delivered",
      sql`(${t.state} = 'delivered') = (${t.deliveredAt} is not null)`,
    ),
  ],
);
