import type { TestDatabase } from "./database.ts";

/**
 * Returns the number of rows of each table and the sum of the transactions that wrote them. Equal results before and
 * after mean that nothing was inserted, updated or deleted, because a later transaction has a higher number. With a
 * tenant, only the rows of that tenant count.
 */
export async function contentsOf(
  database: TestDatabase,
  tenantId?: string,
): Promise<Record<string, string>> {
  const tables = await readTables(database, tenantId);
  return Object.fromEntries(
    tables.map(({ name, rows, writers }) => [name ?? "", `${rows} rows by ${writers ?? 0}`]),
  );
}

/** Returns how many rows each table has. With a tenant, only the rows of that tenant count. */
export async function countRows(
  database: TestDatabase,
  tenantId?: string,
): Promise<Record<string, number>> {
  const tables = await readTables(database, tenantId);
  return Object.fromEntries(tables.map(({ name, rows }) => [name ?? "", Number(rows)]));
}

/** Returns the tables that gained or lost rows, and how many. */
export function rowsGained(
  before: Record<string, number>,
  after: Record<string, number>,
): Record<string, number> {
  const gains = Object.entries(after).map(([name, n]) => [name, n - (before[name] ?? 0)] as const);
  return Object.fromEntries(gains.filter(([, gain]) => gain !== 0));
}

async function readTables(database: TestDatabase, tenantId?: string) {
  const isReady = prepared.get(database) ?? prepare(database);
  prepared.set(database, isReady);
  await isReady;
  return tenantId === undefined
    ? database.query("superuser", "select * from observer.contents()")
    : database.query("superuser", "select * from observer.contents_of($1)", [tenantId]);
}

const prepared = new WeakMap<TestDatabase, Promise<unknown>>();

/**
 * Creates the queries as functions, so that each connection plans them once: tests call it thousands of times, and the
 * plan of a union over all tables takes longer than its execution.
 */
async function prepare(database: TestDatabase): Promise<void> {
  const tables = await database.query(
    "superuser",
    `select t.tablename as name, exists (
        select from information_schema.columns c
        where c.table_schema = 'public' and c.table_name = t.tablename and c.column_name = 'tenant_id'
      ) as has_tenant
      from pg_tables t where t.schemaname = 'public'
        -- Any first call with a key notes its use, whatever else it does.
        and t.tablename <> 'api_key_uses' order by 1`,
  );
  // Two functions, so that the one of a tenant can use indexes, which all begin with the tenant.
  const counted = (isOfTenant: boolean): string => {
    const selects = tables.map(({ name, has_tenant }) => {
      const condition = isOfTenant && has_tenant === "t" ? "tenant_id = tenant" : "true";
      return `select '${name}', count(*), sum(xmin::text::bigint) from public."${name}" where ${condition}`;
    });
    return selects.join(" union all ");
  };
  const rows = "returns table (name text, rows bigint, writers numeric) language plpgsql";
  const settings = "set plan_cache_mode = force_generic_plan";
  await database.transaction("superuser", [
    { text: "create schema if not exists observer" },
    {
      text: `create function observer.contents() ${rows} ${settings}
        as $$ begin return query ${counted(false)}; end $$`,
    },
    {
      text: `create function observer.contents_of(tenant uuid) ${rows} ${settings}
        as $$ begin return query ${counted(true)}; end $$`,
    },
  ]);
}
