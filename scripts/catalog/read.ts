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
  const { rows } = await client.query<{ key: string; facts: Facts }>(
    `select key, jsonb_strip_nulls(facts) as facts from (${queries.join(" union all ")}) objects`,
  );
  await client.query("set local search_path to default");
  return new Map(rows.map(({ key, facts }) => [key, facts]));
}

/** Returns the major version of the server, such as 18. */
export async function readServerVersion(client: Client): Promise<number> {
  const { rows } = await client.query<{ version: number }>(
    "select current_setting('server_version_num')::integer / 10000 as version",
  );
  return rows[0]?.version ?? 0;
}
