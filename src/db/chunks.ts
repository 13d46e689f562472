import { type SQL, sql } from "drizzle-orm";

/** Of texts that callers chose the length of, a chunk holds so much and one more: an answer of Neon has its limit. */
const CHUNK_BYTES_MAX = 2 * 1024 * 1024;

/** Of the rows that were found, the first that make a chunk: at most `limit`, and of `bytes` not much too many. */
export function chunkOf(found: SQL, { order, limit }: { order: SQL; limit: number }): SQL {
  return sql`select * from (
    select *, row_number() over in_order as position,
      sum(bytes) over (in_order rows between unbounded preceding and 1 preceding) as bytes_before
    from ${found} window in_order as (order by ${order})
  ) measured where position <= ${limit} and coalesce(bytes_before, 0) < ${CHUNK_BYTES_MAX}`;
}
