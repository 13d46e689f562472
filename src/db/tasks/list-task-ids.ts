import { sql } from "drizzle-orm";
import type { TenantDatabase } from "../connection/client.ts";
import { matchingTasks, type TaskFilter } from "./task-filter.ts";

/** The ids of the tasks that match, the oldest first, as a bulk preview of the same filter takes them: at most `max`. */
export async function listTaskIds(
  database: TenantDatabase,
  filter: TaskFilter,
  max: number,
): Promise<{ ids: string[]; truncated: boolean }> {
  // One array: a row for each would be several times as long on its way.
  const [row] = await database.read<{ ids: string[] | null }>(sql`
with matching as materialized (
  select t.id ${matchingTasks(filter)} order by t.id limit ${max + 1}
)
select json_agg(id order by id) as ids from matching`);
  const ids = row?.ids ?? [];
  return { ids: ids.slice(0, max), truncated: ids.length > max };
}
