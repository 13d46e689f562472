import { type SQL, sql } from "drizzle-orm";
import type { TenantDatabase } from "../connection/client.ts";
import type { Bound } from "../connection/prepared.ts";

// An external id has many spellings: see external_id_key. A task with the exact spelling comes first, because tasks from
// before that rule can have ids with the same key.

/**
 * The id of the task with this external id; null if there is none. A subquery as a whole, because row security keeps
 * Postgres from using an index for a comparison with COALESCE.
 */
export const idOfExternalId = (externalId: Bound<string | null>): SQL =>
  sql`(select coalesce((select x.id from tasks x where x.external_id = ${externalId}),
    (select x.id from tasks x where x.external_id_key = external_id_key(${externalId}))))`;

/** Selects the external ids of a JSON array that tasks have, as `name`, each with the `id` of its task. */
export const idsOfExternalIds = (externalIds: readonly string[]): SQL =>
  sql`select * from (
    -- Most spellings are exact. A join finds them together, and the rest are looked up one by one.
    select given.name, coalesce(x.id, (select k.id from tasks k
      where x.id is null and k.external_id_key = external_id_key(given.name))) as id
    from json_array_elements_text(${JSON.stringify(externalIds)}) as given(name)
      left join tasks x on x.external_id = given.name
  ) named where id is not null`;

/** Returns the ids of the tasks with these external ids, by external id. Unused external ids are left out. */
export async function findTaskIds(
  database: TenantDatabase,
  externalIds: readonly string[],
): Promise<Map<string, string>> {
  const rows = await database.read<{ name: string; id: string }>(idsOfExternalIds(externalIds));
  return new Map(rows.map(({ name, id }) => [name, id]));
}
