import { createHash, randomBytes } from "node:crypto";
import { drizzle } from "drizzle-orm/node-postgres";
import { Client } from "pg";
import { uuidv7 } from "uuidv7";
import { ROLES, type Role } from "../../src/domain/actor.ts";
import { apiKeys } from "../../src/db/schema/api-keys.ts";
import { tenants } from "../../src/db/schema/tenants.ts";

/** A tenant with one key for each role. The keys stand here in clear: the database has their digests alone. */
export interface Tenant {
  id: string;
  name: string;
  keys: Record<Role, string>;
}

/** Makes up a tenant that no database knows yet, or new keys for the one of the given id. */
export function inventTenant(name: string, id: string = uuidv7()): Tenant {
  const keys = {
    viewer: mintKey(id),
    operator: mintKey(id),
    reviewer: mintKey(id),
    admin: mintKey(id),
    service: mintKey(id),
  };
  return { id, name, keys };
}

/** Stores a tenant and the keys of the given roles, as the owner. What is there already stays as it is. */
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

/** The tenant part only chooses the scope; the digest of the whole proves the key. */
function mintKey(tenantId: string): string {
  return `slg_${tenantId.replaceAll("-", "")}_${randomBytes(32).toString("base64url")}`;
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
