import { sql } from "drizzle-orm";
import {
  check,
  foreignKey,
  index,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { createdAt, id, moment, oneOf, tenantId } from "./columns.ts";
import { tenants } from "./tenants.ts";

/** What a signing secret belongs to. */
export const SECRET_OWNERS = ["pipeline", "webhook"] as const;
export type SecretOwnerKind = (typeof SECRET_OWNERS)[number];

/** A secret that signs the messages of a pipeline or webhook: the current one, and earlier ones until they expire. */
export const signingSecrets = pgTable(
  "signing_secrets",
  {
    tenantId: tenantId(),
    id: id(),
    kind: text({ enum: SECRET_OWNERS }).notNull(),
    /** The name of the pipeline or webhook. */
    name: text().notNull(),
    /** The secret, encrypted by the Worker: `v1.KEY_ID.NONCE.CIPHERTEXT` (src/outbound/sealer.ts). */
    sealed: text().notNull(),
    createdAt: createdAt(),
    /** Until then, it also signs. Null for the current secret. */
    signsUntil: moment(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index("signing_secrets_owner").on(t.tenantId, t.kind, t.name),
    uniqueIndex("signing_secrets_current")
      .on(t.tenantId, t.kind, t.name)
      .where(sql`signs_until is null`),
    foreignKey({
      name: "signing_secrets_tenant_fk",
      columns: [t.tenantId],
      foreignColumns: [tenants.id],
    }),
    oneOf("signing_secrets_kind", t.kind, SECRET_OWNERS),
    check(
      "signing_secrets_sealed",
      sql`${t.sealed} ~ '^v1\\.[A-Za-z0-9_-]{1,16}\\.[A-Za-z0-9_-]{16}\\.[A-Za-z0-9_-]+$'`,
    ),
  ],
);
