import { expect } from "vitest";
import type { SqlStatement, TestDatabase } from "../database.ts";

/** A transaction that stays open, with all its locks, until the test ends it. */
export interface OpenTransaction {
  /** Lets the transaction go on to its commit, and waits for that. */
  end: () => Promise<void>;
}

/**
 * Runs statements in a transaction of the superuser and keeps it open. The statements of `afterwards` run right before
 * the commit.
 */
export async function openTransaction(
  database: TestDatabase,
  statements: readonly SqlStatement[],
  afterwards: readonly SqlStatement[] = [],
): Promise<OpenTransaction> {
  await database.transaction("superuser", [
    { text: "create schema if not exists observer" },
    { text: "create table if not exists observer.ended (id uuid)" },
  ]);
  const id = crypto.randomUUID();
  const running = database.transaction("superuser", [
    // A test that fails before it ends the transaction must not leave it open for good.
    { text: "set local statement_timeout = '30s'" },
    ...statements,
    { text: untilEnded(id) },
    ...afterwards,
  ]);
  await expect.poll(() => database.query("superuser", isRunning(id)), PATIENT).toHaveLength(1);
  return {
    end: async () => {
      await endWait(database, id);
      await running;
    },
  };
}

/** Returns a statement that runs until `endWait`. Each of its queries sees what was committed in the meantime. */
function untilEnded(id: string): string {
  return `do $$ begin
    while not exists (select from observer.ended where id = '${id}') loop perform pg_sleep(0.01); end loop;
  end $$`;
}

const isRunning = (id: string) => `select from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid() and query like 'do $$%${id}%'`;

async function endWait(database: TestDatabase, id: string): Promise<void> {
  await database.query("superuser", "insert into observer.ended values ($1)", [id]);
}

/** Waits until so many statements in this database wait for a lock. */
export async function untilBlocked(database: TestDatabase, count = 1): Promise<void> {
  await expect
    .poll(
      () =>
        database.query(
          "superuser",
          "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
        ),
      PATIENT,
    )
    .toHaveLength(count);
}

/** Waits until a transaction of the test has taken its locks and sleeps on them with `pg_sleep`. */
export async function untilLocksAreHeld(database: TestDatabase): Promise<void> {
  await expect
    .poll(
      () =>
        database.query(
          "superuser",
          "select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'",
        ),
      PATIENT,
    )
    .toHaveLength(1);
}

/** A busy machine can take seconds to get there. */
const PATIENT = { interval: 20, timeout: 20_000 };
