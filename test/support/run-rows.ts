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

/** Lets the running steps of these tasks, and their ended runs, look as if nothing had happened for three hours. */
export async function passIdleTime(
  database: TestDatabase,
  taskIds: readonly string[],
): Promise<void> {
  const ids = "(select value::uuid from json_array_elements_text($1::json))";
  const values = [JSON.stringify(taskIds)];
  await database.transaction("owner", [
    {
      text: `update task_labels set running_since = running_since - interval '3 hours' where task_id in ${ids}`,
      values,
    },
    {
      text: `update worker_runs set updated_at = updated_at - interval '3 hours' where task_id in ${ids}`,
      values,
    },
  ]);
}

/** Undoes `passIdleTime` for the labels of tasks that no sweep marked. */
export async function restoreIdleTime(database: TestDatabase): Promise<void> {
  await database.query(
    "owner",
    `update task_labels l set running_since = f.running_since from task_facts f
     where f.tenant_id = l.tenant_id and f.task_id = l.task_id
       and l.running_since is distinct from f.running_since`,
  );
}
