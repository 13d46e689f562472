import { sql } from "drizzle-orm";
import type { TenantDatabase } from "../connection/client.ts";
import { matchingTasks, type TaskFilter } from "./task-filter.ts";

/**
 * Returns the ids of the matching tasks, oldest first and at most `max`: the tasks that a bulk preview of the same
 * filter takes.
 */
export async function listTaskIds(
  database: TenantDatabase,
  filter: TaskFilter,
  max: number,
): Promise<{ ids: string[]; truncated: boolean }> {
  // One array, because one row per id would make the response several times as long.
  const [row] = await database.read<{ ids: string[] | null }>(sql`
with matching as materialized (
  select t.id ${matchingTasks(filter)} order by t.id limit ${max + 1}
)
select json_agg(id order by id) as ids from matching`);
  const ids = row?.ids ?? [];
  return { ids: ids.slice(0, max), truncated: ids.length > max };
}
