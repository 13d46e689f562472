import { type SQL, sql } from "drizzle-orm";

/**
 * The writers' clock: the database's, or in a demo tenant the simulated one (docs/demo.md). A scalar subquery, so that a
 * statement reads it once: everything that one call writes has the same time.
 */
export const WRITER_CLOCK: SQL = sql`(select writer_clock())`;

/** Whether the tenant has a simulated clock. Row security shows no other tenant's. */
const HAS_SIMULATED_CLOCK = sql`(select exists (select from simulated_clocks))`;

/**
 * The time of a row for which `planned` is a time or null. Only a tenant with a simulated clock, which is always a demo, has
 * planned times. Elsewhere, and without a planned time, it is the time of the statement.
 */
export const plannedClock = (planned: SQL): SQL =>
  sql`case when ${planned} is not null and ${HAS_SIMULATED_CLOCK} then ${planned} else ${WRITER_CLOCK} end`;

/** The writers' clock, or the latest of these times if the clock has stepped back behind it. Null is ignored. */
export function notBefore(times: SQL, planned?: SQL): SQL {
  const clock = planned === undefined ? WRITER_CLOCK : plannedClock(planned);
  return sql`greatest(${clock}, ${times})`;
}

/**
 * The database's own clock, once per statement. Leases, deadlines and retries keep real time, whatever clock the writers
 * have.
 */
export const REAL_CLOCK: SQL = sql`(select clock_timestamp())`;
