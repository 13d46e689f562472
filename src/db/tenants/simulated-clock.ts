import { sql } from "drizzle-orm";
import { notADemo, type Outcome, refuse, succeed } from "../../domain/refusals.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { DatabaseFault } from "../connection/faults.ts";

/** How a simulated clock runs from now on. */
export interface ClockSetting {
  /** What it shows now, as an ISO string. Null, or a time before the present one, leaves it where it is. */
  at: string | null;
  /** Simulated seconds per second, 0 to 604,800. Over 1, `until` is required. */
  speed: number;
  /** When it stops, in simulated time; null if it runs on. */
  until: string | null;
}

/** How the database names the rule that only a demo has a simulated clock. */
const ONLY_IN_DEMOS = "simulated_clocks_demo";

/**
 * Sets the simulated clock of a demo tenant, and returns what it shows. The first call starts it. The clock never falls, so
 * a repeat does no harm.
 */
export async function moveSimulatedClock(
  database: TenantDatabase,
  { at, speed, until }: ClockSetting,
): Promise<Outcome<{ at: string }>> {
  try {
    const [row] = await database.writeIdempotently<{ at: string }>(sql`
      select iso(move_simulated_clock(${at}::timestamptz, ${speed}::numeric, ${until}::timestamptz)) as at`);
    if (row === undefined) throw new Error("A clock was set without an answer");
    return succeed(row);
  } catch (error) {
    if (error instanceof DatabaseFault && error.constraint === ONLY_IN_DEMOS) {
      return refuse(notADemo());
    }
    throw error;
  }
}
