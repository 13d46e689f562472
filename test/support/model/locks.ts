import { expect } from "vitest";
import type { TestDatabase } from "../database.ts";

/** Until a transaction of the test has taken its locks, and sleeps on them with `pg_sleep`. */
export async function untilLocksAreHeld(database: TestDatabase): Promise<void> {
  await expect
    .poll(() =>
      database.query(
        "superuser",
        "select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'",
      ),
    )
    .toHaveLength(1);
}
