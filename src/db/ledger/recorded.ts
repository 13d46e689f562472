import { sql } from "drizzle-orm";
import type { TenantDatabase } from "../connection/client.ts";

/** Returns which of these operations are in the ledger. */
export async function findRecorded(
  database: TenantDatabase,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await database.read<{ id: string }>(sql`
    select o.id from operations o
    where o.tenant_id = ${database.tenantId}
      and o.id in (select value::uuid from json_array_elements_text(${JSON.stringify(ids)}))`);
  return new Set(rows.map(({ id }) => id));
}
