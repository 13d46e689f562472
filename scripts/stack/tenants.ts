import { createHash } from "node:crypto";
import { drizzle } from "drizzle-orm/node-postgres";
import { Client } from "pg";
import { uuidv7 } from "uuidv7";
import { mintKey } from "../../src/actions/keys/mint-key.ts";
import { ROLES, type Role } from "../../src/domain/actor.ts";
import { apiKeys } from "../../src/db/schema/api-keys.ts";
import { tenants } from "../../src/db/schema/tenants.ts";

/** A tenant with one API key for each role, in plain text. The database stores only digests. */
export interface Tenant {
  id: string;
  name: string;
  keys: Record<Role, string>;
}

interface Inventing {
  id?: string;
  /** The service's secret, with which its keys prove who issued them. They also work without. */
  signingSecret?: string | undefined;
}

/** Generates a tenant with new keys. Stores nothing. */
export function inventTenant(
  name: string,
  { id = uuidv7(), signingSecret }: Inventing = {},
): Tenant {
  const mint = () => mintKey(id, signingSecret ?? null);
  const keys = {
    viewer: mint(),
    operator: mint(),
    reviewer: mint(),
    admin: mint(),
    service: mint(),
  };
  return { id, name, keys };
}

/** Stores a tenant and the keys of the given roles, as the owner. Existing rows stay as they are. */
export async function storeTenant(
  ownerUrl: string,
  tenant: Tenant,
  roles: readonly Role[] = ROLES,
): Promise<void> {
  const client = new Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    const database = drizzle(client, { casing: "snake_case" });
    await database.transaction(async (transaction) => {
      await transaction
        .insert(tenants)
        .values({ id: tenant.id, name: tenant.name })
        .onConflictDoNothing();
      await transaction
        .insert(apiKeys)
        .values(roles.map((role) => keyRow(tenant, role)))
        .onConflictDoNothing();
    });
  } finally {
    await client.end();
  }
}

function keyRow(tenant: Tenant, role: Role) {
  const key = tenant.keys[role];
  return {
    tenantId: tenant.id,
    id: uuidv7(),
    name: `first ${role} key`,
    role,
    digest: createHash("sha256").update(key).digest(),
    lastFour: key.slice(-4),
    createdBy: "setup",
  };
}
