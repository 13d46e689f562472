import type { TestDatabase } from "./database.ts";

/** Moves the leases and deadlines of these runs into the past. */
export async function passDeadlines(
  database: TestDatabase,
  runIds: readonly string[],
): Promise<void> {
  await database.query(
    "owner",
    `update worker_runs set deadline_at = now() - interval '1 second',
       lease_until = case when lease_until is not null then now() - interval '1 second' end
     where id in (select value::uuid from json_array_elements_text($1::json))`,
    [JSON.stringify(runIds)],
  );
}

/** Moves the leases of these runs into the past. */
export async function endLeases(database: TestDatabase, runIds: readonly string[]): Promise<void> {
  await database.query(
    "owner",
    `update worker_runs set lease_until = now() - interval '1 second'
     where id in (select value::uuid from json_array_elements_text($1::json))`,
    [JSON.stringify(runIds)],
  );
}
