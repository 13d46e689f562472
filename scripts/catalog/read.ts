import type { Client } from "pg";
import type { Catalog, Facts } from "./entries.ts";
import { CATALOG_QUERIES } from "./queries.ts";

/**
 * Reads every object of the database that decides what a role may do and which rows Postgres accepts. Reads in the
 * caller's transaction, as the owner or a superuser.
 */
export async function readCatalog(client: Client): Promise<Catalog> {
  // Names are then printed with their schema, and no object of another schema can take the place of Postgres's own.
  await client.query("set local search_path = pg_catalog, pg_temp");
  const queries = CATALOG_QUERIES.map((query) => `(${query})`);
  const { rows } = await client.query<CatalogRow>(
    `select key, jsonb_strip_nulls(facts) as facts from (${queries.join(" union all ")}) objects`,
  );
  const migrations = await readMigrations(client);
  await client.query("set local search_path to default");
  return new Map([...rows, ...migrations].map(({ key, facts }) => [key, facts]));
}

interface CatalogRow {
  key: string;
  facts: Facts;
}

/** Returns how many migrations are applied, so that a database of another release shows as one. */
async function readMigrations(client: Client): Promise<CatalogRow[]> {
  const { rowCount: tables } = await client.query(
    "select from pg_class where oid = to_regclass('drizzle.__drizzle_migrations')",
  );
  if (tables === 0) return [];
  const { rows } = await client.query<CatalogRow>(
    `select 'migrations' as key, jsonb_build_object('applied', count(*)::text) as facts
     from drizzle.__drizzle_migrations`,
  );
  return rows;
}

/** Returns the major version of the server, such as 18. */
export async function readServerVersion(client: Client): Promise<number> {
  const { rows } = await client.query<{ version: number }>(
    "select current_setting('server_version_num')::integer / 10000 as version",
  );
  return rows[0]?.version ?? 0;
}
