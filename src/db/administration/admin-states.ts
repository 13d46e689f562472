import { type SQL, sql } from "drizzle-orm";
import type { AdminSubject } from "../../domain/admin-events.ts";

/** How the rows of a kind of subject are read: their table, and what events say about a row with the alias r. */
interface AdministeredTable {
  table: string;
  tenantId: string;
  /** The subject's id in events, as text. */
  subjectId: string;
  /** The public state of the row, as jsonb. It never has a secret; of a key it has a hash of the stored digest. */
  state: string;
}

/**
 * The tables that administration changes. Every event contains the state of its subject before and after, and `npm run
 * verify` compares each row with the state in its newest event. A new nullable column can join a state at any time,
 * because the comparison ignores members that are null.
 * A tenant's kind is null unless it is a demo, because older events do not have it.
 */
export const ADMINISTERED = {
  tenant: {
    table: "tenants",
    tenantId: "r.id",
    subjectId: "r.id::text",
    state: `jsonb_build_object('id', r.id, 'name', r.name, 'kind', nullif(r.kind, 'customer'), 'createdAt', iso(r.created_at))`,
  },
  key: {
    table: "api_keys",
    tenantId: "r.tenant_id",
    subjectId: "r.id::text",
    state: `jsonb_build_object('id', r.id, 'name', r.name, 'role', r.role, 'kind', r.kind,
  'personId', r.person_id,
  'fingerprint', encode(sha256(r.digest), 'hex'), 'lastFour', r.last_four, 'replaces', r.replaces,
  'createdBy', r.created_by, 'createdAt', iso(r.created_at), 'expiresAt', iso(r.expires_at),
  'revokedAt', iso(r.revoked_at), 'revokedBy', r.revoked_by)`,
  },
  person: {
    table: "people",
    tenantId: "r.tenant_id",
    subjectId: "r.id::text",
    state: `jsonb_build_object('id', r.id, 'subject', r.subject, 'name', r.name, 'email', r.email, 'role', r.role,
  'active', r.active, 'claimedAt', iso(r.claimed_at), 'createdAt', iso(r.created_at), 'updatedAt', iso(r.updated_at))`,
  },
  pipeline: {
    table: "pipelines",
    tenantId: "r.tenant_id",
    subjectId: "r.name",
    state: `jsonb_build_object('name', r.name, 'endpoint', r.endpoint, 'timeoutSeconds', r.timeout_seconds,
  'runDeadlineSeconds', r.run_deadline_seconds, 'createdAt', iso(r.created_at), 'updatedAt', iso(r.updated_at))`,
  },
  webhook: {
    table: "webhooks",
    tenantId: "r.tenant_id",
    subjectId: "r.name",
    state: `jsonb_build_object('name', r.name, 'id', r.id, 'url', r.url, 'events', to_jsonb(r.events),
  'enabled', r.enabled, 'goneAt', iso(r.gone_at), 'createdAt', iso(r.created_at), 'updatedAt', iso(r.updated_at), 'deletedAt', iso(r.deleted_at))`,
  },
  taxonomy: {
    table: "taxonomy",
    tenantId: "r.tenant_id",
    subjectId: "r.code",
    state: `jsonb_build_object('code', r.code, 'label', r.label, 'level', r.level, 'parentCode', r.parent_code,
  'position', r.position, 'createdAt', iso(r.created_at), 'updatedAt', iso(r.updated_at),
  'archivedAt', iso(r.archived_at))`,
  },
} as const satisfies Partial<Record<AdminSubject, AdministeredTable>>;

/** The state of a row with this alias, as jsonb. */
export function stateOf(subject: keyof typeof ADMINISTERED, alias: string): SQL {
  return sql.raw(ADMINISTERED[subject].state.replaceAll(/\br\./g, `${alias}.`));
}
