import { sql } from "drizzle-orm";
import type { TenantDatabase } from "../connection/client.ts";

/** The name of the caller's own tenant; null where a token names one that is not there. */
export async function readTenantName(database: TenantDatabase): Promise<string | null> {
  const [row] = await database.read<{ name: string | null }>(sql`select tenant_name() as name`);
  return row?.name ?? null;
}
