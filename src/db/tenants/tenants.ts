import { sql } from "drizzle-orm";
import type { TenantDatabase } from "../connection/client.ts";

/** Returns the name of the caller's tenant; null if the tenant of the token does not exist. */
export async function readTenantName(database: TenantDatabase): Promise<string | null> {
  const [row] = await database.read<{ name: string | null }>(sql`select tenant_name() as name`);
  return row?.name ?? null;
}
