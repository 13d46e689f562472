import { type SQL, sql } from "drizzle-orm";

/**
 * The database's clock. A scalar subquery, so that a statement reads it once: everything that one call writes has the
 * same time.
 */
export const WRITER_CLOCK: SQL = sql`(select writer_clock())`;

/** The database's clock, or the latest of these times if the clock has stepped back behind it. Null is ignored. */
export function notBefore(times: SQL): SQL {
  return sql`greatest(${WRITER_CLOCK}, ${times})`;
}
