import type { TestDatabase } from "./database.ts";

/**
 * How many rows every table has and the sum of the transactions that wrote them, by table: equal before and after means
 * that nothing was written, changed or removed, for a later transaction has a higher number. With a tenant, of that
 * tenant's rows alone.
 */
export async function contentsOf(
  database: TestDatabase,
  tenantId?: string,
): Promise<Record<string, string | null>> {
  const rows = await database.query("superuser", await contentsQuery(database), [tenantId ?? null]);
  return Object.fromEntries(rows.map(({ name, contents }) => [name ?? "", contents ?? null]));
}

/** One query for each database: its tables do not change. */
const queries = new WeakMap<TestDatabase, Promise<string>>();

function contentsQuery(database: TestDatabase): Promise<string> {
  const known = queries.get(database) ?? writeContentsQuery(database);
  queries.set(database, known);
  return known;
}

async function writeContentsQuery(database: TestDatabase): Promise<string> {
  const tables = await database.query(
    "superuser",
    `select t.tablename as name, exists (
        select from information_schema.columns c
        where c.table_schema = 'public' and c.table_name = t.tablename and c.column_name = 'tenant_id'
      ) as scoped
      from pg_tables t where t.schemaname = 'public' order by 1`,
  );
  return tables
    .map(({ name, scoped }) => {
      const owned = scoped === "t" ? "$1::uuid is null or tenant_id = $1::uuid" : "true";
      return `select '${name}' as name, concat_ws(' rows by ', count(*), sum(xmin::text::bigint)) as contents
        from "${name}" where ${owned}`;
    })
    .join(" union all ");
}
