import { sql } from "drizzle-orm";
import type { Database, Operation, TenantDatabase, Written } from "../connection/client.ts";

/**
 * Keeps the answer of a call that had nothing to write, so that a repeat under its key gets this answer and does
 * not do something after all.
 */
export function recordAnswer(
  database: TenantDatabase,
  operation: Operation,
  result: unknown,
): Promise<Written<{ id: string }>> {
  return database.write(operation, [
    sql`update operations set result = ${JSON.stringify(result)}::json where id = ${operation.id} returning id`,
  ]);
}

/** Deletes operations whose time is over, of every tenant; how many there were. */
export async function deleteExpired(database: Database, rowsMax: number): Promise<number> {
  const [row] = await database.acrossTenants<{ expired: number }>(
    sql`select expire_operations(${rowsMax}::integer) as expired`,
  );
  return row?.expired ?? 0;
}
