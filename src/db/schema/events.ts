import { sql } from "drizzle-orm";
import { bigint, integer, text, uuid } from "drizzle-orm/pg-core";
import { ACTOR_KINDS, ROLES } from "../../domain/actor.ts";
import { bytea, moment, xid8 } from "./columns.ts";

/** The columns that every hash-chained stream has: who, what, why, through which call, and the chain. */
export const chainedEnvelope = () => ({
  actorId: text().notNull(),
  actorName: text().notNull(),
  actorKind: text({ enum: ACTOR_KINDS }).notNull(),
  actorRole: text({ enum: ROLES }).notNull(),
  reason: text(),
  /** Canonical JSON as text, because the hash covers its exact bytes. */
  payload: text().notNull(),
  operationId: uuid().notNull(),
  requestId: text().notNull(),
  at: moment().notNull(),
  prevHash: bytea().notNull(),
  hash: bytea().notNull(),
});

/** The columns that the streams of tasks and evals share: those above, the registry version, the place in the feed. */
export const eventEnvelope = () => ({
  ...chainedEnvelope(),
  registryVersion: integer().notNull(),
  txid: xid8()
    .notNull()
    .default(sql`pg_current_xact_id()`),
  feedId: bigint({ mode: "number" })
    .notNull()
    .default(sql`nextval('feed_id')`),
});
