import { foreignKey, index, integer, pgTable, primaryKey, text, unique } from "drizzle-orm/pg-core";
import { ADMIN_EVENT_TYPES, ADMIN_SUBJECTS } from "../../domain/admin-events.ts";
import { ACTOR_KINDS, ROLES } from "../../domain/actor.ts";
import { bytea, moment, oneOf, tenantId } from "./columns.ts";
import { chainedEnvelope } from "./events.ts";
import { tenants } from "./tenants.ts";

/**
 * A tenant's administration, numbered 1..n without gaps and hash-chained. Both grants and triggers keep it append-only.
 * The trigger `admin_events_chained` sets seq, at, prev_hash and hash, whatever the insert contains.
 */
export const adminEvents = pgTable(
  "admin_events",
  {
    tenantId: tenantId(),
    seq: integer().notNull(),
    type: text({ enum: ADMIN_EVENT_TYPES }).notNull(),
    subjectKind: text({ enum: ADMIN_SUBJECTS }).notNull(),
    /** The id of a tenant, a key or a person; the name of a pipeline or a webhook. */
    subjectId: text().notNull(),
    // The payload has the subject `before` and `after`, without secrets.
    ...chainedEnvelope(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.seq] }),
    unique("admin_events_head").on(t.tenantId, t.seq, t.hash),
    index("admin_events_subject").on(t.tenantId, t.subjectKind, t.subjectId, t.seq),
    index("admin_events_actor").on(t.tenantId, t.actorId, t.seq),
    foreignKey({
      name: "admin_events_tenant_fk",
      columns: [t.tenantId],
      foreignColumns: [tenants.id],
    }),
    oneOf("admin_events_type", t.type, ADMIN_EVENT_TYPES),
    oneOf("admin_events_subject_kind", t.subjectKind, ADMIN_SUBJECTS),
    oneOf("admin_events_actor_kind", t.actorKind, ACTOR_KINDS),
    oneOf("admin_events_actor_role", t.actorRole, ROLES),
  ],
);

/** The newest event of each tenant's administration. Its row lock puts administrative writes in order. */
export const adminHeads = pgTable(
  "admin_heads",
  {
    tenantId: tenantId(),
    seq: integer().notNull(),
    hash: bytea().notNull(),
    at: moment().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId] }),
    foreignKey({
      name: "admin_heads_tenant_fk",
      columns: [t.tenantId],
      foreignColumns: [tenants.id],
    }),
  ],
);
