import { sql } from "drizzle-orm";
import { check, foreignKey, numeric, pgTable, primaryKey } from "drizzle-orm/pg-core";
import { moment, tenantId } from "./columns.ts";
import { tenants } from "./tenants.ts";

/**
 * The simulated clock of a demo tenant: at `set_at`, it shows `at`, and from there it runs at `speed` until `until`. A
 * tenant without a row has real time. Only the function move_simulated_clock writes it, and only in demos.
 */
export const simulatedClocks = pgTable(
  "simulated_clocks",
  {
    tenantId: tenantId(),
    at: moment().notNull(),
    /** Simulated seconds per second. */
    speed: numeric().notNull(),
    /** The real time at which the clock was set. */
    setAt: moment().notNull(),
    /** The simulated time at which the clock stops; null if it runs on. */
    until: moment(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId] }),
    foreignKey({
      name: "simulated_clocks_tenant_fk",
      columns: [t.tenantId],
      foreignColumns: [tenants.id],
    }),
    // A week in a second. Neither bound admits NaN.
    check("simulated_clocks_speed", sql`${t.speed} between 0 and 604800`),
    // Without an end, a fast clock would reach times that nothing can show.
    check("simulated_clocks_end", sql`${t.speed} <= 1 or ${t.until} is not null`),
    // Four digits of the year, also after a while at the speed of real time.
    check(
      "simulated_clocks_times",
      sql`${t.at} between '2000-01-01Z' and '2100-01-01Z' and coalesce(${t.until}, ${t.at}) between ${t.at} and '2100-01-01Z'`,
    ),
  ],
);
