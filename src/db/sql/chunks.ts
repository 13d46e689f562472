import { type SQL, sql } from "drizzle-orm";
import type { TenantDatabase } from "../connection/client.ts";
import { allOf } from "./conditions.ts";

/** One part of a list or an export. */
export interface Chunk<Row, Place> {
  rows: Row[];
  /** Where the next chunk begins; null after the last one. */
  next: Place | null;
}

/** How many rows an export reads in one round trip. */
export const CHUNK_ROWS_MAX = 2000;

/**
 * Caps a chunk's caller-supplied text at 2 MiB, plus the row that crosses it, because Neon limits the size of a
 * response.
 */
const CHUNK_BYTES_MAX = 2 * 1024 * 1024;

/**
 * Selects the first rows of `found`: at most `limit`, and only until their column `bytes` adds up to CHUNK_BYTES_MAX.
 */
export function chunkOf(found: SQL, { order, limit }: { order: SQL; limit: number }): SQL {
  return sql`select * from (
    select *, row_number() over in_order as position,
      sum(bytes) over (in_order rows between unbounded preceding and 1 preceding) as bytes_before
    from ${found} window in_order as (order by ${order})
  ) measured where position <= ${limit} and coalesce(bytes_before, 0) < ${CHUNK_BYTES_MAX}`;
}

/** Returns the length of several texts, any of which may be null. */
export function bytesOf(...texts: [SQL, ...SQL[]]): SQL {
  const lengths = texts.map((text) => sql`coalesce(octet_length(${text}), 0)`);
  return sql.join(lengths, sql` + `);
}

/** A table that is read in id order. */
interface Source {
  table: SQL;
  /** The table's alias in the other members. */
  alias: SQL;
  /** The length of a row's caller-supplied texts. */
  bytes: SQL;
  condition: SQL;
  /** The JSON that is returned for a row. */
  row: SQL;
}

interface ChunkOptions {
  limit?: number;
  newestFirst?: boolean;
}

/**
 * Reads the rows of a table after `afterId`, in id order. A row that exists during the whole export appears exactly
 * once.
 */
export async function readChunkById<Row>(
  database: TenantDatabase,
  { table, alias, bytes, condition, row }: Source,
  afterId: string | null,
  { limit = CHUNK_ROWS_MAX, newestFirst = false }: ChunkOptions = {},
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
-- One index lookup per row: Postgres would plan a join as a scan of the tenant's whole table.
from page cross join lateral (select * from ${table} where id = page.id limit 1) ${alias} order by page.id ${direction}`),
  );
}

/** Builds a chunk from rows that each have a place and say whether they are the last of all. */
export function chunkFrom<Row, Place>(
  rows: readonly { row: Row; place: Place; isLast: boolean }[],
): Chunk<Row, Place> {
  const last = rows.at(-1);
  const next = last === undefined || last.isLast ? null : last.place;
  return { rows: rows.map(({ row }) => row), next };
}
