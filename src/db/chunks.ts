import { type SQL, sql } from "drizzle-orm";

/** A part of what is exported, and the place where the next one begins; null behind the last. */
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

/** The rows of a chunk, of which the query said whether there are more. */
export function chunkFrom<Row, Place>(
  rows: readonly { row: Row; place: Place; isLast: boolean }[],
): Chunk<Row, Place> {
  const last = rows.at(-1);
  const next = last === undefined || last.isLast ? null : last.place;
  return { rows: rows.map(({ row }) => row), next };
}
