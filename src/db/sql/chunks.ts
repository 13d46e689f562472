import { type SQL, sql } from "drizzle-orm";
import type { TenantDatabase } from "../connection/client.ts";
import { allOf } from "./conditions.ts";

/** A part of what is read, and the place where the next one begins; null behind the last. */
export interface Chunk<Row, Place> {
  rows: Row[];
  next: Place | null;
}

/** An export goes to the database once for so many rows. */
export const CHUNK_ROWS_MAX = 2000;

/** Of texts that callers chose the length of, a chunk holds so much and one more: Neon's answers have a limit. */
const CHUNK_BYTES_MAX = 2 * 1024 * 1024;

/** Of the rows that were found, the first that make a chunk: at most `limit`, and of `bytes` not much too many. */
export function chunkOf(found: SQL, { order, limit }: { order: SQL; limit: number }): SQL {
  return sql`select * from (
    select *, row_number() over in_order as position,
      sum(bytes) over (in_order rows between unbounded preceding and 1 preceding) as bytes_before
    from ${found} window in_order as (order by ${order})
  ) measured where position <= ${limit} and coalesce(bytes_before, 0) < ${CHUNK_BYTES_MAX}`;
}

/** What is read of a table, in the order of ids. */
interface Source {
  table: SQL;
  /** Under which the other members name it. */
  alias: SQL;
  /** How long the texts of a row are. */
  bytes: SQL;
  condition: SQL;
  /** The row as it is given out. */
  row: SQL;
}

/** Which part of a source: how many rows at the most, in which order. */
interface Part {
  limit?: number;
  newestFirst?: boolean;
}

/** A chunk of a table's rows by their ids: those that are there from the first chunk to the last come once. */
export async function readChunkById<Row>(
  database: TenantDatabase,
  { table, alias, bytes, condition, row }: Source,
  afterId: string | null,
  { limit = CHUNK_ROWS_MAX, newestFirst = false }: Part = {},
): Promise<Chunk<Row, string>> {
  const isBefore = newestFirst ? sql`>` : sql`<`;
  const isWanted = allOf(
    condition,
    afterId !== null && sql`${afterId}::uuid ${isBefore} ${alias}.id`,
  );
  const direction = newestFirst ? sql`desc` : sql`asc`;
  return chunkFrom(
    await database.read<{ row: Row; place: string; isLast: boolean }>(sql`
with found as materialized (
  select ${alias}.id, coalesce(${bytes}, 0) as bytes from ${table} ${alias} where ${isWanted}
  order by ${alias}.id ${direction} limit ${limit + 1}
),
page as materialized (${chunkOf(sql`found`, { order: sql`id ${direction}`, limit })})
select ${row} as row, page.id as place, (select count(*) from found) = (select count(*) from page) as "isLast"
-- One look for each: a join would be planned as a scan of the tenant's whole table.
from page cross join lateral (select * from ${table} where id = page.id limit 1) ${alias} order by page.id ${direction}`),
  );
}

/** The rows of a chunk, of which the query said whether there are more. */
export function chunkFrom<Row, Place>(
  rows: readonly { row: Row; place: Place; isLast: boolean }[],
): Chunk<Row, Place> {
  const last = rows.at(-1);
  const next = last === undefined || last.isLast ? null : last.place;
  return { rows: rows.map(({ row }) => row), next };
}
