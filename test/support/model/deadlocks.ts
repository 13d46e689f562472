import { expect } from "vitest";
import type { TestDatabase } from "../database.ts";

/**
 * Makes Postgres look for deadlocks before the service's lock timeout, which would otherwise hide every deadlock.
 * Applies to connections that are opened afterwards.
 */
export async function watchForDeadlocks(database: TestDatabase): Promise<void> {
  await database.query(
    "superuser",
    `alter database ${database.name} set deadlock_timeout = '20ms'`,
  );
}

/**
 * Returns how many deadlocks Postgres has resolved in this database. Backends report their counts with a delay or when
 * they end, so this first terminates every other connection.
 */
export async function countDeadlocks(database: TestDatabase): Promise<number> {
  const others =
    "from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
  await database.query("superuser", `select pg_terminate_backend(pid) ${others}`);
  await expect
    .poll(() => database.query("superuser", `select pid ${others}`), { timeout: 10_000 })
    .toEqual([]);
  const [row] = await database.query(
    "superuser",
    "select deadlocks from pg_stat_database where datname = current_database()",
  );
  return Number(row?.["deadlocks"]);
}
