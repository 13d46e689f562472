import type { TestDatabase } from "./database.ts";

/**
 * A digest of every table's rows, by table: equal before and after means that nothing was written. With a tenant, of
 * that tenant's rows alone.
 */
export async function contentsOf(
  database: TestDatabase,
  tenantId?: string,
): Promise<Record<string, string | null>> {
  const rows = await database.query("superuser", await digestQuery(database), [tenantId ?? null]);
  return Object.fromEntries(rows.map(({ name, digest }) => [name ?? "", digest ?? null]));
}

/** One query for each database: its tables do not change. */
const queries = new WeakMap<TestDatabase, Promise<string>>();

function digestQuery(database: TestDatabase): Promise<string> {
  const known = queries.get(database) ?? writeDigestQuery(database);
  queries.set(database, known);
  return known;
}

async function writeDigestQuery(database: TestDatabase): Promise<string> {
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
      return `select '${name}' as name, md5(string_agg(r::text, e'\\n' order by r::text)) as digest
        from "${name}" r where ${owned}`;
    })
    .join(" union all ");
}
