import { getTableName, is } from "drizzle-orm";
import { PgTable } from "drizzle-orm/pg-core";
import * as schema from "../../../src/db/schema/index.ts";
import type { TestDatabase } from "../database.ts";

export const TABLE_NAMES: readonly string[] = Object.values(schema).flatMap((table) =>
  is(table, PgTable) ? [getTableName(table)] : [],
);

const COUNTS = TABLE_NAMES.map((name) => `select '${name}' as name, count(*) as n from ${name}`);

/** How many rows every table has. */
export async function countRows(database: TestDatabase): Promise<Record<string, number>> {
  const rows = await database.query("superuser", COUNTS.join(" union all "));
  return Object.fromEntries(rows.map(({ name, n }) => [name ?? "", Number(n)]));
}

/** The tables that have gained or lost rows, and how many. */
export function rowsGained(
  before: Record<string, number>,
  after: Record<string, number>,
): Record<string, number> {
  const gains = Object.entries(after).map(([name, n]) => [name, n - (before[name] ?? 0)] as const);
  return Object.fromEntries(gains.filter(([, gain]) => gain !== 0));
}
