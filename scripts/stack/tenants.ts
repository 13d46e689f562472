import { createHash } from "node:crypto";
import { eq, inArray, or, sql } from "drizzle-orm";
import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
import { Client } from "pg";
import { uuidv7 } from "uuidv7";
import { mintKey } from "../../src/actions/keys/mint-key.ts";
import { ADMINISTERED } from "../../src/db/administration/admin-states.ts";
import { ROLES, type Role } from "../../src/domain/actor.ts";
import type { TenantKind } from "../../src/domain/tenant-kind.ts";
import { apiKeys } from "../../src/db/schema/api-keys.ts";
import { tenants } from "../../src/db/schema/tenants.ts";

/** A tenant with one API key for each role, in plain text. The database stores only digests. */
export interface Tenant {
  id: string;
  name: string;
  kind: TenantKind;
  keys: Record<Role, string>;
}

interface Inventing {
  id?: string;
  kind?: TenantKind;
  /** The service's secret, with which its keys prove who issued them. They also work without. */
  signingSecret?: string | undefined;
}

/** Generates a tenant with new keys. Stores nothing. */
export function inventTenant(
  name: string,
  { id = uuidv7(), kind = "customer", signingSecret }: Inventing = {},
): Tenant {
  const mint = () => mintKey(id, signingSecret ?? null);
  const keys = {
    viewer: mint(),
    operator: mint(),
    reviewer: mint(),
    admin: mint(),
    service: mint(),
  };
  return { id, name, kind, keys };
}

/**
 * Stores a tenant and the keys of the given roles, as the owner, with an event of administration for each. Existing rows
 * stay as they are.
 */
export async function storeTenant(
  ownerUrl: string,
  tenant: Tenant,
  roles: readonly Role[] = ROLES,
): Promise<void> {
  await asOwner(ownerUrl, (database) =>
    database.transaction(async (transaction) => {
      const created = await transaction
        .insert(tenants)
        .values({ id: tenant.id, name: tenant.name, kind: tenant.kind })
        .onConflictDoNothing()
        .returning({ id: tenants.id });
      await recordCreated(transaction, "tenant", created);
      const keys = await transaction
        .insert(apiKeys)
        .values(roles.map((role) => keyRow(tenant.id, tenant.keys[role], role)))
        .onConflictDoNothing()
        .returning({ id: apiKeys.id });
      await recordCreated(transaction, "key", keys);
    }),
  );
}

/** Returns the ids of the tenants with this name or id. */
export async function findTenants(ownerUrl: string, nameOrId: string): Promise<string[]> {
  const found = await asOwner(ownerUrl, (database) =>
    database
      .select({ id: tenants.id })
      .from(tenants)
      .where(or(eq(tenants.name, nameOrId), sql`${tenants.id}::text = lower(${nameOrId})`)),
  );
  return found.map(({ id }) => id);
}

/** Creates an admin key of an existing tenant, as the owner, and returns it. */
export async function mintAdminKey(
  ownerUrl: string,
  tenantId: string,
  signingSecret: string | null,
): Promise<string> {
  const key = mintKey(tenantId, signingSecret);
  await asOwner(ownerUrl, (database) =>
    database.transaction(async (transaction) => {
      const row = { ...keyRow(tenantId, key, "admin"), name: "admin key by the operator" };
      await transaction.insert(apiKeys).values(row);
      await recordCreated(transaction, "key", [row]);
    }),
  );
  return key;
}

async function asOwner<Result>(
  ownerUrl: string,
  work: (database: NodePgDatabase) => Promise<Result>,
): Promise<Result> {
  const client = new Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    return await work(drizzle(client, { casing: "snake_case" }));
  } finally {
    await client.end();
  }
}

/** Appends an event of administration for each row that the operator has created. */
async function recordCreated(
  database: Pick<NodePgDatabase, "execute">,
  subject: "tenant" | "key",
  created: readonly { id: string }[],
): Promise<void> {
  if (created.length === 0) return;
  const { table, tenantId, subjectId, state } = ADMINISTERED[subject];
  const ids = created.map(({ id }) => id);
  await database.execute(sql`
    insert into admin_events (tenant_id, type, subject_kind, subject_id, actor_id, actor_name, actor_kind, actor_role,
      payload, operation_id, request_id)
    select ${sql.raw(tenantId)}, ${`${subject}_created`}, ${subject}, ${sql.raw(subjectId)},
      'operator', 'Operator at the database', 'system', 'admin',
      jsonb_build_object('before', null, 'after', ${sql.raw(state)})::text, new_id(), 'npm run tenant'
    from ${sql.raw(table)} r where ${inArray(sql`r.id`, ids)} order by r.id`);
}

function keyRow(tenantId: string, key: string, role: Role) {
  return {
    tenantId,
    id: uuidv7(),
    name: `first ${role} key`,
    role,
    digest: createHash("sha256").update(key).digest(),
    lastFour: key.slice(-4),
    createdBy: "setup",
  };
}
