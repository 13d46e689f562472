import { sql } from "drizzle-orm";
import type { TenantDatabase } from "../connection/client.ts";

/** Returns the ids of the tasks with these external ids, by external id. Unused external ids are left out. */
export async function findTaskIds(
  database: TenantDatabase,
  externalIds: readonly string[],
): Promise<Map<string, string>> {
  const rows = await database.read<{ external_id: string; id: string }>(sql`
    select t.external_id, t.id
    from json_array_elements_text(${JSON.stringify(externalIds)}) as wanted(external_id)
    join tasks t using (external_id)`);
  return new Map(rows.map((row) => [row.external_id, row.id]));
}
