import { sql } from "drizzle-orm";
import type { Operation, TenantDatabase, Written } from "./client.ts";

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
