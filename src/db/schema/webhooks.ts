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
import { DEAD_REASONS } from "../../domain/webhooks/delivery-attempts.ts";
import { DELIVERY_STATES, WEBHOOK_EVENTS } from "../../domain/webhooks/events.ts";
import {
  bytea,
  createdAt,
  id,
  moment,
  oneOf,
  pgSnapshot,
  tenantId,
  writtenAt,
  xid8,
} from "./columns.ts";
import { tenants } from "./tenants.ts";

/** A tenant's subscription to events. It has its own position in the feed, so that no event is lost. */
export const webhooks = pgTable(
  "webhooks",
  {
    tenantId: tenantId(),
    name: text().notNull(),
    /** A webhook that is created under the name of a deleted one gets a new id. */
    id: id(),
    url: text().notNull(),
    events: text().array().notNull(),
    /** Plain secrets of earlier releases, until the next write or `npm run seal` moves them to signing_secrets. */
    secret: bytea(),
    previousSecret: bytea(),
    previousSecretUntil: moment(),
    enabled: boolean().notNull().default(true),
    /** When its endpoint answered that it is gone, which disabled it. Null otherwise. */
    goneAt: moment(),
    /** The position in the feed up to which its deliveries were written. */
    positionTxid: xid8().notNull(),
    positionFeedId: bigint({ mode: "number" }).notNull(),
    /** The snapshot in which it subscribed. Events visible in it are skipped, even if they are after the position. */
    heardNothingOf: pgSnapshot().notNull(),
    createdAt: createdAt(),
    updatedAt: moment().notNull().defaultNow(),
    /** When it was deleted. The row stays, disabled and without a secret, until its name is used again. */
    deletedAt: moment(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.name] }),
    uniqueIndex("webhooks_id").on(t.tenantId, t.id),
    foreignKey({ name: "webhooks_tenant_fk", columns: [t.tenantId], foreignColumns: [tenants.id] }),
    check("webhooks_gone", sql`${t.goneAt} is null or not ${t.enabled}`),
    check("webhooks_deleted", sql`${t.deletedAt} is null or not ${t.enabled}`),
    check(
      "webhooks_previous_secret",
      sql`(${t.previousSecret} is null) = (${t.previousSecretUntil} is null)`,
    ),
  ],
);

/** One message to a webhook. It is written before it is sent, and kept as a log. */
export const webhookDeliveries = pgTable(
  "webhook_deliveries",
  {
    tenantId: tenantId(),
    /** The `webhook-id` of the message, the same for every attempt. */
    id: id(),
    /** No foreign key to webhooks: deliveries are kept when their webhook is deleted. */
    webhookId: uuid().notNull(),
    webhookName: text().notNull(),
    event: text({ enum: WEBHOOK_EVENTS }).notNull(),
    /** Identifies the task event, operation or dispatch that it reports, so that each is reported once. */
    source: text().notNull(),
    /** The body's `data` as JSON text, so that every attempt sends the same bytes. */
    data: text().notNull(),
    /** The body's `timestamp`: when the reported change happened. */
    occurredAt: writtenAt(),
    state: text({ enum: DELIVERY_STATES }).notNull().default("pending"),
    attempts: integer().notNull().default(0),
    /** The earliest time of the next attempt. */
    nextAttemptAt: moment().notNull().defaultNow(),
    /** When to enqueue it, or, if it is on the queue, when its message counts as lost. */
    relayAt: moment().notNull().defaultNow(),
    /** Until then an attempt is in progress: no other attempt starts, and only its outcome is recorded. */
    leaseUntil: moment(),
    leaseOwner: uuid(),
    responseStatus: integer(),
    lastError: text(),
    /** Why it is dead. Null for deliveries that earlier releases gave up, which followed other rules. */
    deadReason: text({ enum: DEAD_REASONS }),
    createdAt: createdAt(),
    deliveredAt: moment(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex("webhook_deliveries_once").on(t.tenantId, t.webhookId, t.event, t.source),
    index("webhook_deliveries_newest").on(t.tenantId, t.webhookId, t.id),
    // For sending the dead ones of a webhook again, oldest first, without reading the many that arrived.
    index("webhook_deliveries_dead")
      .on(t.tenantId, t.webhookId, t.id)
      .where(sql`state = 'dead'`),
    // Pending deliveries by relay time, so that a scan does not pass over the many that are on the queue.
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
