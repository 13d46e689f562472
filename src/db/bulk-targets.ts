import { sql } from "drizzle-orm";
import type { TenantDatabase } from "./client.ts";
import { matchingTasks, type TaskFilter } from "./list-tasks.ts";

/** The ids of the tasks that match, the oldest first; null where there are more than `max`. */
export async function findTargetIds(
  database: TenantDatabase,
  filter: TaskFilter,
  max: number,
): Promise<string[] | null> {
  const rows = await database.read<{ id: string }>(sql`
    select t.id ${matchingTasks(filter)} order by t.id limit ${max + 1}`);
  return rows.length > max ? null : rows.map(({ id }) => id);
}
