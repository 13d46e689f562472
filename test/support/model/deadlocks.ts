import { expect } from "vitest";
import type { TestDatabase } from "../database.ts";

/**
 * Lets Postgres look for deadlocks sooner than the service gives up waiting for a lock: else every deadlock would pass
 * for a slow rival. It holds for connections that are opened from now on.
 */
export async function watchForDeadlocks(database: TestDatabase): Promise<void> {
  await database.query(
    "superuser",
    `alter database ${database.name} set deadlock_timeout = '20ms'`,
  );
}

/**
 * How many deadlocks Postgres has resolved in this database. A backend keeps its counts to itself for a while, but
 * tells them when it ends: so every other connection is ended first.
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
